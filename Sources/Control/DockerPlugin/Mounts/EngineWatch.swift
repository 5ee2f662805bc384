import Control

/// What one look at Docker's socket tells.
enum EngineSign: Sendable {
    case there
    case absent
    case unclear
}

/// Whether Docker is there, from looks at its socket one after the other.
///
/// A socket that was never seen to be Docker's tells nothing when it is not there: Docker may
/// listen elsewhere.
struct EngineWatch: Equatable, Sendable {
    private var absentSince: Double?
    private var lookedAt = -Double.infinity

    /// Times in seconds since boot.
    mutating func note(_ sign: EngineSign, at now: Double) {
        let isContinued = now - lookedAt <= GhostFinder.seconds(Limits.engineLookGap)
        lookedAt = now
        guard sign == .absent else {
            absentSince = nil
            return
        }
        if absentSince == nil || !isContinued { absentSince = now }
    }

    /// - Parameter wasThere: it has been seen at this socket since the machine was booted.
    func life(wasThere: Bool) -> EngineLife {
        guard wasThere, let absentSince else { return .lives }
        let isGone = lookedAt - absentSince >= GhostFinder.seconds(Limits.engineGone)
        return isGone ? .gone : .missing
    }
}
