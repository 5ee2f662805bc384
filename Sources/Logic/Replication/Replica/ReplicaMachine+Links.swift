import Units
import WireFormat

/// One connection per owner instance: a new one replaces the old, and is greeted only when
/// nothing of the old one is under way (rule 7), so that a late write of it cannot land after
/// its repetition.
extension ReplicaMachine {
    /// An owner's hello has arrived on a new link.
    public mutating func connected(_ link: LinkID, instance: InstanceID, now: Instant) {
        self.now = now
        for index in links.indices where links[index].instance == instance && !links[index].isClosed {
            actions.append(.closeLink(links[index].id))
            close(at: index)
        }
        forgetIdleClosedLinks()
        if links.count == ReplicationLimits.linksMax {
            actions.append(.closeLink(link))
            return
        }
        links.append(Link(id: link, instance: instance))
        greet(instance)
    }

    /// The link is gone: nothing more comes in, and what is under way goes on to its end.
    public mutating func disconnected(_ link: LinkID, now: Instant) {
        self.now = now
        guard let index = links.firstIndex(where: { $0.id == link }), !links[index].isClosed else { return }
        close(at: index)
        forgetIdleClosedLinks()
    }

    private mutating func close(at index: Int) {
        links[index].isClosed = true
        if let promise = pending, promise.link == links[index].id {
            pending = nil
            free(promise.slot)
        }
    }

    /// Answers the hellos of this owner that wait for nothing any more.
    mutating func greet(_ instance: InstanceID) {
        let isDrained = !links.contains { $0.instance == instance && $0.isClosed && $0.operations > 0 }
        guard isDrained || faults.contains(.oldConnectionLives) else { return }
        for index in links.indices where links[index].instance == instance {
            if links[index].isClosed || links[index].isGreeted { continue }
            links[index].isGreeted = true
            actions.append(.answerHello(links[index].id))
        }
    }

    private mutating func forgetIdleClosedLinks() {
        links.removeAll { $0.isClosed && $0.operations == 0 }
    }

    func link(_ id: LinkID) -> Link? {
        for link in links where link.id == id { return link }
        return nil
    }

    // MARK: Slots

    mutating func take(_ request: ReplicaRequest, from link: LinkID) -> ReplicaSlot? {
        guard let slot = freeSlots.popLast() else { return nil }
        operations[Int(slot)] = ReplicaOperation(request: request, link: link, isInUse: true)
        for index in links.indices where links[index].id == link { links[index].operations += 1 }
        return slot
    }

    mutating func free(_ slot: ReplicaSlot) {
        let operation = operations[Int(slot)]
        require(operation.isInUse, "slot \(slot) freed twice")
        operations[Int(slot)].isInUse = false
        freeSlots.append(slot)
        for index in links.indices where links[index].id == operation.link {
            links[index].operations -= 1
            if links[index].isClosed && links[index].operations == 0 {
                let instance = links[index].instance
                links.remove(at: index)
                greet(instance)
            }
            break
        }
    }

    /// Frees the slot and answers, unless the link has gone meanwhile.
    mutating func answer(_ slot: ReplicaSlot, _ reply: ReplicaReply) {
        let id = operations[Int(slot)].link
        let isOpen = link(id).map { !$0.isClosed } ?? false
        free(slot)
        if isOpen { actions.append(.reply(id, reply, slot)) }
    }

    mutating func answer(_ slot: ReplicaSlot, _ status: ReplyStatus) {
        let request = operations[Int(slot)].request
        answer(slot, ReplicaReply(request.kind, id: request.id, status: status, epoch: state.promised))
    }
}
