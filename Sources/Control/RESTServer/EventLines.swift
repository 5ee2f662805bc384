import API
import FoundationEssentials

/// Events as lines of JSON, with an empty line for every second in which there is none.
final class EventLines: Sendable {
    private let stream: AsyncThrowingStream<[UInt8], any Error>
    private let tasks: [Task<Void, Never>]
    private static let pause = Duration.seconds(1)

    init(_ events: AsyncThrowingStream<EventView, any Error>) {
        let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        self.stream = stream
        let reading = Task {
            do {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                for try await event in events {
                    continuation.yield(Array(try encoder.encode(event)) + [UInt8(ascii: "\n")])
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        let ticking = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.pause)
                continuation.yield([UInt8(ascii: "\n")])
            }
        }
        tasks = [reading, ticking]
    }

    func next() async throws -> [UInt8]? {
        var iterator = stream.makeAsyncIterator()
        return try await iterator.next()
    }

    func cancel() { for task in tasks { task.cancel() } }
}
