import ArgumentParser
import Foundation
import Replication
import Simulation

/// Runs whole clusters in one process, seed by seed, and looks for broken promises.
@main
struct CioSimulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cio-simulate",
        abstract: "Simulates clusters under faults and checks what volumes promise.",
        discussion: """
            Everything in a run follows from its seed: a seed that fails once fails always, until \
            the code is changed. The exit status is 0 if every run kept all promises. With \
            --planted it is 0 if every planted fault was caught.
            """)

    @Option(name: .long, help: ArgumentHelp("The seeds to run.", valueName: "A..B"))
    var seeds: SeedRange?

    @Option(name: .long, help: ArgumentHelp("One seed to run.", valueName: "N"))
    var seed: UInt64?

    @Option(name: .long, help: ArgumentHelp("Requests of clients in each run.", valueName: "N"))
    var ops = 300

    @Option(
        name: .long, help: ArgumentHelp("Runs at a time; default: one per core.", valueName: "N"))
    var jobs: Int?

    @Flag(name: .long, help: "Print the story of the run; with --seed only.")
    var trace = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Leave out a rule on purpose and stop at the first seed that notices; 'all' tries "
                + "every one in turn.",
            valueName: "NAME"))
    var planted: PlantedChoice?

    @Flag(name: .long, help: "List the names that --planted takes.")
    var listPlanted = false

    func validate() throws {
        if listPlanted { return }
        if (seeds == nil) == (seed == nil) {
            throw ValidationError("Give either --seeds A..B or --seed N.")
        }
        if trace && seed == nil {
            throw ValidationError("--trace tells the story of one run: give --seed N.")
        }
        if trace, case .all = planted {
            throw ValidationError("--trace tells the story of one run: name one planted fault.")
        }
        guard (1...1_000_000).contains(ops) else {
            throw ValidationError("--ops takes 1 to 1000000, not \(ops).")
        }
        if let jobs, !(1...1024).contains(jobs) {
            throw ValidationError("--jobs takes 1 to 1024, not \(jobs).")
        }
    }

    func run() async throws {
        if listPlanted {
            listFaults()
            return
        }
        let range = seeds?.bounds ?? seed!...seed!
        let isGood: Bool
        switch planted {
        case nil: isGood = await check(range)
        case .one(let fault): isGood = await hunt([fault], in: range)
        case .all: isGood = await hunt(PlantedFault.all, in: range)
        }
        if !isGood { throw ExitCode.failure }
    }

    private func listFaults() {
        for fault in PlantedFault.all {
            let name = padded(fault.name, to: 28)
            say("\(name)  \(padded("rule " + fault.rule, to: 17))  \(fault.effect)")
        }
    }

    // MARK: Runs

    /// - Returns: whether every seed has passed.
    private func check(_ range: ClosedRange<UInt64>) async -> Bool {
        let settings = SimulationSettings(operations: ops, isTraced: trace)
        var batch = Batch(seeds: range, settings: settings, jobs: jobs)
        await batch.run { result in
            result.trace.forEach { say($0) }
            if let violation = result.violation { tell(violation, of: result.seed, nil) }
            return true
        }
        summarize(batch)
        return batch.report.failures.isEmpty
    }

    /// - Returns: whether every fault was caught.
    private func hunt(_ faults: [PlantedFault], in range: ClosedRange<UInt64>) async -> Bool {
        var caught = 0
        for fault in faults {
            let settings = SimulationSettings(
                operations: ops, planted: fault.fault, isTraced: trace)
            var batch = Batch(seeds: range, settings: settings, jobs: jobs)
            await batch.run { result in
                result.trace.forEach { say($0) }
                if let violation = result.violation { tell(violation, of: result.seed, fault) }
                return result.violation == nil
            }
            let isCaught = !batch.report.failures.isEmpty
            if isCaught { caught += 1 }
            say(
                "\(fault.name): \(isCaught ? "caught" : "NOT caught") after "
                    + "\(batch.report.runs) seeds, \(decimal(batch.seconds)) s")
        }
        say("\(caught) caught, \(faults.count - caught) not caught")
        return caught == faults.count
    }

    private func tell(_ violation: String, of seed: UInt64, _ fault: PlantedFault?) {
        say("seed \(seed): \(violation)")
        let operations = ops == 300 ? "" : " --ops \(ops)"
        let planted = fault.map { " --planted \($0.name)" } ?? ""
        say("  replay: cio-simulate --seed \(seed) --trace\(operations)\(planted)")
    }

    private func summarize(_ batch: Batch) {
        let report = batch.report
        let counts = report.counts.all.map { "\($0.count) \($0.name)" }
        say("seen: \(counts.joined(separator: ", "))")
        let each = batch.seconds * 1000 / Double(max(1, report.runs))
        say(
            "\(report.passed) passed, \(report.failures.count) failed: \(report.runs) seeds in "
                + "\(decimal(batch.seconds)) s, \(decimal(each)) ms each")
    }
}

/// A line on standard output at once, also where that is a file: a long run is watched.
private func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

/// With two digits after the point.
private func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
}

private func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
