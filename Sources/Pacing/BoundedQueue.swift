internal import DequeModule

/// First in, first out, never longer than its capacity: who offers waits until there is room (back-pressure), who takes
/// waits until there is something. For threads of our own pools.
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements = Deque<Element>()
        var closed = false
    }

    private enum Room {
        static var forRoom: Int { 0 }
        static var forElements: Int { 1 }
    }

    /// The most elements that ever wait.
    package let capacity: Int
    private let state = Monitor(State(), waitingRooms: 2)

    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Adds an element, waiting for room. False, and the element is not taken, once the queue is closed.
    package func offer(_ element: Element) -> Bool {
        let taken = state.wait(in: Room.forRoom) { state -> Bool? in
            if state.closed { return false }
            guard state.elements.count < capacity else { return nil }
            state.elements.append(element)
            return true
        }
        state.wakeOne(in: Room.forElements)
        return taken
    }

    /// Removes the oldest element, waiting for one. Nil once the queue is closed and empty.
    package func take() -> Element? {
        let element = state.wait(in: Room.forElements) { state -> Element?? in
            if let element = state.elements.popFirst() { return .some(element) }
            return state.closed ? .some(nil) : nil
        }
        state.wakeOne(in: Room.forRoom)
        return element
    }

    /// Removes what is there, oldest first, waiting for the first: work that is cheaper together is taken together, and
    /// nothing waits for company. Empty once the queue is closed and empty.
    package func take(upTo count: Int) -> [Element] {
        let elements = state.wait(in: Room.forElements) { state -> [Element]? in
            if state.elements.isEmpty { return state.closed ? [] : nil }
            let taken = Array(state.elements.prefix(count))
            state.elements.removeFirst(taken.count)
            return taken
        }
        if elements.count > 1 { state.wakeAll(in: Room.forRoom) } else { state.wakeOne(in: Room.forRoom) }
        return elements
    }

    /// The same for work that is much cheaper together: once there is something, it waits a little for company, until there
    /// is enough of it or the queue is closed.
    /// - Parameters:
    ///   - nanoseconds: the longest wait behind the first element.
    ///   - now: the monotonic clock, in nanoseconds.
    package func take(upTo count: Int, gathering nanoseconds: Int64, now: () -> Int64) -> [Element] {
        var taken = take(upTo: count)
        if taken.isEmpty { return [] }
        let deadline = now() + nanoseconds
        while taken.count < count {
            let more = state.wait(in: Room.forElements, until: deadline) { state -> [Element]? in
                if state.elements.isEmpty { return state.closed ? [] : nil }
                let more = Array(state.elements.prefix(count - taken.count))
                state.elements.removeFirst(more.count)
                return more
            }
            guard let more, !more.isEmpty else { break }
            state.wakeAll(in: Room.forRoom)
            taken += more
        }
        return taken
    }

    /// No more elements: takers drain what is there and then get nil.
    package func close() {
        state.withLock { $0.closed = true }
        state.wakeAll(in: Room.forRoom)
        state.wakeAll(in: Room.forElements)
    }

    package var count: Int { state.withLock { $0.elements.count } }
}
