import Testing

@testable import Replication

@Suite struct ActionQueueTests {
    @Test func comesOutInOrderWhileItGrowsAndWrapsAround() {
        var queue = ActionQueue<String>(capacity: 4)
        var model: [String] = []
        var number = 0
        // In turns more goes in than comes out, and the other way round.
        for round in 0..<60 {
            for _ in 0..<(round % 11) {
                number += 1
                queue.append("action \(number)")
                model.append("action \(number)")
            }
            for _ in 0..<(round % 7) {
                let expected = model.isEmpty ? nil : model.removeFirst()
                expect(queue.next() == expected)
            }
            expect(queue.isEmpty == model.isEmpty)
        }
        while let next = queue.next() { expect(next == model.removeFirst()) }
        expect(model.isEmpty)
    }

    @Test func letsGoOfWhatWasNeverTaken() {
        final class Token {}
        weak var watched: Token?
        do {
            var queue = ActionQueue<Token>(capacity: 2)
            let token = Token()
            watched = token
            for _ in 0..<5 { queue.append(token) }
            _ = queue.next()
        }
        expect(watched == nil)
    }
}
