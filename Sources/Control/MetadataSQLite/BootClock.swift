import Foundation

/// The time since the machine started, suspended or not: CLOCK_BOOTTIME. Every process on the
/// machine reads the same clock, so that deadlines can be shared through a file.
enum BootClock {
    /// In nanoseconds. As a signed number it lasts 292 years.
    static var now: Int64 {
        var time = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else {
            fatalError("clock_gettime(CLOCK_BOOTTIME): \(String(cString: strerror(errno)))")
        }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    /// Rounded down.
    var wholeNanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}

/// Names the machine's current start. A deadline of an earlier one means nothing any more.
struct BootID: Hashable, Sendable {
    let text: String

    init(text: String) { self.text = text }

    /// The kernel's, see random(4). Nil when /proc cannot be read.
    static var current: BootID? {
        FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id").map {
            let text = String(decoding: $0, as: UTF8.self)
            return BootID(text: text.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}
