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

    /// No more elements: takers drain what is there and then get nil.
    package func close() {
        state.withLock { $0.closed = true }
        state.wakeAll(in: Room.forRoom)
        state.wakeAll(in: Room.forElements)
    }

    package var count: Int { state.withLock { $0.elements.count } }
}
