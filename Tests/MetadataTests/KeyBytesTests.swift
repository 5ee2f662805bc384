import Metadata
import Testing

struct KeyBytesTests {
    @Test func keysCompareAsBytes() {
        #expect(KeyBytes("é") != KeyBytes("e\u{301}"))
        #expect(KeyBytes("Z") < KeyBytes("a"))
        #expect(KeyBytes("a") < KeyBytes("a\u{0}"))
        #expect(KeyBytes("\u{FFFD}") < KeyBytes("\u{10000}"))
        #expect(KeyBytes("e\u{301}").hasPrefix(KeyBytes("e")))
        #expect(!KeyBytes("é").hasPrefix(KeyBytes("e")))
    }

    @Test func aPrefixEndsAboveAllItsKeys() throws {
        for prefix in ["a", "a/", "é", "\u{10FFFF}", "\u{7F}"] {
            let end = try #require(KeyBytes(prefix).endOfPrefix)
            #expect(KeyBytes(prefix) < end)
            #expect(KeyBytes(prefix + "\u{10FFFF}\u{10FFFF}") < end)
            #expect(!end.hasPrefix(KeyBytes(prefix)))
        }
        #expect(KeyBytes("").endOfPrefix == nil)
        #expect(KeyBytes("a/").endOfPrefix == KeyBytes("a0"))
    }
}
