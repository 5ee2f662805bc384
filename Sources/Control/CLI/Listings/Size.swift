/// Amounts of bytes as people read them; GB is 2³⁰ bytes.
enum Size {
    private static let units = ["KB", "MB", "GB", "TB"]

    /// `512B`, `1.5KB`, `20.0GB`; `-` for what is not known.
    static func text(_ bytes: UInt64?) -> String {
        guard let bytes else { return "-" }
        guard bytes >= 1024 else { return "\(bytes)B" }
        var unit = 0
        var divisor: UInt64 = 1024
        while bytes / divisor >= 1024, unit + 1 < units.count {
            divisor *= 1024
            unit += 1
        }
        return decimal(bytes, per: divisor, digits: 1) + units[unit]
    }

    /// `0.245TB`, as `cio info` shows capacities.
    static func terabytes(_ bytes: UInt64) -> String {
        decimal(bytes, per: 1 << 40, digits: 3) + "TB"
    }

    /// A quotient, rounded down: no more is ever promised than is there.
    private static func decimal(_ value: UInt64, per divisor: UInt64, digits: Int) -> String {
        var fraction = value % divisor
        var text = "\(value / divisor)."
        for _ in 0..<digits {
            fraction *= 10
            text += "\(fraction / divisor)"
            fraction %= divisor
        }
        return text
    }
}
