package import MediaModel

/// What `mediasync lookup` prints. Names and URLs come from strangers: they are escaped.
package enum LookupText {
    package static func text(_ answer: MediaAnswer) -> String {
        var rows: [(String, String)] = [("file", answer.path.description)]
        if answer.hasRow {
            let place = answer.isRemote ? "remote" : "local"
            rows.append(("row", "\(place) \(answer.kind) \(answer.id)"))
            if !answer.isCurrent { rows.append(("", "the row names another file, or none: this one is an orphan")) }
        } else {
            rows.append(("row", "none: \(answer.kind) \(answer.id) is not in the database"))
        }
        if let name = answer.name { rows.append(("name", name)) }
        if let account = answer.account { rows.append(("account", "@\(account)")) }
        if let url = answer.accountURL { rows.append(("", url)) }
        if let status = answer.statusID { rows.append(("post", String(status))) }
        if let url = answer.statusURL { rows.append(("", url)) }
        return rows.map { label, value in
            let space = String(repeating: " ", count: 9 - label.count)
            // The path is escaped already.
            return label + space + (label == "file" ? value : BytePath.escaped(Array(value.utf8))) + "\n"
        }.joined()
    }

    /// One object of the type `lookup`.
    package static func json(_ answer: MediaAnswer) -> [UInt8] {
        var object = JSONObject()
        object.set("type", "lookup")
        object.set("v", JSONLines.version)
        object.set(path: answer.path)
        object.set("record", answer.kind)
        object.set("id", String(answer.id))
        object.set("found", answer.hasRow)
        object.set("current", answer.isCurrent)
        object.set("local", answer.hasRow ? !answer.isRemote : false)
        object.set("name", answer.name)
        object.set("account", answer.account)
        object.set("account_url", answer.accountURL)
        object.set("status", answer.statusID.map { String($0) })
        object.set("status_url", answer.statusURL)
        return object.line
    }
}
