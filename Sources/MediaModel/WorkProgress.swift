/// How far a stage is whose work is not entries: bytes of a file that is read, or steps of unequal length.
package struct WorkProgress: Sendable, Equatable {
    package enum Unit: String, Sendable { case bytes, steps }

    package var done: Int64
    package var total: Int64
    package var unit: Unit
    /// The part of the work that is done, from 0 to 1, where steps are weighed; nil: `done` of `total`.
    package var share: Double?
    /// What is worked on now, for people; escaped.
    package var current: String?

    package init(
        done: Int64 = 0,
        total: Int64 = 0,
        unit: Unit,
        share: Double? = nil,
        current: String? = nil
    ) {
        self.done = done
        self.total = total
        self.unit = unit
        self.share = share
        self.current = current
    }
}
