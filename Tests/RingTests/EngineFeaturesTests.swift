import Testing

@testable import Ring

@Suite struct EngineFeaturesTests {
    @Test func autoTakesTheBestThereIs() throws {
        let both = EngineFeatures(uring: [.singleIssuer], aio: true, missing: [])
        #expect(try both.plan(for: .auto) == .uring([.singleIssuer]))
        #expect(try both.plan(for: .uring) == .uring([.singleIssuer]))
        #expect(try both.plan(for: .aio) == .aio)
        let second = EngineFeatures(uring: nil, aio: true, missing: [])
        #expect(try second.plan(for: .auto) == .aio)
    }

    @Test func whatIsNotThereIsRefusedWithTheReason() {
        let missing = EngineFeatures.Missing(name: "io_uring", cost: "switched off")
        let none = EngineFeatures(uring: nil, aio: false, missing: [missing])
        for kind in EngineKind.allCases {
            #expect(throws: RingError.self) { try none.plan(for: kind) }
        }
        let error = #expect(throws: RingError.self) { try none.plan(for: .uring) }
        #expect(error?.description == "the engine cannot use io_uring: switched off")
    }

    @Test func eachMissingFeatureOfThisMachineSaysWhatItCosts() {
        let features = EngineFeatures.probe()
        for missing in features.missing {
            print("missing here: \(missing)")
            #expect(!missing.cost.isEmpty)
            #expect(!missing.description.contains("\n"))
        }
        let all: [UringFeatures] = [.singleIssuer, .deferredTaskWork, .registeredBuffers,
                                    .bootClockDeadlines, .idleWithoutIOWait]
        if let uring = features.uring {
            #expect(features.missing.filter { $0.name != "libaio" }.count
                == all.filter { !uring.contains($0) }.count)
        }
    }
}
