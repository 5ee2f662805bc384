/// One line of a listing, filled from left to right. Columns count characters from 0.
struct ListingLine {
    private(set) var text = ""

    /// A word that begins at a column; one space further than what stands there already.
    mutating func add(_ word: String, at column: Int) {
        pad(to: column)
        text += word
    }

    /// A word that ends before a column: the column of the first character after it.
    mutating func add(_ word: String, endingAt column: Int) {
        pad(to: column - word.count)
        text += word
    }

    private mutating func pad(to column: Int) {
        let spaces = max(column - text.count, text.isEmpty ? 0 : 1)
        text += String(repeating: " ", count: spaces)
    }
}

/// `key` at the left, its value at column 31, as `cio volume info` shows a volume.
enum KeyLine {
    static let valueColumn = 31

    static func text(_ key: String, _ value: String) -> String {
        var line = ListingLine()
        line.add(key, at: 0)
        line.add(value, at: valueColumn)
        return line.text
    }
}
