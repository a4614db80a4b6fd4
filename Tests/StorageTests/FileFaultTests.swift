import Glibc
import MediaModel
import Testing

@testable import Storage

/// The whole table: what each errno means for a run, and the advice.
@Suite struct FileFaultTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let number: Int32
        let name: String
        let kind: FileFault.Kind
        let code: SyncError.Code
        let retry: SyncError.Retry
        var hasHint = true
        var testDescription: String { name }
    }

    static let rows = [
        Row(number: ENOSPC, name: "ENOSPC", kind: .noSpace, code: .exhausted, retry: .abortStage),
        Row(number: EDQUOT, name: "EDQUOT", kind: .noSpace, code: .exhausted, retry: .abortStage),
        Row(number: EMFILE, name: "EMFILE", kind: .noDescriptors, code: .exhausted, retry: .abortStage),
        Row(number: ENFILE, name: "ENFILE", kind: .noDescriptors, code: .exhausted, retry: .abortStage),
        Row(number: ENOMEM, name: "ENOMEM", kind: .other, code: .exhausted, retry: .abortStage),
        Row(number: EROFS, name: "EROFS", kind: .readOnly, code: .unusable, retry: .abortStage),
        Row(number: EACCES, name: "EACCES", kind: .denied, code: .item, retry: .never),
        Row(number: EPERM, name: "EPERM", kind: .denied, code: .item, retry: .never),
        Row(number: EIO, name: "EIO", kind: .other, code: .item, retry: .never),
        Row(number: ENOENT, name: "ENOENT", kind: .missing, code: .item, retry: .backOff),
        Row(number: ESTALE, name: "ESTALE", kind: .missing, code: .item, retry: .backOff),
        Row(number: ENAMETOOLONG, name: "ENAMETOOLONG", kind: .other, code: .item, retry: .never),
        Row(number: EFBIG, name: "EFBIG", kind: .tooLarge, code: .item, retry: .never),
        Row(number: EILSEQ, name: "EILSEQ", kind: .other, code: .item, retry: .never),
        Row(number: EINVAL, name: "EINVAL", kind: .unsupported, code: .item, retry: .never),
        Row(number: ETXTBSY, name: "ETXTBSY", kind: .other, code: .item, retry: .backOff),
        Row(number: EBUSY, name: "EBUSY", kind: .other, code: .item, retry: .backOff),
        Row(number: EEXIST, name: "EEXIST", kind: .exists, code: .item, retry: .never, hasHint: false),
        Row(number: ENOTEMPTY, name: "ENOTEMPTY", kind: .notEmpty, code: .item, retry: .never, hasHint: false),
        Row(number: ENOTDIR, name: "ENOTDIR", kind: .wrongKind, code: .item, retry: .never, hasHint: false),
        Row(number: ELOOP, name: "ELOOP", kind: .wrongKind, code: .item, retry: .never, hasHint: false),
        Row(number: EISDIR, name: "EISDIR", kind: .wrongKind, code: .item, retry: .never, hasHint: false),
        Row(number: EXDEV, name: "EXDEV", kind: .crossDevice, code: .item, retry: .never, hasHint: false),
        Row(number: EOPNOTSUPP, name: "EOPNOTSUPP", kind: .unsupported, code: .item, retry: .never, hasHint: false),
        Row(number: ENOSYS, name: "ENOSYS", kind: .unsupported, code: .item, retry: .never, hasHint: false),
        Row(number: EOVERFLOW, name: "EOVERFLOW", kind: .tooLarge, code: .item, retry: .never, hasHint: false),
        Row(number: EWOULDBLOCK, name: "EAGAIN", kind: .wouldBlock, code: .item, retry: .never, hasHint: false),
    ]

    @Test("an errno has its kind, its exit status, its advice and its name", arguments: rows)
    func row(row: Row) {
        let fault = FileFault("openat", -row.number)
        let error = fault.syncError("could not do it")
        #expect(fault.kind == row.kind)
        #expect(error.code == row.code)
        #expect(error.retry == row.retry)
        #expect((error.hint != nil) == row.hasHint)
        #expect(error.what == "could not do it")
        #expect(error.why?.hasSuffix("(\(row.name), openat)") == true, "\(error.why ?? "")")
    }

    @Test("every other errno is one item's failure and is named")
    func others() {
        for number in 1...133 as ClosedRange<Int32> where !Self.rows.contains(where: { $0.number == number }) {
            let error = FileFault("call", -number).syncError("x")
            #expect(error.code == .item && error.retry == .never, "\(number)")
            #expect(error.why?.isEmpty == false)
        }
    }
}
