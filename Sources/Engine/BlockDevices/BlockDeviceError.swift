import Glibc

/// Why setting up or taking down a device failed: operation, object and cause.
public enum BlockDeviceError: Error, Sendable, Equatable {
    /// A system call failed.
    case system(operation: String, object: String, errno: Int32)
    /// A program ended with a status other than 0; `output` is what it said.
    case tool(command: String, status: ToolStatus, output: String)
    /// A program is not installed in any of the usual folders.
    case missingTool(String)
    /// Its filesystem can only be changed while it is mounted.
    case notMounted(device: String)
    /// The device holds a filesystem already, and nobody said to overwrite it.
    case notBlank(device: String)
    /// No loop device could be had, though each try found one that was free a moment before.
    case loopDevicesContended
    /// The loop device would go through the page cache, which makes it thirty times slower.
    case noDirectIO(device: String)
    /// What was just mounted is not in the mount table: someone unmounted it.
    case mountVanished(String)
    /// The link's name is taken by something that is not a link.
    case notALink(String)

    /// The error of the system call that just failed.
    static func last(_ operation: String, _ object: String) -> BlockDeviceError {
        .system(operation: operation, object: object, errno: errno)
    }
}

extension BlockDeviceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let operation, let object, let number):
            "\(operation) \(object): \(String(cString: strerror(number)))"
        case .tool(let command, let status, let output):
            // In one line, as errors and events are.
            "\(command): \(status): "
                + output.split(whereSeparator: \.isNewline).joined(separator: "; ")
        case .missingTool(let name): "\(name) is not installed"
        case .notMounted(let device): "the filesystem on \(device) is not mounted"
        case .notBlank(let device): "\(device) is not blank"
        case .loopDevicesContended: "no loop device could be had"
        case .noDirectIO(let device): "\(device) does no direct I/O"
        case .mountVanished(let path): "the mount at \(path) is gone"
        case .notALink(let path): "\(path) exists and is not a link"
        }
    }
}
