/// Hears how much of a dump's file was read: bytes of the file, compressed ones where it is compressed. Called after every few
/// mebibytes of text and at the end, on the thread that reads; it must not block.
package typealias DumpProgress = @Sendable (_ bytesRead: Int64) -> Void
