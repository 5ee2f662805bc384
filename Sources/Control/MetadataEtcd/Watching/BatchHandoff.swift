import Metadata
import Synchronization

/// Hands batches from the task that follows etcd to the one that reads the watch, one at a time: a
/// reader that is slow slows the task down, and etcd keeps what is to come.
final class BatchHandoff: Sendable {
    private struct State {
        var batch: ChangeBatch?
        var end: Result<Void, MetadataError>?
        var reader: CheckedContinuation<Void, Never>?
        var writer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Waits until the batch before it has been taken. False when the task was cancelled before
    /// that. For one task only, like `next`.
    func give(_ batch: ChangeBatch) async -> Bool {
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                let (isGiven, reader) = state.withLock { state in
                    guard state.batch == nil, state.end == nil else {
                        return (state.end != nil, nil as CheckedContinuation<Void, Never>?)
                    }
                    state.batch = batch
                    return (true, state.reader.take())
                }
                reader?.resume()
                if isGiven { return true }
                await waitForRoom()
            }
            return false
        } onCancel: {
            state.withLock { $0.writer.take() }?.resume()
        }
    }

    /// Nothing follows after what was given.
    func finish(_ end: Result<Void, MetadataError>) {
        let (reader, writer) = state.withLock { state in
            state.end = state.end ?? end
            return (state.reader.take(), state.writer.take())
        }
        reader?.resume()
        writer?.resume()
    }

    /// The next batch; nil at the end, and when the task is cancelled.
    func next() async throws(MetadataError) -> ChangeBatch? {
        while !Task.isCancelled {
            let (batch, end, writer) = state.withLock { state in
                (state.batch.take(), state.end, state.writer.take())
            }
            writer?.resume()
            if let batch { return batch }
            if let end {
                try end.get()
                return nil
            }
            await waitForBatch()
        }
        return nil
    }

    private func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                // A cancellation handler that has already run found nobody to wake.
                guard state.batch != nil, state.end == nil, !Task.isCancelled else { return false }
                state.writer = continuation
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    private func waitForBatch() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.batch == nil, state.end == nil, !Task.isCancelled else {
                        return false
                    }
                    state.reader = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume()
        }
    }
}
