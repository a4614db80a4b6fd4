/// How far a stage is whose work is not entries: bytes of a file that is read, or steps of unequal length.
package struct WorkProgress: Sendable, Equatable {
    package enum Unit: String, Sendable { case bytes, steps }

    package var done: Int64
    package var total: Int64
    package var unit: Unit

    package init(done: Int64 = 0, total: Int64 = 0, unit: Unit) {
        self.done = done
        self.total = total
        self.unit = unit
    }
}
