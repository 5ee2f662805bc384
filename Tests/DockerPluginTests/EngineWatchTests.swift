import Control
import Testing

@testable import DockerPlugin

@Suite struct EngineWatchTests {
    /// Looks as (sign, seconds after the one before), and what they tell in the end.
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var looks: [(EngineSign, Double)]
        var life: EngineLife
    }

    @Test(arguments: [
        Case(testDescription: "nobody has looked", looks: [], life: .lives),
        Case(testDescription: "there", looks: [(.there, 0)], life: .lives),
        Case(testDescription: "just gone", looks: [(.there, 0), (.absent, 1)], life: .missing),
        Case(
            testDescription: "not yet gone",
            looks: [(.there, 0), (.absent, 1), (.absent, 1.9)], life: .missing),
        Case(
            testDescription: "gone", looks: [(.there, 0), (.absent, 1), (.absent, 2)],
            life: .gone),
        Case(
            testDescription: "back", looks: [(.absent, 0), (.absent, 3), (.there, 1)],
            life: .lives),
        Case(
            testDescription: "back for a moment",
            looks: [(.absent, 0), (.there, 1), (.absent, 1), (.absent, 1)], life: .missing),
        Case(
            testDescription: "who knows", looks: [(.absent, 0), (.absent, 3), (.unclear, 1)],
            life: .lives),
        Case(
            testDescription: "not looked at for long",
            looks: [(.absent, 0), (.absent, 5.1)], life: .missing),
    ])
    func looksTell(_ one: Case) {
        var watch = EngineWatch()
        var now = 1_000.0
        for (sign, after) in one.looks {
            now += after
            watch.note(sign, at: now)
        }
        #expect(watch.life(wasThere: true) == one.life)
        #expect(watch.life(wasThere: false) == .lives)
    }
}
