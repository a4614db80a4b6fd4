package import MediaModel
internal import Postgres

/// Whose a file is: the row behind it, and what people know it by.
package struct MediaOwner: Sendable, Equatable {
    /// What the row says it has here.
    package var row: CatalogRow
    /// `user` or `user@domain`.
    package var account: String?
    package var accountURL: String?
    /// The post an attachment belongs to.
    package var statusID: Int64?
    package var statusURL: String?
    /// What else names the row: an emoji's shortcode, a card's URL, the setting a picture is for.
    package var name: String?

    package init(row: CatalogRow) {
        self.row = row
    }
}

extension CatalogReader {
    /// Whose files of this kind and number are; nil where there is no such row.
    /// - Parameter webDomain: what public URLs of this server begin with; nil for none.
    package func owner(of kind: MediaKind, id: Int64, webDomain: String?) throws(SyncError) -> MediaOwner? {
        let table = CatalogTable(of: kind)
        guard let row = try rows(table, ids: [id])[id] else { return nil }
        var owner = MediaOwner(row: row)
        do throws(DatabaseFault) {
            let found = try connection.query(Self.ownerStatement(table), [.integer(id)])
            guard found.count > 0 else { return nil }
            let values = found[0]
            owner.name = values[0].text
            if let username = values[1].text {
                let domain = values[2].text
                owner.account = domain.map { "\(username)@\($0)" } ?? username
                let local = webDomain.map { "https://\($0)/@\(username)" }
                owner.accountURL = domain == nil ? local : values[3].text
                owner.statusID = values[4].integer
                if let status = owner.statusID {
                    // Local posts are known by their author's page.
                    let isLocal = values[7].boolean ?? (values[6].isNull)
                    owner.statusURL = isLocal ? local.map { "\($0)/\(status)" } : values[5].text ?? values[6].text
                }
            }
        } catch {
            throw error.syncError("cannot read \(table.rawValue)")
        }
        return owner
    }

    /// Columns: name, username, domain, the account's URL, status, its URL, its URI, whether it is local.
    private static func ownerStatement(_ table: CatalogTable) -> String {
        let account = "a.username, a.domain, a.url"
        let noAccount = "NULL, NULL, NULL"
        let noStatus = "NULL, NULL, NULL, NULL"
        return switch table {
        case .mediaAttachments:
            """
            SELECT NULL, \(account), s.id, s.url, s.uri, s.local OR s.uri IS NULL FROM public.media_attachments m
            LEFT JOIN public.accounts a ON a.id = m.account_id LEFT JOIN public.statuses s ON s.id = m.status_id
            WHERE m.id = $1
            """
        case .accounts: "SELECT NULL, \(account), \(noStatus) FROM public.accounts a WHERE a.id = $1"
        case .previewCards: "SELECT url, \(noAccount), \(noStatus) FROM public.preview_cards WHERE id = $1"
        case .customEmojis: "SELECT shortcode, \(noAccount), \(noStatus) FROM public.custom_emojis WHERE id = $1"
        case .siteUploads: "SELECT var, \(noAccount), \(noStatus) FROM public.site_uploads WHERE id = $1"
        case .backups:
            """
            SELECT NULL, \(account), \(noStatus) FROM public.backups b
            LEFT JOIN public.users u ON u.id = b.user_id LEFT JOIN public.accounts a ON a.id = u.account_id
            WHERE b.id = $1
            """
        }
    }
}
