import Glibc
import Units

/// CLOCK_BOOTTIME: it goes on while the machine is suspended, and nobody sets it.
public enum BootClock {
    public static func now() -> Instant {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
