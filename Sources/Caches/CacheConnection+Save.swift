package import MediaModel

/// Redis' own saving of its data to a file.
extension CacheConnection {
    /// What Redis says of it.
    package struct SaveState: Sendable, Equatable {
        package let isSaving: Bool
        /// When it last saved, in seconds since 1970.
        package let lastSave: Int64
        /// Whether the last try was one.
        package let isOK: Bool

        /// Reads the answer to `INFO persistence`; nil where it lacks what is asked.
        init?(_ info: [UInt8]) {
            var values: [String: String] = [:]
            for line in info.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
                let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
                guard parts.count == 2 else { continue }
                values[String(decoding: parts[0], as: UTF8.self)] = String(decoding: parts[1], as: UTF8.self)
            }
            guard let saving = values["rdb_bgsave_in_progress"],
                let last = values["rdb_last_save_time"].flatMap({ Int64($0) }),
                let status = values["rdb_last_bgsave_status"]
            else { return nil }
            isSaving = saving != "0"
            lastSave = last
            isOK = status == "ok"
        }
    }

    package func saveState() throws(CacheFault) -> SaveState {
        switch try answer(to: ["INFO", "persistence"]) {
        case .text(let text):
            if let state = SaveState(text) { return state }
            throw CacheFault(message: "it does not say when it saved")
        case .error(let text): throw CacheFault(message: text)
        default: throw CacheFault(message: "an answer that was not expected")
        }
    }

    /// Has Redis save its data, beside its work.
    package func beginSave() throws(CacheFault) {
        if case .error(let text) = try answer(to: ["BGSAVE"]) { throw CacheFault(message: text) }
    }

    /// The file it saves to, on its own machine; nil where it does not tell.
    package func savedFile() -> BytePath? {
        guard let directory = setting("dir"), directory.first == UInt8(ascii: "/"), let name = setting("dbfilename"),
            !name.isEmpty, !name.contains(UInt8(ascii: "/")), !(directory + name).contains(0)
        else { return nil }
        return BytePath(bytes: directory).appending(BytePath(bytes: name))
    }

    private func setting(_ name: String) -> [UInt8]? {
        guard case .texts(let texts)? = try? answer(to: ["CONFIG", "GET", name]), texts.count == 2 else { return nil }
        return texts[1]
    }
}
