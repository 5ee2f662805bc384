import API
import Glibc

/// One command at a time changes a playground. Given back when the process ends, however it ends.
struct PlaygroundLock: ~Copyable {
    private let descriptor: Int32

    /// Waits for nobody: two people at one playground should hear of each other.
    init(folder: String) throws(APIError) {
        let path = "\(folder)/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw APIError(what: "Open \(path)", why: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw APIError(
                what: "Change the playground in \(folder)",
                why: "another command is changing it", next: "try again when that has ended")
        }
    }

    deinit { close(descriptor) }
}
