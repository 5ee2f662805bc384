import FoundationEssentials

/// How records are written as values: JSON with sorted keys, so that equal records have equal bytes
/// and a transaction that is sent again is identical.
public enum RecordCoding {
    public static func encode<Record: Encodable>(
        _ record: Record, for key: String
    ) throws(MetadataError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(record))
        } catch {
            throw .invalidRequest(
                "encode", on: key, "\(Record.self) cannot be written as JSON: \(error)")
        }
    }

    public static func decode<Record: Decodable>(
        _ type: Record.Type, from entry: Entry
    ) throws(MetadataError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(entry.value))
        } catch {
            throw MetadataError(
                .undecodable, operation: "decode", object: entry.key,
                cause: "its value at revision \(entry.modRevision) is no \(type): \(error)",
                remedy: "another program or version wrote it; look at it before changing it")
        }
    }
}

/// A record with the entry that holds it.
public struct Stored<Record: Sendable>: Sendable {
    public let record: Record
    public let entry: Entry

    public init(record: Record, entry: Entry) {
        self.record = record
        self.entry = entry
    }
}

extension Stored where Record: Decodable {
    public init(decoding entry: Entry) throws(MetadataError) {
        self.init(record: try RecordCoding.decode(Record.self, from: entry), entry: entry)
    }
}

extension Transaction.Operation {
    /// Puts a record as JSON.
    public static func put<Record: Encodable>(
        _ key: String, record: Record, lease: LeaseID? = nil
    ) throws(MetadataError) -> Transaction.Operation {
        .put(key, try RecordCoding.encode(record, for: key), lease: lease)
    }
}
