/// Many queues in two arrays: an item costs its own bytes and four for the link to the next, however many hosts there are.
struct ItemLists<Item: Sendable>: Sendable {
    /// One queue: the places of its first and last item.
    struct List: Sendable {
        fileprivate var first = noPlace
        fileprivate var last = noPlace
        private(set) var count: UInt32 = 0
        var isEmpty: Bool { count == 0 }

        fileprivate mutating func grow() { count += 1 }
        fileprivate mutating func shrink() { count -= 1 }
    }

    private var items: [Item?] = []
    private var links: [UInt32] = []
    /// Places that are free again, linked to each other.
    private var free = noPlace

    mutating func append(_ item: Item, to list: inout List) {
        let place: UInt32
        if free != noPlace {
            place = free
            free = links[Int(place)]
            items[Int(place)] = item
            links[Int(place)] = noPlace
        } else {
            place = UInt32(items.count)
            items.append(item)
            links.append(noPlace)
        }
        if list.isEmpty { list.first = place } else { links[Int(list.last)] = place }
        list.last = place
        list.grow()
    }

    /// The first ones of a list, in their order.
    func first(_ count: UInt32, of list: List) -> [Item] {
        var found: [Item] = []
        var place = list.first
        for _ in 0..<min(count, list.count) {
            if let item = items[Int(place)] { found.append(item) }
            place = links[Int(place)]
        }
        return found
    }

    mutating func removeFirst(of list: inout List) -> Item? {
        guard !list.isEmpty else { return nil }
        let place = Int(list.first)
        let item = items[place]
        list.first = links[place]
        list.shrink()
        items[place] = nil
        links[place] = free
        free = UInt32(place)
        return item
    }
}

/// The link behind the last item. Two to the 32nd items would take a hundred gigabytes.
private let noPlace = UInt32.max
