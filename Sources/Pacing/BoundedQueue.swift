internal import DequeModule

/// First in, first out, never longer than its capacity: who offers waits until there is room (back-pressure), who takes
/// waits until there is something. For threads of our own pools.
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements = Deque<Element>()
        var closed = false
        var waitingToOffer = 0
        var waitingToTake = 0
    }

    /// The most elements that ever wait.
    package let capacity: Int
    private let state = Monitor(State())

    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Adds an element, waiting for room. False, and the element is not taken, once the queue is closed.
    package func offer(_ element: Element) -> Bool {
        let taken = state.wait { state -> Bool? in
            if state.closed { return false }
            guard state.elements.count < capacity else { return nil }
            state.elements.append(element)
            return true
        }
        state.wakeAll()
        return taken
    }

    /// Removes the oldest element, waiting for one. Nil once the queue is closed and empty.
    package func take() -> Element? {
        let element = state.wait { state -> Element?? in
            if let element = state.elements.popFirst() { return .some(element) }
            return state.closed ? .some(nil) : nil
        }
        state.wakeAll()
        return element
    }

    /// No more elements: takers drain what is there and then get nil.
    package func close() {
        state.withLock { $0.closed = true }
        state.wakeAll()
    }

    package var count: Int { state.withLock { $0.elements.count } }
}
