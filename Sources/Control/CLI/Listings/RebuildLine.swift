import API

/// How far a rebuild is.
enum RebuildLine {
    /// `45% (123 of 273 MB), to v1, driven by v3`. A region is 1 MiB, so regions count MB.
    static func text(_ rebuild: RebuildView) -> String {
        let kind = rebuild.isLocality ? "locality rebuild" : "rebuild"
        return "\(percent(rebuild))% (\(rebuild.regionsDone) of \(rebuild.regionsTotal) MB), "
            + "\(kind) to \(rebuild.to), driven by \(rebuild.drivenBy)"
    }

    /// 0 to 100; 100 only when all is done.
    static func percent(_ rebuild: RebuildView) -> UInt64 {
        guard rebuild.regionsTotal > 0 else { return 0 }
        return min(rebuild.regionsDone, rebuild.regionsTotal) * 100 / rebuild.regionsTotal
    }

    /// `[#########...........]`.
    static func bar(_ rebuild: RebuildView, width: Int = 40) -> String {
        let full = Int(percent(rebuild)) * width / 100
        return "[" + String(repeating: "#", count: full)
            + String(repeating: ".", count: width - full) + "]"
    }
}
