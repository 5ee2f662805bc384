/// The profiles that a new cluster begins with, by name.
public enum ShippedProfiles {
    public static let all: [(name: String, yaml: String)] = [
        ("SMALL", text(capacity: 20, iops: 300...1000)),
        ("MEDIUM", text(capacity: 100, iops: 300...1000)),
        ("LARGE", text(capacity: 1000, iops: 300...1000)),
        ("BRONZE", text(capacity: 20, iops: 100...300)),
        ("SILVER", text(capacity: 20, iops: 300...1000)),
        ("GOLD", text(capacity: 20, iops: 1000...2000)),
        ("MYSQL", text(capacity: 10, iops: 1000...5000, level: 3)),
        ("NGINX", text(capacity: 25, iops: 100...1000)),
    ]

    private static func text(
        capacity: Int, iops: ClosedRange<Int>, level: Int = 2
    ) -> String {
        """
        capacity: \(capacity)
        iops: {min: \(iops.lowerBound), max: \(iops.upperBound)}
        level: \(level)
        local: no
        provision: thin
        type: ssd
        service:
          autoexpand: {enabled: no, threshold: 80, increment: 20, limit: 3}
          snapshot: {enabled: no, interval: 60, max: 10}
          compression: {enabled: no, algorithm: lzo}
          encryption: {enabled: no}

        """
    }
}
