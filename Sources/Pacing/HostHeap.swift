/// Hosts in the order of a number, smallest first; each is in it once at most, and can be moved or taken out.
struct HostHeap: Sendable {
    private struct Entry: Sendable {
        let key: Int64
        let host: UInt32
    }

    private var entries: [Entry] = []
    /// By host: its place in `entries`, or -1.
    private var places: [Int32] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var first: (host: UInt32, key: Int64)? { entries.first.map { ($0.host, $0.key) } }

    func contains(_ host: UInt32) -> Bool {
        Int(host) < places.count && places[Int(host)] >= 0
    }

    mutating func set(_ host: UInt32, key: Int64) {
        while places.count <= Int(host) { places.append(-1) }
        let entry = Entry(key: key, host: host)
        let place = Int(places[Int(host)])
        if place < 0 {
            entries.append(entry)
            rise(from: entries.count - 1, entry)
        } else if key < entries[place].key {
            rise(from: place, entry)
        } else {
            sink(from: place, entry)
        }
    }

    mutating func remove(_ host: UInt32) {
        guard contains(host) else { return }
        let place = Int(places[Int(host)])
        places[Int(host)] = -1
        let last = entries.removeLast()
        guard place < entries.count else { return }
        if last.key < entries[place].key { rise(from: place, last) } else { sink(from: place, last) }
    }

    /// Puts an entry where its key belongs, at `place` or nearer the root.
    private mutating func rise(from place: Int, _ entry: Entry) {
        var place = place
        while place > 0 {
            let parent = (place - 1) / 2
            if entries[parent].key <= entry.key { break }
            put(entries[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    /// The same, at `place` or further from the root.
    private mutating func sink(from place: Int, _ entry: Entry) {
        var place = place
        while true {
            var child = place * 2 + 1
            if child >= entries.count { break }
            if child + 1 < entries.count, entries[child + 1].key < entries[child].key { child += 1 }
            if entries[child].key >= entry.key { break }
            put(entries[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        entries[place] = entry
        places[Int(entry.host)] = Int32(place)
    }
}
