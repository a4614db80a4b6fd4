internal import Glibc

/// hiredis writes to a socket that the server may have closed; the signal for that would end a process that does not ignore it.
enum PipeSignal {
    /// Runs `body` on this thread without the signal.
    static func withoutIt<Result>(_ body: () -> Result) -> Result {
        var pipe = sigset_t()
        var before = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        let result = body()
        // One that came meanwhile is taken back before it could be delivered.
        if sigismember(&before, SIGPIPE) == 0 {
            var none = timespec()
            while sigtimedwait(&pipe, nil, &none) == SIGPIPE {}
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return result
    }
}
