import Testing

/// Seeds that stay: each once showed something, or runs through a story that is rare.
///
/// What a seed means hangs on every draw of random numbers: when the simulator's story is changed,
/// a seed tells another one. They are kept as runs that cost little, with what they first showed.
enum KeptSeeds {
    struct Seed: Sendable, CustomTestStringConvertible {
        var number: UInt64
        var story: String
        /// Whether drives rot: seeds from before they could are kept without.
        var rots: Bool
        var testDescription: String { "\(number): \(story)" }

        init(_ number: UInt64, _ story: String, rots: Bool = false) {
            self.number = number
            self.story = story
            self.rots = rots
        }
    }

    static let all: [Seed] =
        withRot + withTheScheduler + beforeTheScheduler.map { Seed($0, "failed while the owner was written") }

    private static let withRot = [
        Seed(125, "a takeover begins again, and what waited overtook its copies", rots: true),
        Seed(1849, "the same", rots: true),
        Seed(61526, "a rebuild was abandoned over a copy that also repaired its source", rots: true),
        Seed(64648, "the same", rots: true),
        Seed(573, "a read whose last replica had left waited for ever", rots: true),
        Seed(2007, "the same", rots: true),
    ]

    /// Found since takeover, parking and placement are the scheduler's own.
    private static let withTheScheduler = [
        Seed(4170, "a session that closes says `whole` again on a new link, or never ends"),
        Seed(9173, "the same, with another copy"),
        Seed(34197, "a takeover among machines that lost power, cut short: acknowledged writes went"),
        Seed(43094, "the last copy loses its writes while everything is read at the end"),
        Seed(30239, "a candidate loses power while the answer to its promotion is lost"),
        Seed(31239, "the same: writes were acknowledged without it"),
        Seed(57640, "the same, before the first flush"),
        Seed(60910, "the same, with one other copy"),
        Seed(67641, "the same, under a deep queue"),
        Seed(88525, "a connection breaks while its drive is as slow as a drive can be"),
    ]

    /// Each failed with an owner that was wrong at the time.
    private static let beforeTheScheduler: [UInt64] = [
        8, 9, 19, 23, 126, 165, 203, 250, 292, 423, 999, 1870, 3563, 5047, 5206, 5616, 8860, 9212,
        9841, 13856, 19467,
    ]
}
