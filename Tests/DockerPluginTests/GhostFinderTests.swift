import Testing

@testable import DockerPlugin

@Suite struct GhostFinderTests {
    private func ghosts(
        _ ids: [String: Double] = ["1": 0], namespaces: Set<String> = [], listed: Bool?,
        quietSince: Double? = 0, now: Double
    ) -> [String] {
        GhostFinder.ghosts(
            among: ids,
            seen: GhostFinder.Sightings(namespaces: namespaces, isListed: listed),
            quietSince: quietSince, now: now)
    }

    @Test func aReferenceThatNobodyHoldsIsAGhost() {
        #expect(ghosts(listed: false, now: 20) == ["1"])
        #expect(ghosts(["1": 0, "2": 1], listed: false, now: 30) == ["1", "2"])
    }

    @Test func aContainerHasTimeToStart() {
        #expect(ghosts(listed: false, now: 19).isEmpty)
        #expect(ghosts(["1": 0, "2": 15], listed: false, now: 30) == ["1"])
    }

    @Test func aContainerStartsAfterTheLastOfItsVolumes() {
        #expect(ghosts(listed: false, quietSince: nil, now: 300).isEmpty)
        #expect(ghosts(listed: false, quietSince: 290, now: 300).isEmpty)
        #expect(ghosts(listed: false, quietSince: 280, now: 300) == ["1"])
        #expect(ghosts(listed: false, quietSince: nil, now: 600) == ["1"])
    }

    @Test func whoIsListedOrSeenIsNone() {
        #expect(ghosts(listed: true, now: 1_000).isEmpty)
        #expect(ghosts(namespaces: ["4026"], listed: false, now: 1_000).isEmpty)
        #expect(ghosts(namespaces: ["4026"], listed: nil, now: 1_000).isEmpty)
    }

    @Test func withoutDockersListItTakesLonger() {
        #expect(ghosts(listed: nil, now: 129).isEmpty)
        #expect(ghosts(listed: nil, now: 130) == ["1"])
    }

    @Test func aNamespaceThatHasGoneFreesItsOwnReference() {
        let ids = ["found:1": 0.0, "found:2": 0, "3": 0]
        #expect(ghosts(ids, namespaces: ["2"], listed: nil, now: 1) == ["found:1"])
    }
}
