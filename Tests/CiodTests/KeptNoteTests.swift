import Testing
import Units

@testable import ciod

@Suite struct KeptNoteTests {
    @Test func aNoteIsReadBackAsItWasWritten() {
        let note = KeptNote(volume: VolumeID(high: 1, low: 2), connection: 77)
        #expect(KeptNote(note.text) == note)
        #expect(note.text.utf8.count < 192)
    }

    @Test(arguments: ["", "1", "1 x 3", "2 00000000000000010000000000000002 3",
        "1 00000000000000010000000000000002 -3", "1 00000000000000010000000000000002 3 4"])
    func anythingElseIsNotTakenForOne(text: String) { #expect(KeptNote(text) == nil) }

    @Test func aDiskIsKnownByItsNumber() {
        #expect(KeptNote.name(of: "/run/cio/disks/vd12") == "vd12")
        #expect(KeptNote.vdisk("vd12") == 12)
        #expect(KeptNote.vdisk("sd1") == nil && KeptNote.vdisk("vdx") == nil)
    }
}
