import Logging
import Metadata
import Records
import Testing

@testable import Control

@Suite struct EventWriterTests {
    @Test func idsAreOneOrderForAllNodesAndTheOldestGo() async throws {
        let store = MemoryStore()
        var logger = Logger(label: "events")
        logger.logLevel = .critical
        let writers = (0..<2).map { _ in
            EventWriter(store: store, node: .random(), retry: .milliseconds(10), logger: logger)
        }
        try await store.put(Keys.nextEvent, record: ControlLimits.eventsMax + 90)
        for id in 80..<UInt64(120) {
            try await store.put(Keys.event(id), record: "old")
        }
        for number in 0..<120 {
            await writers[number % 2].write(.waitEnded, "event \(number)")
        }
        for writer in writers { await writer.flush(atMost: .seconds(30)) }
        let keys = try await store.range(prefix: Keys.events).entries.map(\.key)
        #expect(keys.count { $0 >= Keys.event(ControlLimits.eventsMax) } == 120)
        #expect(keys.sorted() == keys)
        // 10,200 was passed: 100 up to 200 of the old ones are gone.
        #expect(keys.first == Keys.event(80))
        #expect(!keys.contains(Keys.event(100)))
    }

    @Test func everyCodeHasItsOwnNumberInTheRangeOfItsCategory() {
        for code in EventCode.allCases {
            switch code.category {
            case .info: #expect((1000..<2000).contains(code.rawValue))
            case .warning: #expect((2000..<3000).contains(code.rawValue))
            case .alert: #expect((3000..<4000).contains(code.rawValue))
            }
        }
    }
}
