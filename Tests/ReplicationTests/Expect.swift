import Testing

/// `#expect` takes its expression apart, which values that cannot be copied do not allow.
func expect(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}
