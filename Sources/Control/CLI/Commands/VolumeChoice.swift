import ArgumentParser

/// A volume by name, `-V N` or `-u UUID`.
struct VolumeChoice: ParsableArguments {
    @Argument(help: ArgumentHelp("The volume's name.", valueName: "volume"))
    var name: String?

    @Option(name: .customShort("V"), help: ArgumentHelp("Its vdisk: N of vdN.", valueName: "N"))
    var vdisk: String?

    @Option(
        name: [.customShort("u"), .customLong("uuid")],
        help: ArgumentHelp("Its id, at least the 8 digits of listings.", valueName: "UUID"))
    var uuid: String?

    func validate() throws {
        guard [name, vdisk, uuid].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("name one volume: by name, with -V N or with -u UUID")
        }
        if let vdisk, vdiskNumber(vdisk) == nil {
            throw ValidationError("-V takes the N of vdN, not '\(vdisk)'")
        }
        if let name, name.isEmpty { throw ValidationError("a volume's name is not empty") }
    }

    /// As the REST API takes it in paths.
    var reference: String {
        if let vdisk { return "vdisk:\(vdiskNumber(vdisk) ?? 0)" }
        if let uuid { return "uuid:\(uuid)" }
        return name ?? ""
    }

    /// `3` and `vd3` are the same.
    private func vdiskNumber(_ text: String) -> Int? {
        let digits = text.hasPrefix("vd") ? text.dropFirst(2) : text[...]
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(digits)
    }
}
