import ArgumentParser
import Catalog
import MediaModel
import Pacing
import Postgres
import Reporting
import Settings

/// `mediasync lookup URL|PATH`.
struct LookupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookup",
        abstract: "Say whose a media file is: its row, account, post and their public URLs.",
        discussion: """
            Takes a file's URL, its path, or its key in object storage. Exit code 3 where no row knows the file.
            """
    )

    @Argument(help: ArgumentHelp("A URL or a path of a media file.", valueName: "url|path"))
    var address: String

    @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "One JSON object (docs/json.md).") var json = false

    func run() async throws {
        do {
            let pool = WorkerPool(threads: 1)
            defer { pool.shutDown() }
            let status = try await withTaskExecutorPreference(pool) { try show() }
            if status != .done { throw ExitCode(status.rawValue) }
        } catch let error as SyncError {
            LineWriter(descriptor: 2).write(ErrorText.block(error))
            throw ExitCode(error.code.exitStatus.rawValue)
        }
    }

    private func show() throws(SyncError) -> ExitStatus {
        let address = RawArguments.path(address)
        guard let path = MediaPath(address: address) else {
            throw SyncError(
                .usage,
                "this is no path of a media file: \(address)",
                hint: "it ends like media_attachments/files/109/876/543/210/987/654/original/name.jpeg"
            )
        }
        let server = try MastodonServer(mastodon)
        let settings = try server.database()
        let connection: Connection
        do throws(DatabaseFault) {
            connection = try Connection(settings, application: "mediasync lookup", allowsPooler: true)
        } catch {
            throw error.syncError("cannot connect to \(settings)")
        }
        let domain = (server.settings["WEB_DOMAIN"] ?? server.settings["LOCAL_DOMAIN"])?.text
        let owner = try CatalogReader(connection).owner(of: path.kind, id: path.id, webDomain: domain)
        let answer = MediaAnswer(path: path, owner: owner)
        LineWriter(descriptor: 1).write(json ? LookupText.json(answer) : Array(LookupText.text(answer).utf8))
        return owner == nil ? .itemsFailed : .done
    }
}

extension MediaAnswer {
    fileprivate init(path: MediaPath, owner: MediaOwner?) {
        self.init(path: path.path ?? .root, kind: path.kind.rawValue, id: path.id)
        guard let owner else { return }
        let media = owner.row.media.first { $0.kind == path.kind }
        let current = media.flatMap { media in
            media.styles.first { $0.name == path.style }.flatMap { media.path(of: $0) }
        }
        hasRow = true
        isCurrent = current == path.path
        isRemote = owner.row.isRemote
        account = owner.account
        accountURL = owner.accountURL
        statusID = owner.statusID
        statusURL = owner.statusURL
        name = owner.name
    }
}
