import ArgumentParser
import Filtering
import MediaModel
import Storage
import Synchronization

/// One filter argument and its place on the command line: rules of all kinds form one list, in the order given.
struct FilterArgument: Sendable {
    let text: String
    let order: Int

    private static let counter = Atomic<Int>(0)

    /// Called by the parser for each value as it meets it, which gives the order.
    static func parse(_ text: String) -> FilterArgument {
        FilterArgument(text: text, order: counter.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
}

/// Which entries take part.
struct SelectionOptions: ParsableArguments {
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Leave out what matches (rsync's rules).", valueName: "pattern"),
        transform: FilterArgument.parse
    )
    var exclude: [FilterArgument] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Keep what matches, before a later --exclude.", valueName: "pattern"),
        transform: FilterArgument.parse
    )
    var include: [FilterArgument] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Read --exclude patterns from a file.", valueName: "file"),
        transform: FilterArgument.parse
    )
    var excludeFrom: [FilterArgument] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Read --include patterns from a file.", valueName: "file"),
        transform: FilterArgument.parse
    )
    var includeFrom: [FilterArgument] = []

    @Option(help: ArgumentHelp("Only the paths listed in a file (- for standard input).", valueName: "file"))
    var filesFrom: String?

    @Flag(name: .customLong("from0"), help: "Lists and patterns in files end with NUL, not with a line's end.")
    var from0 = false

    @Option(help: ArgumentHelp("local: all but cache/; remote: only cache/.", valueName: "local|remote"))
    var only: OnlyArgument?

    /// The half of a tree that takes part; kinds of media are known to the database alone.
    func half() throws -> MediaLayout.Half? {
        if only?.kinds.isEmpty == false {
            throw SyncError(.usage, "--only takes local or remote here", hint: "kinds are for verify --store")
        }
        return only?.half
    }

    /// The rules in the order they were given.
    func filters() throws -> FilterRules {
        var rules = FilterRules()
        let separator: FilterRules.Separator = from0 ? .null : .line
        var actions: [(order: Int, apply: (inout FilterRules) throws -> Void)] = []
        for argument in exclude {
            actions.append((argument.order, { $0.exclude(RawArguments.path(argument.text).bytes) }))
        }
        for argument in include {
            actions.append((argument.order, { $0.include(RawArguments.path(argument.text).bytes) }))
        }
        for (arguments, decision) in [(excludeFrom, FilterRules.Default.exclude), (includeFrom, .include)] {
            for argument in arguments {
                actions.append(
                    (
                        argument.order,
                        {
                            $0.appendFile(
                                try UserFile.read(RawArguments.path(argument.text)),
                                as: decision,
                                separatedBy: separator
                            )
                        }
                    )
                )
            }
        }
        for action in actions.sorted(by: { $0.order < $1.order }) { try action.apply(&rules) }
        return rules
    }

    /// No rules and no lists: at most `--only` was given.
    var isEmptyButOnly: Bool {
        exclude.isEmpty && include.isEmpty && excludeFrom.isEmpty && includeFrom.isEmpty && filesFrom == nil
    }

    func fileList() throws -> FileList? {
        try filesFrom.map { try FileList(UserFile.read(RawArguments.path($0)), isNullSeparated: from0) }
    }
}
