/// Fetches that wait for a slot, first come, first served.
struct WaitingTransfers {
    struct Entry {
        let number: UInt64
        let request: FetchRequest
        let completion: FetchInbox.Completion
    }

    private var entries: [UInt64: Entry] = [:]
    /// The order; numbers of entries that were removed stay until their turn.
    private var order: [UInt64] = []
    private var next = 0

    mutating func add(_ entry: Entry) {
        entries[entry.number] = entry
        order.append(entry.number)
    }

    mutating func removeFirst() -> Entry? {
        while next < order.count {
            let number = order[next]
            next += 1
            if next > 1024, next * 2 > order.count {
                order.removeFirst(next)
                next = 0
            }
            if let entry = entries.removeValue(forKey: number) { return entry }
        }
        order.removeAll(keepingCapacity: true)
        next = 0
        return nil
    }

    mutating func remove(_ number: UInt64) -> Entry? {
        entries.removeValue(forKey: number)
    }
}
