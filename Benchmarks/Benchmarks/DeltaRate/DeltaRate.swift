import Delta
import Glibc

/// How fast a signature is made and a delta found, on one thread, of files that are in memory: for `scripts/bench delta`.
///
/// DeltaRate OLD NEW
///
/// Prints seconds of both as JSON, with the bytes that would be sent.
@main
enum DeltaRate {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let old = contents(of: arguments[1]), let new = contents(of: arguments[2]),
            let plan = BlockPlan(fileBytes: Int64(old.count))
        else {
            print("usage: DeltaRate OLD NEW")
            exit(64)
        }
        let begin = seconds()
        var at = 0
        let signature = Signature.make(plan, seed: 1) { buffer in next(old, &at, buffer) }
        let signed = seconds()
        guard let signature else { exit(1) }
        var figures = DeltaFigures()
        var pieces = 0
        at = 0
        figures = DeltaScanner(signature).scan(read: { buffer in next(new, &at, buffer) }) { _ in pieces += 1 }
        let found = seconds()
        print(
            """
            {"block": \(plan.blockBytes), "strong": \(plan.strongBytes), "signature": \(signed - begin), \
            "delta": \(found - signed), "literals": \(figures.literalBytes), "pieces": \(pieces), \
            "signature_bytes": \(plan.blockCount * (4 + plan.strongBytes))}
            """
        )
    }

    private static func next(
        _ file: UnsafeRawBufferPointer,
        _ at: inout Int,
        _ buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = min(buffer.count, file.count - at)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: file[at..<at + count]))
        at += count
        return count
    }

    /// The whole file, in memory for as long as the process lives.
    private static func contents(of path: String) -> UnsafeRawBufferPointer? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return nil }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: status.st_size, alignment: 64)
        var filled = 0
        while filled < buffer.count {
            let count = read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            guard count > 0 else { return nil }
            filled += count
        }
        return UnsafeRawBufferPointer(buffer)
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
