/// An answer in time, whatever becomes of the work.
enum Deadline {
    /// The result of `work`, or `late` when the time is over. Then the work is cancelled, and
    /// ends when it can.
    static func answer<Value: Sendable>(
        within limit: Duration, late: any Error,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (results, first) = AsyncStream<Result<Value, any Error>>.makeStream(
            bufferingPolicy: .bufferingOldest(1))
        let worker = Task {
            do { first.yield(.success(try await work())) } catch { first.yield(.failure(error)) }
        }
        let alarm = Task {
            try await Task.sleep(for: limit)
            first.yield(.failure(late))
        }
        defer {
            worker.cancel()
            alarm.cancel()
        }
        for await result in results { return try result.get() }
        throw CancellationError()
    }
}
