internal import MediaModel
internal import Storage

/// Where the extended attributes of an entry of the source are: in its file here, or as another machine sent them.
enum AttributeSource {
    /// An open descriptor of the entry.
    case file(Int32)
    case sent([ExtendedAttribute])

    /// Gives them to an entry of the target; with `exact` also removes those the source does not have.
    func give(to target: Int32, exact: Bool, asRoot: Bool) throws(FileFault) -> ExtendedAttributes.Result {
        switch self {
        case .file(let source): try ExtendedAttributes.copy(from: source, to: target, exact: exact, asRoot: asRoot)
        case .sent(let list): try ExtendedAttributes.apply(list, to: target, exact: exact, asRoot: asRoot)
        }
    }

    /// Whether an entry of the target has the same.
    func equals(_ target: Int32, asRoot: Bool) throws(FileFault) -> Bool {
        switch self {
        case .file(let source): try ExtendedAttributes.equal(source, target, asRoot: asRoot)
        case .sent(let list): try ExtendedAttributes.equal(target, list, asRoot: asRoot)
        }
    }
}
