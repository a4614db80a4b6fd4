internal import ActivityPub
internal import Catalog
internal import Committing
internal import Fetching
internal import Imaging
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Decides what is fetched next, reads its row, and begins the fetch. One thread owns it, with the schedule and a session
/// of its own.
final class Dispatcher {
    /// Items whose rows are read by one statement.
    private static let batchItems = 64
    /// The longest sleep: a run that is to stop is noticed soon.
    private static let napNanoseconds: Int64 = 200_000_000
    /// How long an item waits whose host leads elsewhere while too many others wait there.
    private static let crowdedNanoseconds: Int64 = 30_000_000_000
    /// Before another try of one item.
    private static let retryBackoff = Backoff(first: .seconds(5), cap: .seconds(120))

    private struct Start {
        let item: RefreshItem
        let host: HostID
    }

    private let options: RefreshOptions
    private let rules: ProcessingRules
    /// Signs what accounts' servers are asked; nil asks unsigned.
    private let key: InstanceKey?
    private let session: CatalogSession
    private let store: any MediaStore
    private let fetcher: any MediaFetching
    private let arrivals: Arrivals
    private let inbox: DispatchInbox
    private let ledger: RefreshLedger
    private let control: RunControl
    private let figures: RefreshFigures
    private var schedule: HostSchedule<RefreshItem>
    private var hosts: HostTable
    private var redirected = RedirectedItems()
    private var tickets: [UInt64: FetchTicket] = [:]
    private var nextTicket: UInt64 = 0
    private var random = SystemRandomNumberGenerator()

    init(
        options: RefreshOptions,
        rules: ProcessingRules,
        key: InstanceKey?,
        session: CatalogSession,
        store: any MediaStore,
        fetcher: any MediaFetching,
        arrivals: Arrivals,
        inbox: DispatchInbox,
        ledger: RefreshLedger,
        control: RunControl,
        figures: RefreshFigures,
        plan: RefreshPlan,
        suspects: [String]
    ) {
        self.options = options
        self.rules = rules
        self.key = key
        self.session = session
        self.store = store
        self.fetcher = fetcher
        self.arrivals = arrivals
        self.inbox = inbox
        self.ledger = ledger
        self.control = control
        self.figures = figures
        schedule = HostSchedule(options.pace)
        let planned = plan.take()
        hosts = planned.hosts
        for name in suspects { schedule.suspect(hosts.id(for: name)) }
        for entry in planned.entries { schedule.add(entry.item, host: entry.host) }
    }

    /// Begins fetches until nothing is left, or the run stops; then nothing is under way any more.
    /// - Parameter deadline: monotonic nanoseconds at which the run stops by itself; nil for none.
    func run(until deadline: Int64?) throws(SyncError) {
        defer {
            figures.set(schedule, hosts: hosts, now: Host.monotonicNanoseconds(), isLast: true)
            cancelAll()
        }
        while true {
            let now = Host.monotonicNanoseconds()
            if let deadline, now >= deadline { control.stop(Self.outOfTime(options.durationMax)) }
            if control.shouldStop { return }
            for message in inbox.take(waitingUntil: nil) { hear(message, now: now) }
            figures.set(schedule, hosts: hosts, now: now)
            let room = min(arrivals.room(underWay: tickets.count), Self.batchItems)
            guard room > 0 else {
                pause(until: now + Self.napNanoseconds)
                continue
            }
            var starts: [Start] = []
            var decision = schedule.next(now: now)
            while case .start(let item, let host) = decision {
                if redirected.isCrowded(item, host) {
                    schedule.ended(host, .abandoned, now: now)
                    schedule.giveBack(item, host: host, notBefore: now + Self.crowdedNanoseconds)
                } else {
                    starts.append(Start(item: item, host: host))
                }
                if starts.count == room { break }
                decision = schedule.next(now: now)
            }
            if !starts.isEmpty {
                try begin(starts)
                continue
            }
            switch decision {
            case .start: break
            case .wait(let time): pause(until: min(time, now + Self.napNanoseconds))
            case .busy: pause(until: now + Self.napNanoseconds)
            case .finished:
                guard inbox.isExpecting else { return park() }
                pause(until: now + Self.napNanoseconds)
            }
        }
    }

    private func pause(until time: Int64) {
        for message in inbox.take(waitingUntil: time) { hear(message, now: Host.monotonicNanoseconds()) }
    }

    private static func outOfTime(_ limit: Duration?) -> SyncError {
        let seconds = limit.map { "\($0.components.seconds) seconds" } ?? "its time"
        return SyncError(
            .limitReached,
            "stopped after \(seconds): --max-duration",
            hint: "run the same command again; it goes on where this one stopped"
        )
    }

    // MARK: Beginning

