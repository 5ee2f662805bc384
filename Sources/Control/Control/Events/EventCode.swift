import Records

/// What an event is about. Codes below 1100, 2100 and 3100 are those that users of the interface
/// know, as is their wording; the others are cio's own (docs/operations.md lists them all).
enum EventCode: Int, CaseIterable, Sendable {
    case nodeWillExit = 1002
    case rebuilding = 1003
    case volumeCreated = 1009
    case volumeRemoved = 1011
    case volumeExpanded = 1010
    case failoverCompleted = 1019
    case rebuildCompleted = 1020

    case nodeJoined = 1101
    case nodeBack = 1102
    case roleMoved = 1103
    case ownerChanged = 1104
    case replicaJoined = 1105
    case replicaFreed = 1106
    case replicaAdded = 1107
    case filesystemMade = 1108
    case volumeAdded = 1109
    case volumeDeleted = 1110
    case waitEnded = 1111
    case reconciled = 1112
    case replicaDeleted = 1113
    case leadTaken = 1114
    case blocksRepaired = 1115
    case volumeGoesOn = 1120

    case nodeLost = 2101
    case replicaLeft = 2102
    case lockedOut = 2103
    case volumeWaits = 2104
    case insecureNetwork = 2105
    case unknownReplica = 2106
    case rebuildFailed = 2107
    case volumeIsOpen = 2108
    case leftovers = 2109
    case driveFilling = 2110
    case filesystemNotGrown = 2111
    case keptDeviceRemoved = 2112
    case mountTornDown = 2120
    case usersGone = 2121
    case takenFromUsers = 2122

    case volumeStopped = 3101
    case checksumMismatch = 3102
    case replicaFailed = 3103
    case cannotAttach = 3104
    case unflushedWritesLost = 3105
    case replicaMissing = 3106

    var category: EventRecord.Category {
        switch rawValue / 1000 {
        case 1: .info
        case 2: .warning
        default: .alert
        }
    }

    /// Rebuild lines carry no module.
    var module: String? {
        switch self {
        case .rebuilding, .rebuildCompleted, .rebuildFailed: nil
        default: "DFS"
        }
    }
}
