/// What `body` returns; nil when it takes longer, or the task is cancelled. It is cancelled then, but
/// not waited for: whoever is called may not hear of it.
func within<Value: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async -> Value
) async -> Value? {
    let (results, first) = AsyncStream<Value?>.makeStream(bufferingPolicy: .bufferingOldest(1))
    let worker = Task { first.yield(await body()) }
    let alarm = Task {
        try await Task.sleep(for: limit)
        first.yield(nil)
    }
    defer {
        worker.cancel()
        alarm.cancel()
    }
    for await result in results { return result }
    return nil
}

extension Result {
    /// `Result(catching:)` for what is asynchronous.
    init(_ body: () async throws(Failure) -> Success) async {
        do throws(Failure) { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

extension Duration {
    /// `8 s`, `0.25 s`.
    var text: String {
        let milliseconds = components.seconds * 1_000
            + components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1_000 == 0
            ? "\(milliseconds / 1_000) s" : "\(Double(milliseconds) / 1_000) s"
    }
}
