/// Bounds of the plugin, and the times that it goes by.
enum Limits {
    /// The largest body of a call. Docker's own have some hundred bytes.
    static let bodyBytesMax = 64 << 10
    /// Calls that change something, answered at a time. Those above get an error at once; Docker
    /// itself has a few under way. Calls that only read never wait, and are not counted.
    static let changesMax = 512
    /// Docker chooses ids of 64 digits.
    static let idBytesMax = 256
    /// References to one volume at a time.
    static let referencesMax = 10_000

    /// A call that changes something is answered within this time, or with an error: Docker hangs
    /// up after 120 s. (It waits for 60 s for those that only read; they never wait here.)
    static let answer = Duration.seconds(110)
    /// Of that, for a volume to get here and be mounted.
    static let bring = Duration.seconds(100)
    /// Until a node that has just started has read the cluster's records.
    static let informed = Duration.seconds(10)
    /// What an Unmount waits for until the volume is really off; it goes on.
    static let letGo = Duration.seconds(10)
    /// Until the kernel has cleared away the mounts of a container that has ended.
    static let containerGone = Duration.seconds(3)

    /// Docker is missing for this long before it counts as gone. A Swarm finds out after three
    /// heartbeats at the earliest, so that this time is over when it asks.
    static let engineGone = Duration.seconds(2)
    /// Between two looks whether Docker is there, while it has containers with volumes ...
    static let engineLook = Duration.seconds(1)
    /// ... and looks that lie further apart tell nothing of the time between.
    static let engineLookGap = Duration.seconds(5)

    /// Between two looks for references that nobody holds any more.
    static let upkeep = Duration.seconds(5)
    /// A container has a mount of its own only some time after the answer to Mount; Docker's list
    /// shows it as running later still. A reference this young is never taken for a ghost ...
    static let youth = Duration.seconds(20)
    /// ... and one this young not where Docker's list cannot be had: after that time Docker
    /// itself has given up whatever it was doing.
    static let youthWithoutList = Duration.seconds(130)
    /// Containers may start one after the other without a pause; a reference of this age is looked
    /// at all the same.
    static let age = Duration.seconds(600)

    /// Between two looks at the nodes of the Swarm.
    static let labelling = Duration.seconds(10)
    /// How long a node has been without a living `ciod` before its label says so: longer than a
    /// restart or an upgrade takes, as a Swarm takes tasks away from where they do not fit.
    static let labelPatience = Duration.seconds(30)
    /// Looks at once, where others change nodes at the same time.
    static let labelAttempts = 3
}
