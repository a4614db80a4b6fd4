internal import MediaModel
internal import Postgres

/// Which of other servers' media a refresh looks at. Every condition that is given must hold.
package struct RemoteScope: Sendable, Equatable {
    /// Thumbnails go with attachments where both are here.
    package var kinds: Set<MediaKind>
    /// Media that came here after this moment, as their numbers tell it; of accounts those that appear in posts of the
    /// interval: authors, boosted authors, mentioned ones.
    package var since: Moment?
    /// And not after this one.
    package var before: Moment?
    /// `user@domain`, each one of another server.
    package var accounts: [AccountName] = []
    /// With their subdomains.
    package var domains: [String] = []
    /// Attachments of these posts.
    package var statuses: [Int64] = []
    /// Rows by number, by the kind they were listed as.
    package var rows: [MediaKind: [Int64]]?

    package init(kinds: Set<MediaKind>) {
        self.kinds = kinds
    }

    /// A second since 1970: what numbers tell.
    package typealias Moment = Int64

    package struct AccountName: Sendable, Equatable {
        package var user: String
        package var domain: String

        /// Reads `user@domain`, with or without an `@` in front; nil where it is neither.
        package init?(_ text: String) {
            let parts = text.drop { $0 == "@" }.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            user = parts[0].lowercased()
            domain = parts[1].lowercased()
        }
    }

    /// The tables to read.
    package var tables: [CatalogTable] {
        [CatalogTable.accounts, .mediaAttachments, .customEmojis].filter { table in
            table.kinds.contains { kinds.contains($0) } && !(rows != nil && ids(table) == [])
                && (statuses.isEmpty || table == .mediaAttachments)
        }
    }

    /// The numbers asked for, in order; nil for all.
    package func ids(_ table: CatalogTable) -> [Int64]? {
        guard let rows else { return nil }
        return Array(Set(table.kinds.flatMap { rows[$0] ?? [] })).sorted()
    }

    /// The first number after the interval's begin, and the last of its end. Mastodon takes numbers greater than the
    /// moment's own.
    var numbers: (after: Int64?, through: Int64?) {
        (
            since.map { Snowflake.lowestID(secondsSince1970: $0) },
            before.map { Snowflake.lowestID(secondsSince1970: $0) }
        )
    }

    /// SQL: whether a row of the table, called `t`, with its account, called `a`, is asked for. Values come as parameters,
    /// from `$first` on.
    func condition(_ table: CatalogTable, first: Int) -> (condition: String, parameters: [Parameter]) {
        // The column is in one of the two tables only.
        var conditions = ["(\(table.isRemote))"]
        var parameters: [Parameter] = []
        func next(_ parameter: Parameter) -> String {
            parameters.append(parameter)
            return "$\(first + parameters.count - 1)"
        }
        let account = table == .accounts ? "t" : "a"
        if !accounts.isEmpty {
            let users = next(.texts(accounts.map(\.user)))
            let hosts = next(.texts(accounts.map(\.domain)))
            conditions.append(
                """
                (pg_catalog.lower(\(account).username), pg_catalog.lower(\(account).domain)) IN
                (SELECT u, d FROM unnest(\(users)::text[], \(hosts)::text[]) AS v (u, d))
                """
            )
        }
        if !domains.isEmpty {
            let names = next(.texts(domains))
            let domain = table == .customEmojis ? "t.domain" : "\(account).domain"
            conditions.append(
                """
                EXISTS (SELECT FROM unnest(\(names)::text[]) AS v (d) WHERE \(domain) = v.d
                OR pg_catalog.right(\(domain), pg_catalog.length(v.d) + 1) = '.' || v.d)
                """
            )
        }
        if !statuses.isEmpty { conditions.append("t.status_id = ANY (\(next(.integers(statuses)))::bigint[])") }
        if let ids = ids(table) { conditions.append("t.id = ANY (\(next(.integers(ids)))::bigint[])") }
        if table == .mediaAttachments {
            let numbers = numbers
            if let after = numbers.after { conditions.append("t.id > \(after)") }
            if let through = numbers.through { conditions.append("t.id <= \(through)") }
        }
        return (conditions.joined(separator: " AND "), parameters)
    }
}
