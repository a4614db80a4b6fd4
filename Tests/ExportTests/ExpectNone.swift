import MediaModel
import Testing

/// Fails where there is anything in the list, and shows it.
func expectNone(
    _ found: [String],
    _ comment: @autoclosure () -> Comment = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found == [], comment(), sourceLocation: sourceLocation)
}

func expectNone(
    _ found: [BytePath],
    _ comment: @autoclosure () -> Comment = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expectNone(found.map(\.description), comment(), sourceLocation: sourceLocation)
}
