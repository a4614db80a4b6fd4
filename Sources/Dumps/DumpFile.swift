package import Archives
internal import Glibc
package import MediaModel
internal import Storage

/// An open dump: a file or a directory, held by its descriptor, so that every pass reads the same bytes whatever becomes of
/// the name meanwhile.
package final class DumpFile: Sendable {
    /// As the user named it; `-` for standard input.
    package let path: BytePath
    package let kind: DumpKind
    package let compression: Compression
    /// Bytes of the file; of all files of a directory.
    package let size: Int64
    /// When the file was written last, in seconds since 1970; nil where it came through a pipe.
    package let modifiedAt: Int64?
    /// Where files without a name may be made.
    let scratchDirectory: BytePath
    /// Open until this value is gone.
    let descriptor: Int32
    private let state: DumpState

    /// Opens a dump and tells what it is. What is no regular file (standard input, a pipe) is written to a file without a
    /// name first. Blocks.
    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - spoolDirectory: where a stream is written to; it needs the room of the whole dump.
    package static func open(_ path: BytePath, spoolDirectory: BytePath) throws(SyncError) -> DumpFile {
        let (descriptor, metadata) = try openUserFile(path)
        switch metadata.kind {
        case .directory:
            return try DumpFile(path: path, directory: descriptor, metadata: metadata, scratch: spoolDirectory)
        case .file:
            return try DumpFile(
                path: path,
                file: descriptor,
                metadata: metadata,
                modifiedAt: true,
                scratch: spoolDirectory
            )
        default:
            let spooled = try DumpSpool.fill(from: OpenFile(raw: descriptor), directory: spoolDirectory)
            let metadata: Metadata
            do throws(FileFault) { metadata = try spooled.metadata() } catch {
                throw error.syncError("cannot look at the dump's copy in \(spoolDirectory)")
            }
            return try DumpFile(
                path: path,
                file: spooled.detach(),
                metadata: metadata,
                modifiedAt: false,
                scratch: spoolDirectory
            )
        }
    }

    /// The descriptor belongs to the caller.
    private static func openUserFile(_ path: BytePath) throws(SyncError) -> (Int32, Metadata) {
        do throws(FileFault) {
            let file = path == BytePath("-") ? try OpenFile.duplicate(STDIN_FILENO) : try OpenFile.openUserFile(path)
            let metadata = try file.metadata()
            return (file.detach(), metadata)
        } catch {
            var fault = error.syncError("cannot open the dump \(path)")
            if error.kind == .missing { fault.hint = "check the path" }
            fault.code = fault.code == .item ? .unusable : fault.code
            throw fault
        }
    }

    /// - Parameter file: owned from here on, also where this throws.
    private init(
        path: BytePath,
        file: Int32,
        metadata: Metadata,
        modifiedAt isMeaningful: Bool,
        scratch: BytePath
    ) throws(SyncError) {
        self.path = path
        scratchDirectory = scratch
        descriptor = file
        size = metadata.size
        modifiedAt = isMeaningful ? metadata.modificationTime.seconds : nil
        state = DumpState(of: [DumpState.Entry(name: .root, metadata: metadata)])
        do throws(SyncError) {
            (kind, compression) = try DumpSniffer.identify(file, path: path)
        } catch {
            _ = OpenFile(raw: file)
            throw error
        }
    }

    /// - Parameter directory: owned from here on, also where this throws.
    private init(path: BytePath, directory: Int32, metadata: Metadata, scratch: BytePath) throws(SyncError) {
        self.path = path
        scratchDirectory = scratch
        descriptor = directory
        kind = .directory
        compression = .none
        modifiedAt = metadata.modificationTime.seconds
        do throws(SyncError) {
            state = try DumpState(directory: HeldDirectory(raw: directory), path: path)
        } catch {
            _ = OpenFile(raw: directory)
            throw error
        }
        size = state.size
    }

    deinit {
        _ = OpenFile(raw: descriptor)
    }

    /// Throws where the dump is not the one that was opened any more: written to, cut, or files of a directory replaced.
    /// Asked before and after each pass.
    package func checkUnchanged() throws(SyncError) {
        let now: DumpState
        if kind == .directory {
            now = try DumpState(directory: HeldDirectory(raw: descriptor), path: path)
        } else {
            let file = OpenFile(raw: descriptor)
            let result = Result { () throws(FileFault) in try file.metadata() }
            _ = file.detach()
            do throws(FileFault) {
                now = DumpState(of: [DumpState.Entry(name: .root, metadata: try result.get())])
            } catch { throw error.syncError("cannot look at the dump \(path)") }
        }
        if !now.isSame(as: state) {
            throw SyncError(
                .sourceChanged,
                "the dump \(path) changed while it was read",
                hint: "wait until it is complete, then run the command again"
            )
        }
    }

    /// Where another program finds this very dump while this value lives, whatever its name points to by now.
    package var pathForPrograms: BytePath { BytePath("/proc/\(getpid())/fd/\(descriptor)") }

    /// The text of a plain or cluster dump out of the bytes of its file.
    func decompressing(_ reader: FileReader) throws(SyncError) -> any ByteSource {
        compression == .none ? reader : try DecompressingSource(reader, compression: compression)
    }
}
