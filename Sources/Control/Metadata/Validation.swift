extension Transaction {
    /// Refuses what any of the stores would refuse, before anything is sent or written.
    public func validate() throws(MetadataError) {
        let count = comparisons.count + thenOperations.count + elseOperations.count
        guard count <= MetadataLimits.operationsMax else {
            throw invalid(
                "has \(count) comparisons and operations, of \(MetadataLimits.operationsMax) allowed")
        }

        var bytes = 0
        for comparison in comparisons {
            try check(key: comparison.key)
            bytes += comparison.byteCount
        }
        for operation in thenOperations + elseOperations {
            try check(operation)
            bytes += operation.byteCount
        }
        guard bytes <= MetadataLimits.transactionBytesMax else {
            throw invalid("has \(bytes) bytes, of \(MetadataLimits.transactionBytesMax) allowed")
        }
        try checkWrittenOnce(thenOperations)
        try checkWrittenOnce(elseOperations)
    }

    private func check(_ operation: Operation) throws(MetadataError) {
        switch operation {
        case .get(let key), .delete(let key):
            try check(key: key)
        case .put(let key, let value, _):
            try check(key: key)
            guard value.count <= MetadataLimits.valueBytesMax else {
                let allowed = MetadataLimits.valueBytesMax
                throw invalid("has a value of \(value.count) bytes, of \(allowed) allowed: \(key)")
            }
        case .range(let prefix), .deletePrefix(let prefix):
            try check(prefix: prefix)
        }
    }

    private func check(key: String) throws(MetadataError) {
        if let reason = keyDefect(key) { throw invalid(reason) }
    }

    private func check(prefix: String) throws(MetadataError) {
        if let reason = prefixDefect(prefix) { throw invalid(reason) }
    }

    /// etcd refuses a list of operations that puts a key twice, or puts and deletes it.
    private func checkWrittenOnce(_ operations: [Operation]) throws(MetadataError) {
        var puts: Set<KeyBytes> = []
        for case .put(let key, _, _) in operations
        where !puts.insert(KeyBytes(key)).inserted {
            throw invalid("writes a key twice: \(key)")
        }
        for operation in operations {
            switch operation {
            case .delete(let key) where puts.contains(KeyBytes(key)):
                throw invalid("both puts and deletes a key: \(key)")
            case .deletePrefix(let prefix)
            where puts.contains(where: { $0.hasPrefix(KeyBytes(prefix)) }):
                throw invalid("both puts a key and deletes its prefix: \(prefix)")
            default: break
            }
        }
    }

    private func invalid(_ reason: String) -> MetadataError {
        .invalidRequest("transaction", on: summary, "the transaction \(reason)")
    }

    /// The keys in question, for messages: `nodes/v1 and 2 more`.
    public var summary: String {
        let keys = comparisons.map(\.key) + (thenOperations + elseOperations).map(\.key)
        let distinct = Set(keys.map(KeyBytes.init)).count
        guard let first = keys.first else { return "nothing" }
        return distinct > 1 ? "\(first) and \(distinct - 1) more" : first
    }
}

/// Why a key is not acceptable, or nil.
func keyDefect(_ key: String) -> String? {
    key.isEmpty ? "has an empty key" : prefixDefect(key)
}

/// Why a prefix is not acceptable, or nil. The empty one is.
func prefixDefect(_ prefix: String) -> String? {
    let bytes = prefix.utf8.count
    guard bytes > MetadataLimits.keyBytesMax else { return nil }
    return "has a key of \(bytes) bytes, of \(MetadataLimits.keyBytesMax) allowed"
}

extension MetadataError {
    /// Throws unless `key` can be one. For the methods that take a bare key.
    public static func check(key: String, operation: String) throws(MetadataError) {
        guard let defect = keyDefect(key) else { return }
        throw invalidRequest(operation, on: key, "the request \(defect)")
    }

    public static func check(prefix: String, operation: String) throws(MetadataError) {
        guard let defect = prefixDefect(prefix) else { return }
        throw invalidRequest(operation, on: prefix, "the request \(defect)")
    }

    public static func check(ttl: Duration) throws(MetadataError) {
        guard ttl < MetadataLimits.leaseMin || ttl > MetadataLimits.leaseMax else { return }
        throw invalidRequest(
            "grant", on: "a lease",
            "\(ttl) is not between \(MetadataLimits.leaseMin) and \(MetadataLimits.leaseMax)")
    }
}

extension Transaction.Comparison {
    fileprivate var byteCount: Int {
        if case .value(let value) = target { return key.utf8.count + value.count }
        return key.utf8.count
    }
}

extension Transaction.Operation {
    /// The key or prefix that the operation is about.
    public var key: String {
        switch self {
        case .get(let key), .put(let key, _, _), .delete(let key): key
        case .range(let prefix), .deletePrefix(let prefix): prefix
        }
    }

    fileprivate var byteCount: Int {
        if case .put(let key, let value, _) = self { return key.utf8.count + value.count }
        return key.utf8.count
    }
}
