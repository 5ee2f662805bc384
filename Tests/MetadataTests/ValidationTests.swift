import Metadata
import Testing

struct ValidationTests {
    private func defect(_ transaction: Transaction) -> MetadataError? {
        do throws(MetadataError) {
            try transaction.validate()
            return nil
        } catch {
            return error
        }
    }

    @Test func limitsHoldToTheByte() {
        let limit = MetadataLimits.valueBytesMax
        #expect(defect(Transaction(then: [.put("k", [UInt8](repeating: 0, count: limit))])) == nil)
        let above = [UInt8](repeating: 0, count: limit + 1)
        #expect(defect(Transaction(then: [.put("k", above)]))?.kind == .invalidRequest)
        let key = String(repeating: "k", count: MetadataLimits.keyBytesMax)
        #expect(defect(Transaction(then: [.get(key)])) == nil)
        #expect(defect(Transaction(then: [.get(key + "k")])) != nil)
        #expect(defect(Transaction(then: [.range(prefix: key + "k")])) != nil)
        let most = (0..<MetadataLimits.operationsMax).map { Transaction.Operation.get("\($0)") }
        #expect(defect(Transaction(then: most)) == nil)
        #expect(defect(Transaction(if: [.absent("k")], then: most)) != nil)
        #expect(defect(Transaction(then: most + [.get("k")])) != nil)
        #expect(defect(Transaction(then: [], else: most + [.get("k")])) != nil)
        let half = [UInt8](repeating: 0, count: MetadataLimits.transactionBytesMax / 2)
        #expect(defect(Transaction(then: [.put("k", half)], else: [.put("k", half)])) != nil)
    }

    @Test func noKeyIsWrittenTwiceByOneList() {
        #expect(defect(Transaction(then: [.put("k", []), .delete("k")])) != nil)
        #expect(defect(Transaction(then: [.deletePrefix("k/"), .put("k/1", [])])) != nil)
        #expect(defect(Transaction(then: [.deletePrefix(""), .put("k/1", [])])) != nil)
        #expect(defect(Transaction(then: [], else: [.put("k", []), .put("k", [])])) != nil)
        #expect(defect(Transaction(then: [.put("k", [])], else: [.put("k", [])])) == nil)
        #expect(defect(Transaction(then: [.delete("k"), .deletePrefix("k")])) == nil)
        #expect(defect(Transaction(then: [.deletePrefix("k/"), .put("k", [])])) == nil)
        // Equal as characters, but not the same key.
        #expect(defect(Transaction(then: [.put("é", []), .put("e\u{301}", [])])) == nil)
    }

    @Test func emptyKeysAreNone() {
        #expect(defect(Transaction(if: [.absent("")], then: [])) != nil)
        #expect(defect(Transaction(then: [.delete("")])) != nil)
        #expect(defect(Transaction(then: [.range(prefix: "")])) == nil)
    }

    @Test func errorsNameTheKeys() throws {
        let error = try #require(defect(Transaction(
            if: [.absent("nodes/v1")], then: [.put("a", []), .put("a", [])])))
        #expect(
            error.description
                == "metadata transaction of nodes/v1 and 1 more: "
                + "the transaction writes a key twice: a")
    }
}
