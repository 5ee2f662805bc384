import API
import Control

/// The options of `docker volume create --opt NAME=VALUE`, as a request to create a volume.
///
/// An option that is unknown, that cannot be read, or that contradicts another is refused by its
/// name, and so is one that would have no effect: none is ever ignored.
enum VolumeOptions: String, CaseIterable {
    case capacity, directory, level, type, filesystem, iopsmin, iopsmax, bandwidthmin
    case bandwidthmax, provision, profile, snapshot, interval
    case snapshotsMax = "snapshotMax"
    case label

    private static let optionsMax = 64

    static func request(
        name: String, options: [String: String], what: String
    ) throws -> CreateVolumeRequest {
        guard options.count <= optionsMax else {
            throw RequestError(.invalid, what, why: "there are over \(optionsMax) options")
        }
        var request = CreateVolumeRequest(name: name)
        // In a fixed order: of several mistakes always the same is told.
        for (key, value) in options.sorted(by: { $0.key < $1.key }) {
            guard let option = VolumeOptions(rawValue: key) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw RequestError(
                    .invalid, what, why: "there is no option \(key)", next: "there are \(known)")
            }
            do throws(Refusal) {
                try option.apply(value, to: &request, among: options)
            } catch {
                throw RequestError(
                    .invalid, what, why: "the option \(key) \(error.why)", next: error.next)
            }
        }
        return request
    }

    /// Reads on from "the option x".
    private struct Refusal: Error {
        var why: String
        var next: String?
    }

    private func apply(
        _ value: String, to request: inout CreateVolumeRequest, among all: [String: String]
    ) throws(Refusal) {
        switch self {
        case .capacity: request.capacityGB = try number(value, "GB", from: 1)
        case .level: request.level = Int(try number(value, "copies", from: 1))
        case .directory: request.directory = value
        case .type: request.type = value
        case .filesystem: request.filesystem = value
        case .provision: request.provision = value
        case .label: request.labels = try labels(value)
        case .snapshot: try refuseUnlessOff(value)
        case .interval, .snapshotsMax:
            guard all[VolumeOptions.snapshot.rawValue].flatMap(Self.flag) == true else {
                throw Refusal(why: "needs the option snapshot=yes")
            }
            throw Self.notYet
        case .iopsmin: request.iopsMin = try number(value, "reads and writes a second")
        case .iopsmax: request.iopsMax = try number(value, "reads and writes a second")
        case .bandwidthmin: request.bandwidthMin = try number(value, "MiB a second")
        case .bandwidthmax: request.bandwidthMax = try number(value, "MiB a second")
        case .profile: request.profile = value
        }
    }

    private static let notYet = Refusal(why: "cannot be honoured yet", next: "leave it out")

    private func number(
        _ value: String, _ unit: String, from least: UInt64 = 0
    ) throws(Refusal) -> UInt64 {
        guard let number = UInt64(value), (least...UInt64(Int.max)).contains(number) else {
            throw Refusal(why: "is a whole number of \(unit), not '\(value)'")
        }
        return number
    }

    /// `KEY=VALUE`, and more of them after commas: Docker takes each option once.
    private func labels(_ value: String) throws(Refusal) -> [String: String] {
        var labels: [String: String] = [:]
        for item in value.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw Refusal(why: "is KEY=VALUE, or several after commas, not '\(value)'")
            }
            guard labels.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else {
                throw Refusal(why: "has the key \(parts[0]) twice")
            }
        }
        return labels
    }

    private func refuseUnlessOff(_ value: String) throws(Refusal) {
        switch Self.flag(value) {
        case false?: break
        case true?: throw Self.notYet
        case nil: throw Refusal(why: "is yes or no, not '\(value)'")
        }
    }

    private static func flag(_ value: String) -> Bool? {
        switch value {
        case "yes", "true", "1": true
        case "no", "false", "0": false
        default: nil
        }
    }
}
