import CFiles
import DriveFormat
import Glibc
import Units

/// A drive: a directory that a node gives to the pool.
///
///     <drive>/cio-drive                    whose it is (DriveIdentity)
///     <drive>/replicas/<volume id>/        a replica: data, checksums, regions, state
///     <drive>/replicas/creating-<replica>  not a replica yet
///     <drive>/replicas/deleting-<replica>  not one any more
///
/// Whatever else lies in the directory is not touched. Its functions block.
public struct Drive: Sendable, Hashable {
    public let path: String
    public let identity: DriveIdentity

    public enum Filesystem: Sendable, Hashable {
        case xfs
        /// Without snapshots, and with volumes up to 16 TiB.
        case ext4
        case other(magic: UInt64)
    }

    private init(path: String, identity: DriveIdentity) {
        self.path = path
        self.identity = identity
    }

    var replicasPath: String { path + "/replicas" }

    /// Where the volume's replica lies, if there is one.
    public func directory(of volume: VolumeID) -> String { replicasPath + "/" + volume.text }

    // MARK: Creating and opening

    /// Makes the directory a drive of the cluster. It is there already, or its parent is.
    /// - Throws: for one that is a drive already, or that holds `replicas` of unknown origin.
    public static func create(
        at path: String, _ identity: DriveIdentity
    ) throws(DriveError) -> Drive {
        try Folder.make(path)
        let drive = Drive(path: path, identity: identity)
        let file = path + "/" + DriveIdentity.fileName
        guard try !Folder.exists(file) else {
            throw .foreign(path: path, reason: "it is a drive already")
        }
        if try Folder.exists(drive.replicasPath), try !Folder.names(in: drive.replicasPath).isEmpty
        {
            throw .foreign(path: path, reason: "it holds replicas, and does not say whose")
        }
        try Folder.make(drive.replicasPath)
        // The identity comes last: what has none yet is made again from the start.
        let unfinished = file + ".new"
        try drive.writeIdentity(to: unfinished)
        try Folder.rename(unfinished, to: file)
        return drive
    }

    private func writeIdentity(to path: String) throws(DriveError) {
        let file = try File(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        let text = Array(identity.text.utf8)
        try file.write(text.count, at: 0, from: text)
        try file.sync()
    }

    /// - Parameter cluster: whose drive it has to be; nil accepts any cluster's.
    /// - Throws: `missing` for a directory that is no drive yet.
    public static func open(
        at path: String, of cluster: ClusterID? = nil
    ) throws(DriveError) -> Drive {
        let file = path + "/" + DriveIdentity.fileName
        let bytes = try File(file, O_RDONLY).readAll(DriveIdentity.fileBytesMax)
        let identity: DriveIdentity
        do { identity = try DriveIdentity(bytes) } catch { throw .refused(path: file, error) }
        if let cluster, identity.cluster != cluster {
            throw .otherCluster(path: path, found: identity.cluster)
        }
        let drive = Drive(path: path, identity: identity)
        guard try Folder.exists(drive.replicasPath) else {
            throw .missing(path: drive.replicasPath)
        }
        return drive
    }

    // MARK: Figures

    public func filesystem() throws(DriveError) -> Filesystem {
        let magic = cio_filesystem_magic(path)
        guard magic >= 0 else { throw .last("statfs", path) }
        return switch magic {
        case Int(cio_xfs_magic): .xfs
        case Int(cio_ext4_magic): .ext4
        default: .other(magic: UInt64(magic))
        }
    }

    /// What the filesystem holds at all, and what is left for cio.
    public func space() throws(DriveError) -> (total: ByteCount, free: ByteCount) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw .last("statvfs", path) }
        let unit = UInt64(status.f_frsize)
        return (
            ByteCount(UInt64(status.f_blocks) * unit), ByteCount(UInt64(status.f_bavail) * unit)
        )
    }
}
