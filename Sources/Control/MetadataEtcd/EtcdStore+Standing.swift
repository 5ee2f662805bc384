import Metadata

extension EtcdStore {
    /// How long a member may take to say what it is; people wait for the answer.
    private static let patience = Duration.seconds(1)

    /// Asks every member at once. A majority is there when one of them knows of a leader.
    public func standing() async -> StoreStanding {
        let endpoints = session.members.endpoints
        let statuses = await withTaskGroup(of: (Int, EtcdMemberStatus?).self) { group in
            for (index, endpoint) in endpoints.enumerated() {
                group.addTask {
                    (index, await EtcdMemberStatus.ask(endpoint, within: Self.patience))
                }
            }
            return await group.reduce(into: [EtcdMemberStatus?](
                repeating: nil, count: endpoints.count)) { $0[$1.0] = $1.1 }
        }
        return StoreStanding(
            kind: .etcd, isReachable: statuses.contains { $0?.hasLeader ?? false },
            endpoints: zip(endpoints, statuses).map { endpoint, status in
                StoreStanding.Endpoint(
                    address: "\(endpoint)", isReachable: status != nil, role: status?.role)
            })
    }
}

extension EtcdMemberStatus {
    /// In one word: `leader`, `follower`, `electing`.
    public var role: String {
        if isLeader { return "leader" }
        return hasLeader ? "follower" : "electing"
    }
}
