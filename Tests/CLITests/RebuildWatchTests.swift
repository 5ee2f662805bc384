import API
import Testing

@testable import CLI

@Suite struct RebuildWatchTests {
    @Test func aVolumeWithAllCopiesInSyncIsFinished() {
        #expect(RebuildWatch.progress(of: Samples.portainer, target: nil) == .finished)
    }

    @Test func aRebuildUnderWayIsNotFinished() {
        var volume = Samples.portainer
        volume.rebuild = Samples.rebuild(done: 1, of: 2)
        #expect(RebuildWatch.progress(of: volume, target: nil) == .running(volume.rebuild!))
    }

    @Test func theTargetHasToHoldACopyInSync() {
        let progress = RebuildWatch.progress(of: Samples.portainer, target: "v4")
        #expect(progress == .waiting("no rebuild has begun yet"))
        #expect(RebuildWatch.progress(of: Samples.portainer, target: "v1") == .finished)
    }

    @Test func aSurplusCopyHasToBeGivenBack() {
        var volume = Samples.portainer
        volume.copies.append(Samples.copy(on: "v4"))
        volume.copiesInSync = 3
        #expect(RebuildWatch.progress(of: volume, target: "v4") != .finished)
    }

    @Test func aVolumeThatWaitsSaysForWhat() {
        var volume = Samples.portainer
        volume.copiesInSync = 1
        volume.wait = WaitView(forWhat: "free space", since: nil, endsWith: "a new drive")
        let progress = RebuildWatch.progress(of: volume, target: nil)
        #expect(progress == .waiting("waits for free space; ends with a new drive"))
    }

    @Test(arguments: [(UInt64(0), "[..........]"), (50, "[#####.....]"), (100, "[##########]")])
    func theBarShowsTheShareThatIsDone(done: UInt64, bar: String) {
        #expect(RebuildLine.bar(Samples.rebuild(done: done, of: 100), width: 10) == bar)
    }

    @Test func oneHundredPercentMeansAll() {
        #expect(RebuildLine.percent(Samples.rebuild(done: 999, of: 1000)) == 99)
        #expect(RebuildLine.percent(Samples.rebuild(done: 0, of: 0)) == 0)
    }

    @Test func aLogGetsALineForEveryTenthOnly() {
        let volume = Samples.portainer
        let lines = (0...100).map {
            RebuildWatch.line(
                .running(Samples.rebuild(done: $0, of: 100)), volume, onTerminal: false)
        }
        #expect(Set(lines).count == 11)
    }
}
