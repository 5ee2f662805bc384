import Metadata

extension GatewayRefusal {
    /// What a refusal means to whoever asked. Nothing was changed.
    func error(of call: Call) -> MetadataError {
        let (kind, remedy): (MetadataError.Kind, String?) =
            switch meaning {
            case .full:
                (.full, "compact and defragment etcd, then etcdctl alarm disarm")
            case .corrupt:
                (.corrupt, "stop the etcd member that is corrupt and replace it")
            case .denied:
                (.unavailable, "let cio in without a user's name: etcdctl auth disable")
            case .invalid: (.invalidRequest, nil)
            case .leaseNotFound: (.leaseNotFound, nil)
            case .tryAgain, .leaseExists, .compacted: (.unexpected, nil)
            }
        return MetadataError(
            kind, operation: call.operation, object: call.object,
            cause: "etcd refuses it: \(message)", remedy: remedy)
    }
}

extension MetadataError {
    /// An answer that the API does not have.
    static func misunderstood(_ operation: String, on object: String) -> MetadataError {
        MetadataError(
            .unexpected, operation: operation, object: object,
            cause: "etcd's answer has not the parts that were asked for",
            remedy: "compare its version with those that cio supports: 3.4 and later")
    }
}
