/// Runs one seed from its beginning to its end.
///
/// Everything that happens follows from the seed and the settings: the same ones give the same
/// story, event by event.
public func simulate(seed: UInt64, settings: SimulationSettings) -> SimulationResult {
    let world = World(seed: seed, settings: settings)
    defer { world.tearDown() }
    world.begin()
    if !world.run() && world.violation == nil { world.fail("the run did not come to its end") }
    return SimulationResult(
        seed: seed, violation: world.violation, trace: world.trace, digest: world.digest,
        counts: world.counts)
}
