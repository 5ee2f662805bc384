// swift-tools-version: 6.2
import PackageDescription

// Modules point one way: Foundations <- Logic <- Engine, and Foundations <- Logic <- Control.
// Engine and Control never import each other; the executables join them. A repository test
// (Tests/RepositoryTests) holds this table against `swift package describe`.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

func module(_ name: String, _ group: String, _ dependencies: [Target.Dependency] = [],
            memory: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(group)/\(name)",
            swiftSettings: strict + memory)
}

func cModule(_ name: String, links: [String] = []) -> Target {
    .target(name: name, path: "CModules/\(name)", cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: links.map { .linkedLibrary($0) })
}

/// Headers only: a library of the system, or the kernel's interface.
func systemModule(_ name: String, package: String) -> Target {
    .systemLibrary(name: name, path: "CModules/\(name)", providers: [.apt([package])])
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/Executables/\(name)",
                      swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)")
}

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nio: [Target.Dependency] = ["NIOCore", "NIOHTTP1", "NIOFoundationEssentialsCompat"].map {
    .product(name: $0, package: "swift-nio")
}
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "cio",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.99.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        cModule("CChecksum"),
        module("Units", "Foundations"),
        module("WireFormat", "Foundations", ["Units", "CChecksum"]),
        tests("WireFormatTests", ["WireFormat", "Units"]),
        module("DriveFormat", "Foundations", ["Units", "WireFormat", "CChecksum"]),
        tests("DriveFormatTests", ["DriveFormat", "Units", "CChecksum"]),
        module("Records", "Foundations", ["Units"]),
        module("EngineCommands", "Foundations", ["Units", "WireFormat", "Records"]),
        module("Replication", "Logic", ["Units", "WireFormat", "Records"]),
        module("Scheduling", "Logic", ["Units", "Records"]),
        tests("SchedulingTests", ["Scheduling", "Records", "Units"]),
        tests("ReplicationTests", ["Replication", "Records", "Units", "WireFormat"]),
        tests("SimulationTests", ["Simulation", "Replication"]),
        module("Simulation", "Logic",
               ["Units", "WireFormat", "Records", "Replication", "Scheduling"]),
        program("cio-simulate", ["Simulation", "Replication", arguments]),
        module("API", "Control"),
        module("Profiles", "Control", [yams]),
        tests("ProfilesTests", ["Profiles"]),
        module("Control", "Control",
               ["API", "Profiles", "Metadata", "Scheduling", "Units", "Records", "EngineCommands", logging]),
        module("RESTServer", "Control", ["API", "Control", hummingbird, logging, lifecycle]),
        tests("ControlTests",
              ["Control", "API", "Metadata", "Records", "EngineCommands", "Units", logging]),
        module("DockerPlugin", "Control",
               ["API", "Control", hummingbird, httpClient, logging, lifecycle,
                .product(name: "HummingbirdCore", package: "hummingbird")] + nio
                   + [.product(name: "NIOPosix", package: "swift-nio")]),
        tests("DockerPluginTests", ["DockerPlugin", "API", "Control", logging, lifecycle]),
        tests("RESTServerTests", ["RESTServer", "API", "Control"]),
        module("Metadata", "Control"),
        module("MetadataSQLite", "Control", ["Metadata", grdb]),
        module("MetadataEtcd", "Control", ["Metadata", httpClient, nioPosix] + nio),
        module("APIClient", "Control", ["API", httpClient] + nio),
        module("Playground", "Control", ["API", "APIClient", "MetadataEtcd"]),
        module("CLI", "Control", ["API", "APIClient", "Playground", arguments]),
        tests("CLITests", ["CLI", "APIClient", "API", arguments, "Playground"]),
        tests("PlaygroundTests", ["Playground", "API"]),
        tests("RepositoryTests", []),
        program("ciod",
                ["API", "BlockDevices", "Control", "DockerPlugin", "DriveFormat", "DriveStore",
                 "Engine", "EngineCommands", "FUSEProtocol", "Metadata", "MetadataEtcd",
                 "MetadataSQLite", "Records", "RESTServer", "Ring", "CFiles", "Units", arguments,
                 logging, lifecycle, signals]),
        module("CopyComparison", "Engine", ["DriveFormat", "WireFormat", "Units"]),
        tests("CopyComparisonTests", ["CopyComparison", "DriveFormat", "WireFormat", "Units"]),
        program("cio-compare", ["CopyComparison", arguments]),
        program("cio-bench", [arguments]),
        tests("CiodTests", ["ciod", "BlockDevices", "MetadataEtcd", "Records"]),
        program("cio", ["CLI", "Playground", "API", "BlockDevices", arguments]),
        .executableTarget(name: "metadata-test-process", dependencies: ["MetadataSQLite", grdb],
                          path: "Tests/MetadataTestProcess", swiftSettings: strict),
        tests("MetadataTests",
              ["Metadata", "MetadataEtcd", "MetadataSQLite", "metadata-test-process", grdb]),
        cModule("CBlockDevices"),
        // In C, static, without Swift's runtime: it stays in memory while a volume is in use.
        .executableTarget(name: "cio-holder", dependencies: ["CBlockDevices"],
                          path: "Sources/Executables/cio-holder",
                          cSettings: [.unsafeFlags(["-O2"])],
                          linkerSettings: [.unsafeFlags(
                            ["-static-executable", "-nostartfiles"])]),
        module("NBDProtocol", "Engine", ["Units"], memory: [.strictMemorySafety()]),
        module("FUSEProtocol", "Engine", ["Units", "CBlockDevices"],
               memory: [.strictMemorySafety()]),
        module("BlockDevices", "Engine", ["FUSEProtocol", "CBlockDevices"]),
        tests("NBDProtocolTests", ["NBDProtocol"]),
        tests("FUSEProtocolTests", ["FUSEProtocol", "CBlockDevices"]),
        tests("BlockDevicesTests", ["BlockDevices", "FUSEProtocol", "Units"]),
        systemModule("CURing", package: "liburing-dev"),
        systemModule("CAio", package: "linux-libc-dev"),
        module("Ring", "Engine", ["Units", "CURing", "CAio"], memory: [.strictMemorySafety()]),
        tests("ChecksumTests", ["CChecksum"]),
        tests("RingTests", ["Ring", "Units"]),
        systemModule("CFiles", package: "libc6-dev"),
        module("DriveStore", "Engine",
               ["Units", "WireFormat", "DriveFormat", "Replication", "CFiles"]),
        module("Engine", "Engine",
               ["Units", "WireFormat", "Records", "EngineCommands", "Replication", "NBDProtocol",
                "FUSEProtocol", "Ring", "DriveFormat", "DriveStore", "CChecksum", "CBlockDevices"]),
        tests("EngineTests",
              ["Engine", "EngineCommands", "BlockDevices", "DriveStore", "DriveFormat", "Records",
               "Replication", "Ring", "Units", "WireFormat"]),
        tests("DriveStoreTests",
              ["DriveStore", "DriveFormat", "Replication", "WireFormat", "Units"]),
    ]
)
