/// Items with the time before which they must not start, earliest first.
struct DelayedItems<Item: Sendable>: Sendable {
    struct Entry: Sendable {
        let time: Int64
        let host: UInt32
        let item: Item
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }
    var firstTime: Int64? { entries.first?.time }

    mutating func add(_ entry: Entry) {
        entries.append(entry)
        var place = entries.count - 1
        while place > 0, entries[(place - 1) / 2].time > entries[place].time {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// The earliest entry, where its time has come.
    mutating func removeFirst(until now: Int64) -> Entry? {
        guard let first = entries.first, first.time <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var place = 0
        while true {
            var child = place * 2 + 1
            if child >= entries.count { return first }
            if child + 1 < entries.count, entries[child + 1].time < entries[child].time { child += 1 }
            if entries[child].time >= entries[place].time { return first }
            entries.swapAt(child, place)
            place = child
        }
    }
}
