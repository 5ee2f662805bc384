/// The paths of the REST API. The server listens on a unix socket only, so that who may open the
/// socket may do everything.
///
/// A volume in a path is its name, `vdisk:N` or `uuid:HEX`; a node its name or `id:HEX`, where
/// HEX is a prefix of the id of at least 8 digits, of one volume or node only.
public enum Routes {
    public static let prefix = "/v1"
    public static let version = prefix + "/version"
    public static let cluster = prefix + "/cluster"
    public static let nodes = prefix + "/nodes"
    public static let volumes = prefix + "/volumes"
    /// `?n=500` limits; `?follow=true` goes on as lines of JSON, one event each.
    public static let events = prefix + "/events"

    public static let profiles = prefix + "/profiles"
    public static func profile(_ profile: String) -> String { "\(profiles)/\(profile)" }
    public static func node(_ node: String) -> String { "\(nodes)/\(node)" }
    public static func volume(_ volume: String) -> String { "\(volumes)/\(volume)" }
    public static func attach(_ volume: String) -> String { "\(volumes)/\(volume)/attach" }
    public static func update(_ volume: String) -> String { "\(volumes)/\(volume)/update" }
    public static func detach(_ volume: String) -> String { "\(volumes)/\(volume)/detach" }
    public static func move(_ volume: String) -> String { "\(volumes)/\(volume)/move" }
    public static func rebuild(_ volume: String) -> String { "\(volumes)/\(volume)/rebuild" }
}
