import Testing

@testable import DockerPlugin

@Suite struct ReferenceSetTests {
    @Test func theSameIdCountsOnce() {
        var set = ReferenceSet(boot: "b")
        let first = set.insert("1", of: "v", named: "db", isBrought: true, at: 1)
        let again = set.insert("1", of: "v", named: "db", isBrought: false, at: 2)
        #expect(first && !again)
        #expect(set.volumes["v"]?.ids == ["1": 2])
        // What brought it here does not change with later users.
        #expect(set.volumes["v"]?.isBrought == true)
    }

    @Test func anIdThatIsNotThereIsNotRemoved() {
        var set = ReferenceSet(boot: "b")
        set.insert("1", of: "v", named: "db", isBrought: false, at: 1)
        let removed = [("2", "v"), ("1", "w"), ("1", "v"), ("1", "v")].map { id, volume in
            set.remove(id, of: volume)
        }
        #expect(removed == [false, false, true, false])
        #expect(set.isEmpty)
    }

    @Test func aVolumeThatWasBroughtIsRememberedUntilItHasLeft() {
        var set = ReferenceSet(boot: "b")
        set.insert("1", of: "v", named: "db", isBrought: true, at: 1)
        set.remove("1", of: "v")
        #expect(!set.isUsed("v"))
        #expect(set.volumes["v"]?.isBrought == true)
        set.leave("v")
        #expect(set.isEmpty)
    }

    @Test func aVolumeInUseIsNotForgottenByLeaving() {
        var set = ReferenceSet(boot: "b")
        set.insert("1", of: "v", named: "db", isBrought: true, at: 1)
        set.leave("v")
        #expect(set.isUsed("v"))
        #expect(set.used == ["v"])
        let forgotten = set.forget("v")
        #expect(forgotten == 1)
        #expect(set.used.isEmpty)
    }

    @Test func volumesAreFoundByTheirNames() {
        var set = ReferenceSet(boot: "b")
        set.insert("1", of: "v", named: "db", isBrought: true, at: 1)
        set.insert("2", of: "w", named: "db", isBrought: true, at: 1)
        set.insert("3", of: "x", named: "web", isBrought: true, at: 1)
        #expect(set.volumes(named: "db") == ["v", "w"])
        #expect(set.volumes(named: "none").isEmpty)
    }
}
