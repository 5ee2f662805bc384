import Simulation
import Replication
let a = CommandLine.arguments
let first = a.count > 1 ? UInt64(a[1])! : 1
let last = a.count > 2 ? UInt64(a[2])! : first
let planted = PlantedFaults(rawValue: a.count > 3 ? UInt64(a[3])! : 0)
for seed in first...last {
    let r = simulate(seed: seed, settings: SimulationSettings(planted: planted, isTraced: first == last))
    if let v = r.violation { print("seed \(seed): \(v)"); if first == last { r.trace.forEach { print($0) } }; if planted.rawValue != 0 && first != last { break } }
    if first == last { print(r.counts) }
}
