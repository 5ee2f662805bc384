// modules: API Control=Sources/Control/Control/Requests/RequestError.swift DockerPlugin=Sources/Control/DockerPlugin/Protocol
import API
import Control
@testable import DockerPlugin

// Bodies of Docker's calls, and the options in them. What is no request is refused with an error that
// names the call; what is one says the same when it is written by somebody else and read again; and
// no option is ever ignored: each is refused by its name, or is found in what is asked for.

private func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}

private func read(_ bytes: [UInt8], _ call: PluginCall) -> PluginRequest? {
    do {
        return try MessageCoding.request(bytes, of: call)
    } catch let error as RequestError {
        require(error.kind == .invalid, "\(error.kind)")
        require(error.description.contains(call.rawValue), "\(error)")
        return nil
    } catch {
        fatalError("\(error)")
    }
}

/// JSON in its plainest form, by hand: as another program might write it.
private func written(_ request: PluginRequest) -> String {
    let options = request.options.map { "\(quoted($0.key)):\(quoted($0.value))" }
    let id = request.id.map { ",\"ID\":\(quoted($0))" } ?? ""
    return "{\"Name\":\(quoted(request.name))\(id),\"Opts\":{\(options.joined(separator: ","))}}"
}

private func quoted(_ text: String) -> String {
    let hex = Array("0123456789abcdef")
    return "\"" + text.utf16.map { unit in
        "\\u" + String([12, 8, 4, 0].map { hex[Int(unit >> $0) & 15] })
    }.joined() + "\""
}

/// Whether what the option says is in the request.
private func isKept(_ option: VolumeOptions, _ value: String, _ request: CreateVolumeRequest) -> Bool {
    switch option {
    case .capacity: request.capacityGB == UInt64(value) && request.capacityGB! > 0
    case .level: request.level == Int(value) && request.level! > 0
    case .directory: request.directory == value
    case .type: request.type == value
    case .filesystem: request.filesystem == value
    case .provision: request.provision == value
    case .profile: request.profile == value
    case .iopsmin: request.iopsMin == UInt64(value)
    case .iopsmax: request.iopsMax == UInt64(value)
    case .bandwidthmin: request.bandwidthMin == UInt64(value)
    case .bandwidthmax: request.bandwidthMax == UInt64(value)
    case .label: request.labels?.count == value.split(separator: ",").count
    case .snapshot: ["no", "false", "0"].contains(value)
    case .interval, .snapshotsMax: false
    }
}

private func check(_ request: PluginRequest) {
    let wanted: CreateVolumeRequest
    do {
        wanted = try VolumeOptions.request(
            name: request.name, options: request.options, what: "Create \(request.name)")
    } catch let error as RequestError {
        require(error.kind == .invalid && !request.options.isEmpty, "\(error)")
        return
    } catch {
        fatalError("\(error)")
    }
    require(wanted.name == request.name, "another name")
    for (key, value) in request.options {
        let option = VolumeOptions(rawValue: key)
        require(option.map { isKept($0, value, wanted) } ?? false, "\(key)=\(value) is ignored")
    }
}

/// The first byte chooses the call.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count > 1 else { return 0 }
    let calls = PluginCall.allCases.filter(\.hasBody)
    let call = calls[Int(start[0]) % calls.count]
    let body = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    guard let request = read(body, call) else { return 0 }
    require(read(Array(written(request).utf8), call) == request, "not the same: \(request)")
    check(request)
    let answer = try? MessageCoding.bytes(.failed(request.name))
    require(answer.map { $0.count > request.name.utf8.count } ?? false, "no answer")
    return 0
}
