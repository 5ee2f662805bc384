import Foundation

/// The files of the project, as git knows them.
enum Repository {
    static let root: String = {
        let here = #filePath
        return String(here[..<here.range(of: "/Tests/RepositoryTests/")!.lowerBound])
    }()

    /// Paths from the root on. Without git, in an unpacked archive, everything but the build.
    static let files: [String] = {
        guard let listing = try? output("git", "-C", root, "ls-files") else { return walked() }
        let tracked = listing.split(separator: "\n").map(String.init).filter { exists($0) }
        return tracked.isEmpty ? walked() : tracked
    }()

    static var sources: [String] { files.filter { $0.hasSuffix(".swift") } }

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(root)/\(path)")
    }

    private static func walked() -> [String] {
        let found = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return found.filter { path in
            var isFolder: ObjCBool = false
            FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
            return !isFolder.boolValue && !path.hasPrefix(".build") && !path.hasPrefix(".git/")
        }
    }

    struct Failure: Error, CustomStringConvertible { var description: String }

    static func output(_ words: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(words): exit status \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
