package import MediaModel

/// Some names of one directory of the sender's tree.
package struct AskedNames: Hashable, Sendable {
    /// Below the root.
    package var directory: BytePath
    package var names: [BytePath]

    package init(directory: BytePath, names: [BytePath]) {
        self.directory = directory
        self.names = names
    }
}

/// The receiver's question whether its target's extraneous entries are still nowhere in the source.
package struct Ask: Hashable, Sendable {
    /// Chosen by the receiver; the answer has it too.
    package var id: UInt32
    package var names: AskedNames

    package init(id: UInt32, names: AskedNames) {
        self.id = id
        self.names = names
    }
}

/// The answer to an `Ask`.
package struct AskAnswer: Hashable, Sendable {
    package var id: UInt32
    /// For each name in turn: it is certainly not there. What could not be looked up is not gone.
    package var areGone: [Bool]

    package init(id: UInt32, areGone: [Bool]) {
        self.id = id
        self.areGone = areGone
    }
}

extension WireReader {
    private mutating func askedNames() throws(WireFault) -> AskedNames {
        AskedNames(
            directory: try path(),
            names: try list(WireLimit.batchEntries, bytesEach: 2) { (reader) throws(WireFault) in try reader.name() }
        )
    }

    mutating func ask() throws(WireFault) -> Ask {
        Ask(id: try number32(), names: try askedNames())
    }

    mutating func askAnswer() throws(WireFault) -> AskAnswer {
        AskAnswer(
            id: try number32(),
            areGone: try list(WireLimit.batchEntries) { (reader) throws(WireFault) in try reader.flag() }
        )
    }
}

extension WireWriter {
    mutating func ask(_ ask: Ask) {
        unsigned(ask.id)
        path(ask.names.directory)
        list(ask.names.names) { $0.path($1) }
    }

    mutating func askAnswer(_ answer: AskAnswer) {
        unsigned(answer.id)
        list(answer.areGone) { $0.flag($1) }
    }
}
