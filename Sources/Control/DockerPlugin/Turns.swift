/// One at a time for each name: changes of one volume come one after the other, in the order in
/// which they were asked for, and those of different volumes do not wait for each other.
actor Turns {
    /// Those who wait for each name that is taken.
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    func take<Value: Sendable>(
        _ name: String, _ work: @Sendable () async throws -> Value
    ) async throws -> Value {
        await enter(name)
        defer { leave(name) }
        // Its caller may have gone while it waited.
        try Task.checkCancellation()
        return try await work()
    }

    private func enter(_ name: String) async {
        guard waiting[name] != nil else {
            waiting[name] = []
            return
        }
        await withCheckedContinuation { waiting[name]!.append($0) }
    }

    private func leave(_ name: String) {
        guard let others = waiting[name], let next = others.first else {
            waiting[name] = nil
            return
        }
        waiting[name]!.removeFirst()
        next.resume()
    }
}
