/// Which engine to use, as an operator says it (`--engine`).
public enum EngineKind: String, CaseIterable, Sendable {
    /// io_uring where it works, otherwise libaio.
    case auto
    case uring
    case aio
}

/// The engine that a `Ring` is made with.
public enum EnginePlan: Sendable, Equatable {
    case uring(UringFeatures)
    case aio

    public var kind: EngineKind {
        switch self {
        case .uring: .uring
        case .aio: .aio
        }
    }
}

/// What newer kernels' io_uring offers beyond that of kernel 6.0; each one can be done without.
public struct UringFeatures: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let singleIssuer = UringFeatures(rawValue: 1 << 0)
    public static let deferredTaskWork = UringFeatures(rawValue: 1 << 1)
    public static let registeredBuffers = UringFeatures(rawValue: 1 << 2)
    public static let bootClockDeadlines = UringFeatures(rawValue: 1 << 3)
    public static let idleWithoutIOWait = UringFeatures(rawValue: 1 << 4)
}

/// What this machine offers to the engine, found out by trying.
public struct EngineFeatures: Sendable {
    /// A feature that is not there.
    public struct Missing: Sendable, Equatable, CustomStringConvertible {
        public var name: String
        /// Why it is missing, where that is known, and what its absence costs.
        public var cost: String

        public var description: String { "\(name): \(cost)" }
    }

    /// nil where io_uring cannot be used at all.
    public var uring: UringFeatures?
    public var aio: Bool
    /// In order of weight, one line each.
    public var missing: [Missing]

    public static func probe() -> EngineFeatures {
        var features = EngineFeatures(uring: nil, aio: false, missing: [])
        features.probeUring()
        features.probeAio()
        return features
    }

    /// The engine for an operator's choice.
    public func plan(for kind: EngineKind) throws(RingError) -> EnginePlan {
        switch kind {
        case .uring:
            guard let uring else { throw unusable("io_uring") }
            return .uring(uring)
        case .aio:
            guard aio else { throw unusable("libaio") }
            return .aio
        case .auto:
            if let uring { return .uring(uring) }
            guard aio else { throw unusable("libaio") }
            return .aio
        }
    }

    private func unusable(_ name: String) -> RingError {
        let reason = missing.first { $0.name == name }?.cost ?? "not available"
        return RingError("the engine cannot use \(name)", code: 0, advice: reason)
    }
}
