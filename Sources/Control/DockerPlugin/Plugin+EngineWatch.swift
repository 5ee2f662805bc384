import Control

// Whether Docker is there: asked when another node wants a volume that containers use here.
extension Plugin {
    /// Looks from time to time while containers use volumes, until the task is cancelled.
    func watchEngine() async {
        volumes.askOfEngine { [weak self] in await self?.engineLife() ?? .lives }
        while !Task.isCancelled {
            if !references.used.isEmpty { _ = await engineLife() }
            try? await Task.sleep(for: Limits.engineLook)
        }
    }

    /// Looks now.
    func engineLife() async -> EngineLife {
        let sign = await host.engineSign()
        watch.note(sign, at: host.now())
        if sign == .there, references.engine != host.enginePath {
            references.engine = host.enginePath
            await saveOrTell()
        }
        return watch.life(wasThere: references.engine == host.enginePath)
    }
}
