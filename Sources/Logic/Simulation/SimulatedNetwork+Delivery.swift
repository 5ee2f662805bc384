/// Messages of one direction of a link, in order.
final class SimulatedPipe {
    private var waiting: [(arrival: UInt64, deliver: () -> Void)] = []
    private var isPumping = false
    private unowned let world: World
    private let from: Int
    private let to: Int

    init(world: World, from: Int, to: Int) {
        self.world = world
        self.from = from
        self.to = to
    }

    func send(_ deliver: @escaping () -> Void) {
        let delay = world.network.delay(from, to, &world.random)
        let arrival = max(world.now + delay, waiting.last?.arrival ?? 0)
        waiting.append((arrival, deliver))
        pump()
    }

    func tearDown() { waiting = [] }

    private func pump() {
        guard !isPumping, let first = waiting.first else { return }
        isPumping = true
        world.schedule.add(at: first.arrival) { [self] in
            isPumping = false
            // Torn down meanwhile.
            if waiting.isEmpty { return }
            if !world.network.isOpen(from, to) {
                waiting[0].arrival = world.now + 50_000_000
            } else {
                waiting.removeFirst().deliver()
            }
            pump()
        }
    }
}
