import Testing

@testable import BlockDevices

@Suite struct MountTableTests {
    @Test func linesAreRead() {
        let line: Substring =
            "36 35 98:7 /mnt1 /mnt/a\\040b rw,noatime master:1 shared:2 - ext3 /dev/root rw"
        #expect(
            MountTable.entry(line)
                == MountEntry(
                    mountPoint: "/mnt/a b", filesystem: "ext3", source: "/dev/root", major: 98,
                    minor: 7))
        #expect(MountTable.entry("40 35 0:52 / /d rw - fuse cio rw")?.source == "cio")
    }

    @Test(arguments: [
        "", "36 35", "36 35 98:0 / /m rw ext3 /dev/root rw", "36 35 98 / /m rw - ext3 x rw",
        "36 35 a:b / /m rw - ext3 x rw", "36 35 98:0 / /m rw -", "36 35 98:0 / /m rw - ext3",
        "- - - - - - - -",
    ])
    func otherLinesAreNot(line: Substring) {
        #expect(MountTable.entry(line) == nil)
    }

    @Test(arguments: [
        ("plain", "plain"), ("\\040", " "), ("a\\134b\\011", "a\\b\t"), ("\\04", "\\04"),
        ("\\999", "\\999"), ("\\", "\\"), ("\\303\\251", "é"), ("\\777", "\\777"),
    ])
    func escapesAreUndone(field: String, text: String) {
        #expect(MountTable.unescaped(field[...]) == text)
    }

    @Test func foldersEndAtTheSlash() {
        #expect(isPath("/a/b", under: "/a"))
        #expect(isPath("/a", under: "/a"))
        #expect(isPath("/a", under: "/"))
        #expect(!isPath("/ab", under: "/a"))
        #expect(!isPath("/", under: "/a"))
    }

    @Test func theRootIsMounted() throws {
        #expect(try MountTable.entry(at: "/") != nil)
    }
}
