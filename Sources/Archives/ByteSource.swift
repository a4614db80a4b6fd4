package import MediaModel

/// Bytes that come one after the other, from whatever holds them.
package protocol ByteSource: AnyObject {
    /// Fills the beginning of a buffer; fewer bytes than it holds say nothing, 0 is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int
}
