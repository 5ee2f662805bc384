/// Everything that Docker asks of a volume plugin.
///
/// Source: docs.docker.com/engine/extend/plugins_volume. Every call is a POST.
enum PluginCall: String, CaseIterable, Sendable {
    case activate = "/Plugin.Activate"
    case capabilities = "/VolumeDriver.Capabilities"
    case create = "/VolumeDriver.Create"
    case remove = "/VolumeDriver.Remove"
    case mount = "/VolumeDriver.Mount"
    case unmount = "/VolumeDriver.Unmount"
    case path = "/VolumeDriver.Path"
    case get = "/VolumeDriver.Get"
    case list = "/VolumeDriver.List"

    /// Whether the call is about one volume, and so has a body.
    var hasBody: Bool {
        switch self {
        case .activate, .capabilities, .list: false
        case .create, .remove, .mount, .unmount, .path, .get: true
        }
    }
}
