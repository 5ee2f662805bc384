/// What an etcd says instead of an answer.
///
/// Its gateway writes `{"error", "message", "code"}`; into a stream that has begun
/// `{"grpc_code", "message"}`; newer ones `{"code", "message"}` in both places.
struct GatewayRefusal: Error, Decodable, Equatable, Sendable {
    /// Of gRPC: https://grpc.io/docs/guides/status-codes/
    let code: Int
    let message: String

    enum CodingKeys: String, CodingKey {
        case code, message, error
        case streamCode = "grpc_code"
    }

    init(code: Int, message: String) {
        self.code = code
        self.message = message
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        code = try container.decodeIfPresent(Int.self, forKey: .code)
            ?? container.decode(Int.self, forKey: .streamCode)
        message = try container.decodeIfPresent(String.self, forKey: .message)
            ?? container.decode(String.self, forKey: .error)
    }

    enum Meaning {
        /// No leader, overload, a member that is going: another one or a later moment may do. The
        /// request may have been performed all the same.
        case tryAgain
        case leaseNotFound
        case leaseExists
        case compacted
        /// The database has reached its quota, and takes nothing until somebody makes room.
        case full
        case corrupt
        /// It wants a user's name.
        case denied
        case invalid
    }

    var meaning: Meaning {
        switch code {
        case 5: .leaseNotFound
        case 9 where message.contains("lease already exists"): .leaseExists
        case 11 where message.contains("compacted"): .compacted
        case 8 where message.contains("space exceeded"): .full
        case 15: .corrupt
        case 7, 16: .denied
        case 3 where message.contains("user name"), 3 where message.contains("authentication"):
            .denied
        case 3, 6, 9, 11, 12: .invalid
        default: .tryAgain
        }
    }
}
