import Foundation
import GRDB
import Metadata
import MetadataSQLite

// One of several processes on one store, played for the tests in MetadataTests:
//
//   increment PATH KEY COUNT         add one COUNT times; a line "done N" after each answer
//   watch PATH PREFIX LAST           print every change until LAST is put: "REVISION KEY VALUE"
//   lease PATH KEY MILLISECONDS      put KEY under a lease, print "held", wait to be killed
//   hold PATH                        begin a write transaction, print "held", wait to be killed
//   idle PATH SECONDS WATCHES        do nothing but watch; print the CPU time used: "cpu SECONDS"

func say(_ line: String) {
    // Unbuffered: what was said before a SIGKILL was said.
    let bytes = Array("\(line)\n".utf8)
    guard write(STDOUT_FILENO, bytes, bytes.count) == bytes.count else { exit(3) }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func increment(_ store: SQLiteStore, _ key: String, _ count: Int) async throws {
    for _ in 0..<count {
        let retries = UpdateRetries(attemptsMax: 1_000)
        let stored = try await store.update(key, as: Int.self, retries: retries) { ($0 ?? 0) + 1 }
        guard let number = stored?.record else { exit(4) }
        say("done \(number)")
    }
}

func watch(_ store: SQLiteStore, _ prefix: String, until last: String) async throws {
    for try await batch in store.watch(prefix: prefix, after: .zero) {
        for change in batch.changes {
            if case .put(let entry) = change {
                say("\(entry.modRevision) \(entry.key) \(text(entry.value))")
            }
            if change.key == last { return }
        }
    }
}

func lease(_ store: SQLiteStore, _ key: String, _ milliseconds: Int) async throws {
    let lease = try await store.grantLease(ttl: .milliseconds(milliseconds))
    try await store.put(key, Array("held".utf8), lease: lease.id)
    say("held")
    try await Task.sleep(for: .seconds(600))
}

func hold(_ path: String) throws {
    try DatabaseQueue(path: path).writeWithoutTransaction { db in
        try db.beginTransaction(.immediate)
        say("held")
        sleep(600)
    }
}

func idle(_ store: SQLiteStore, _ seconds: Int, watches: Int) async throws {
    let watching = (0..<watches).map { index in
        Task {
            let watch = store.watch(prefix: "idle/\(index)/", after: .zero)
            for try await batch in watch where !batch.changes.isEmpty { exit(5) }
        }
    }
    _ = try await store.grantLease(ttl: .seconds(3_600))
    try await Task.sleep(for: .seconds(1))
    let before = cpuSeconds()
    try await Task.sleep(for: .seconds(seconds))
    say("cpu \(cpuSeconds() - before)")
    for watch in watching { watch.cancel() }
}

func cpuSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return Double(seconds) + Double(microseconds) / 1e6
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { exit(2) }
do {
    if arguments[1] == "hold" {
        try hold(arguments[2])
        exit(0)
    }
    let store = try await SQLiteStore.open(path: arguments[2])
    switch arguments[1] {
    case "increment": try await increment(store, arguments[3], Int(arguments[4])!)
    case "watch": try await watch(store, arguments[3], until: arguments[4])
    case "lease": try await lease(store, arguments[3], Int(arguments[4])!)
    case "idle": try await idle(store, Int(arguments[3])!, watches: Int(arguments[4])!)
    default: exit(2)
    }
    await store.close()
} catch {
    say("failed \(error)")
    exit(1)
}
