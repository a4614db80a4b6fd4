internal import MediaModel
internal import Postgres

/// What an engine says of a statement that it made itself.
func translate<Result>(
    _ what: @autoclosure () -> String,
    _ body: () throws(DatabaseFault) -> Result
) throws(SyncError) -> Result {
    do throws(DatabaseFault) {
        return try body()
    } catch {
        throw error.syncError(what())
    }
}

/// A name from a database or a dump, for people.
func shown(_ name: String) -> String { BytePath.escaped(Array(name.utf8)) }