    private func begin(_ starts: [Start]) throws(SyncError) {
        var rows: [CatalogTable: [Int64: RemoteRow]] = [:]
        for table in CatalogTable.allCases {
            let ids = starts.filter { CatalogTable(of: $0.item.kind) == table }.map(\.item.id)
            guard !ids.isEmpty else { continue }
            rows[table] = try session.read { (reader) throws(SyncError) in try reader.remoteRows(table, ids: ids) }
        }
        for start in starts {
            let row = rows[CatalogTable(of: start.item.kind)]?[start.item.id]
            begin(start, row?.media.first { $0.kind == start.item.kind })
        }
    }

    private func begin(_ start: Start, _ row: RemoteMedia?) {
        let item = start.item
        let now = Host.monotonicNanoseconds()
        guard let row, !row.url.isEmpty, let role = MediaRole(item.kind) else {
            schedule.ended(start.host, .abandoned, now: now)
            redirected.forget(item)
            ledger.superseded(item)
            return settle(item)
        }
        let redirect = item.step == .actor ? nil : redirected.take(item, of: row.url)
        let host = hosts.id(
            for: HostName.of(item.step == .actor ? row.accountURI ?? "" : redirect?.url ?? row.url)
        )
        if host != start.host {
            // The row has another address by now, at a host with a pace of its own.
            schedule.ended(start.host, .abandoned, now: now)
            return schedule.add(item, host: host)
        }
        if item.step == .actor { return askActor(item, row, host) }
        do throws(FileFault) {
            if !options.force, !options.damaged.contains(item.reference), let stored = row.stored,
                try RowLook.isPresent(stored, in: store)
            {
                // Mastodon, or somebody, was faster.
                schedule.ended(host, .abandoned, now: now)
                ledger.present(item, at: stored.path(of: .original))
                return settle(item)
            }
            try fetch(item, row, role, host, redirect, into: store.makeSpool())
        } catch {
            schedule.ended(host, .abandoned, now: now)
            let fault = error.syncError("cannot prepare the file of \(item.label)")
            if fault.retry == .abortStage { control.stop(fault) }
            ledger.failed(item, reason: "store", fault)
            settle(item)
        }
    }

    private func askActor(_ item: RefreshItem, _ row: RemoteMedia, _ host: HostID) {
        nextTicket += 1
        let number = nextTicket
        var request = ActorLookup.request(of: row.accountURI ?? "", key: key)
        // A document of another host is none of this actor's.
        request.followsToOtherHosts = false
        tickets[number] = fetcher.start(request) { [inbox] result in
            switch result {
            case .success(let answer): inbox.post(.document(item, row, host, answer, ticket: number))
            case .failure(let fault): inbox.post(.failed(item, row, host, fault, ticket: number))
            }
        }
    }

    private func fetch(
        _ item: RefreshItem,
        _ row: RemoteMedia,
        _ role: MediaRole,
        _ host: HostID,
        _ redirect: FetchRedirect?,
        into spool: SpoolFile
    ) {
        var request = FetchRequest(
            url: row.url,
            byteLimit: rules.downloadBytes(role),
            body: .file(descriptor: spool.descriptor)
        )
        // Another host has a pace of its own: the item waits for its turn there.
        request.followsToOtherHosts = false
        if let redirect { request.goOn(at: redirect) }
        nextTicket += 1
        let number = nextTicket
        // It may end before `start` returns: what it tells is heard later, by this thread.
        tickets[number] = fetcher.start(request) { [arrivals, inbox] result in
            // The spool is held here until the fetch has ended.
            switch result {
            case .success(let answer):
                if item.thumbnailHost != nil { inbox.expect() }
                arrivals.add(Arrival(item: item, row: row, spool: spool, answer: answer))
                inbox.post(.arrived(host, answer.paceEnding, requests: answer.requests, ticket: number))
            case .failure(let fault):
                inbox.post(.failed(item, row, host, fault, ticket: number))
            }
        }
    }

    // MARK: Hearing

    private func hear(_ message: DispatchInbox.Message, now: Int64) {
        switch message {
        case .arrived(let host, let ending, let requests, let ticket):
            tickets[ticket] = nil
            schedule.ended(host, ending, requests: requests, now: now)
        case .failed(let item, let row, let host, let fault, let ticket):
            tickets[ticket] = nil
            schedule.ended(host, fault.paceEnding, requests: fault.requests, now: now)
            fail(item, row, host, fault, now: now)
        case .document(let item, let row, let host, let answer, let ticket):
            tickets[ticket] = nil
            schedule.ended(host, answer.paceEnding, requests: answer.requests, now: now)
            move(item, row, answer)
        case .fileDone(let item): settle(item)
        case .look: break
        }
    }

