import Testing

@testable import Ring

@Suite struct OperationTagTests {
    @Test func partsComeBackAsTheyWentIn() {
        for (kind, index, generation) in [
            (UInt8(0), UInt32(0), UInt32(0)), (7, 123_456, 789),
            (OperationTag.kindMax, .max, OperationTag.generationMax),
        ] {
            let tag = OperationTag(kind: kind, index: index, generation: generation)
            #expect(tag.kind == kind)
            #expect(tag.index == index)
            #expect(tag.generation == generation)
            #expect(!tag.isOfRing)
            #expect(OperationTag(rawValue: tag.rawValue) == tag)
        }
    }

    @Test func generationsWrapAround() {
        let tag = OperationTag(kind: 1, index: 2, generation: OperationTag.generationMax + 1)
        #expect(tag == OperationTag(kind: 1, index: 2, generation: 0))
    }

    @Test func theRingsOwnTagsAreItsOwn() {
        #expect(OperationTag.wake.isOfRing)
        #expect(OperationTag.cancellation.isOfRing)
        #expect(OperationTag.wake != OperationTag.cancellation)
    }
}
