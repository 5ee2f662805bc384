import Glibc

/// An open file that closes itself.
struct Descriptor: ~Copyable {
    let number: Int32

    init(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(BlockDeviceError) {
        let number = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw .last("open", path) }
        self.number = number
    }

    deinit { close(number) }

    /// Hands the descriptor over; the caller closes it.
    consuming func take() -> Int32 {
        let taken = number
        discard self
        return taken
    }

    /// Everything until the end of the file; for small files of the kernel.
    func readAll(_ path: String) throws(BlockDeviceError) -> [UInt8] {
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(number, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", path) }
            if count == 0 { return content }
            content += piece.prefix(count)
        }
    }

    func write(_ text: String, to path: String) throws(BlockDeviceError) {
        guard Glibc.write(number, text, text.utf8.count) == text.utf8.count else {
            throw .last("write", path)
        }
    }
}

enum KernelFile {
    static func text(_ path: String) throws(BlockDeviceError) -> String {
        String(decoding: try Descriptor(path, O_RDONLY).readAll(path), as: UTF8.self)
    }

    /// The first line; nil where there is no such file.
    static func line(_ path: String) -> String? {
        (try? text(path))?.split(separator: "\n", omittingEmptySubsequences: false).first
            .map(String.init)
    }

    /// The names in a folder of the kernel; none where it does not exist.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
