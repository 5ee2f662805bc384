import Synchronization
import Units

/// A bounded queue of messages from any thread to one, which is woken through its waker.
///
/// Two arrays change places: senders append to one under a mutex, the receiver takes it whole and
/// leaves its own empty one. Nothing is allocated once both have reached their size, and nobody
/// spins. Full means: `send` answers false and the sender keeps the message (push-back).
public final class Mailbox<Message: Sendable>: Sendable {
    @usableFromInline
    struct Queue: Sendable {
        @usableFromInline var messages: [Message]
        @usableFromInline var isClosed = false

        @inlinable init(messages: [Message]) { self.messages = messages }
    }

    public let capacity: Int
    @usableFromInline let waker: Waker
    @usableFromInline let queue: Mutex<Queue>

    /// - Parameter capacity: messages that may wait; above zero.
    @inlinable public init(capacity: Int, waker: Waker) {
        require(capacity > 0, "a mailbox for \(capacity) messages")
        self.capacity = capacity
        self.waker = waker
        var messages: [Message] = []
        messages.reserveCapacity(capacity)
        queue = Mutex(Queue(messages: messages))
    }

    /// Queues a message and wakes the receiver; false when the mailbox is full or closed.
    @inlinable public func send(_ message: Message) -> Bool {
        let (accepted, first) = queue.withLock { queue in
            guard !queue.isClosed, queue.messages.count < capacity else { return (false, false) }
            queue.messages.append(message)
            return (true, queue.messages.count == 1)
        }
        if first { waker.wake() }
        return accepted
    }

    /// Takes everything that waits, in the order of sending.
    ///
    /// - Parameter messages: an empty array that keeps its capacity from one call to the next;
    ///   the caller empties it with `removeAll(keepingCapacity: true)` when it has read it.
    @inlinable public func receive(into messages: inout [Message]) {
        require(messages.isEmpty, "a mailbox's messages would be lost: \(messages.count)")
        messages.reserveCapacity(capacity)
        queue.withLock { swap(&$0.messages, &messages) }
    }

    /// Refuses messages from now on and wakes the receiver; what waits can still be received.
    @inlinable public func close() {
        queue.withLock { $0.isClosed = true }
        waker.wake()
    }

    @inlinable public var isClosed: Bool { queue.withLock { $0.isClosed } }
}