    private func fail(_ item: RefreshItem, _ row: RemoteMedia, _ host: HostID, _ fault: FetchFault, now: Int64) {
        if fault.kind == .writing {
            return control.stop(
                SyncError(
                    .exhausted,
                    "cannot keep what is fetched",
                    why: fault.message,
                    hint: "make room on the disk of the media and run the same command again",
                    retry: .abortStage
                )
            )
        }
        if let redirect = fault.redirect { return goOn(item, row, host, redirect) }
        if startsLookup(item, row, fault) { return }
        switch fault.verdict {
        case .cancelled: return
        // The account itself is gone, or says nothing: what was said of the picture stands.
        case .gone where item.step == .actor, .final where item.step == .actor: endLookup(item, row, fault)
        case .gone:
            ledger.gone(item)
        case .final:
            ledger.failed(item, reason: fault.word, fault.syncError(row))
        case .retry:
            var item = item
            item.tries += 1
            if item.tries < options.triesMax {
                let wait = Self.retryBackoff.delay(attempt: Int(item.tries), using: &random)
                let pause = Int64(max(wait, fault.retryAfter ?? .zero).nanoseconds)
                // Not where a redirect led: it may lead elsewhere the next time.
                let own = item.step == .actor ? host : hosts.id(for: HostName.of(row.url))
                return schedule.giveBack(item, host: own, notBefore: now + pause)
            }
            if item.step == .actor { return endLookup(item, row, fault) }
            ledger.failed(item, reason: fault.word, fault.syncError(row))
        }
        settle(item)
    }

    /// The file is at another host: its turn there is waited for.
    private func goOn(_ item: RefreshItem, _ row: RemoteMedia, _ host: HostID, _ redirect: FetchRedirect) {
        if item.step == .actor {
            return endLookup(item, row, FetchFault(.badRedirect, "the actor's address leads to another host"))
        }
        redirected.add(item, of: row.url, from: host, redirect)
        schedule.add(item, host: hosts.id(for: HostName.of(redirect.url)))
    }

    // MARK: New addresses

    /// Pictures of accounts move: where one is not at its address any more, the account's document is asked for, once.
    private func startsLookup(_ item: RefreshItem, _ row: RemoteMedia, _ fault: FetchFault) -> Bool {
        guard options.looksUpActors, item.step == .file, item.kind == .avatar || item.kind == .header,
            [.status(403), .status(404), .status(410)].contains(fault.kind), let uri = row.accountURI, !uri.isEmpty
        else { return false }
        var item = item
        item.step = .actor
        item.tries = 0
        item.wasGone = fault.verdict == .gone
        schedule.add(item, host: hosts.id(for: HostName.of(uri)))
        return true
    }

    private func endLookup(_ item: RefreshItem, _ row: RemoteMedia, _ fault: FetchFault) {
        if item.wasGone { return ledger.gone(item) }
        ledger.failed(item, reason: fault.word, fault.syncError(row))
    }

    /// Takes the new address from an account's document, and writes it into the row.
    private func move(_ item: RefreshItem, _ row: RemoteMedia, _ answer: FetchAnswer) {
        let document: ActorDocument
        do throws(FetchFault) {
            document = try ActorLookup.document(in: answer, of: row.accountURI ?? "")
        } catch {
            return endLookup(item, row, error)
        }
        guard let url = item.kind == .avatar ? document.icon : document.image, url != row.url,
            url.utf8.count <= CatalogReader.urlCharactersMax
        else {
            return endLookup(item, row, FetchFault(.status(404), "the account's document names no other address"))
        }
        do throws(SyncError) {
            guard try session.readOnce({ (reader) throws(SyncError) in try reader.move(row, to: url) }) else {
                return ledger.superseded(item)
            }
        } catch {
            return control.stop(error)
        }
        var item = item
        item.step = .moved
        item.tries = 0
        schedule.add(item, host: hosts.id(for: HostName.of(url)))
    }

    /// A file's row is written or will not be: its thumbnail's turn comes.
    private func settle(_ item: RefreshItem) {
        guard let host = item.thumbnailHost else { return }
        schedule.add(RefreshItem(.thumbnail, item.id), host: host)
    }

    /// Items of hosts that do not answer: told, and left for a later run.
    private func park() {
        for (item, host) in schedule.drainParked() {
            let error = SyncError(
                .item,
                "\(item.label) was not fetched",
                why: "its server does not answer: \(BytePath(hosts.name(of: host)))",
                hint: "try again later: mediasync refresh --retry-failed",
                retry: .backOff
            )
            ledger.failed(item, reason: "unreachable", error)
        }
    }

    private func cancelAll() {
        for ticket in tickets.values { fetcher.cancel(ticket) }
        // Every fetch that was begun ends in a message.
        while !tickets.isEmpty {
            for message in inbox.take(waitingUntil: Host.monotonicNanoseconds() + Self.napNanoseconds) {
                switch message {
                case .arrived(_, _, _, let ticket), .failed(_, _, _, _, let ticket), .document(_, _, _, _, let ticket):
                    tickets[ticket] = nil
                case .fileDone, .look: break
                }
            }
        }
    }
}
