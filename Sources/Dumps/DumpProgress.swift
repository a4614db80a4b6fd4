/// Hears how much of a dump's file was read: bytes of the file, compressed ones where it is compressed. Called a few
/// times a second at most, on the thread that reads.
package typealias DumpProgress = @Sendable (_ bytesRead: Int64) -> Void
