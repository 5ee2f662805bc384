import Simulation
let first = CommandLine.arguments.count > 1 ? UInt64(CommandLine.arguments[1])! : 1
let last = CommandLine.arguments.count > 2 ? UInt64(CommandLine.arguments[2])! : first
for seed in first...last {
    let r = simulate(seed: seed, settings: SimulationSettings(isTraced: first == last))
    if let v = r.violation { print("seed \(seed): \(v)"); if first == last { r.trace.forEach { print($0) } } }
    if first == last { print(r.counts) }
}
