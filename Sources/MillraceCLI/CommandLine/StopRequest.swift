internal import Glibc
internal import Synchronization

/// The wish of a person or of the system that the work ends: SIGINT (Ctrl-C) or SIGTERM.
package enum StopRequest {
  private static let flag = Atomic(false)

  /// Whether the work should end at its next good moment.
  package static var isMade: Bool { flag.load(ordering: .relaxed) }

  /// Turns the first SIGINT or SIGTERM into a request; a second one ends the process at once.
  package static func listen() {
    // Made here, because a signal handler must not be the first to use it.
    flag.store(false, ordering: .relaxed)
    var numbers = sigset_t()
    sigemptyset(&numbers)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&numbers, number)
      signal(number) { number in
        StopRequest.flag.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
    // A process inherits what the thread that started it had blocked.
    sigprocmask(SIG_UNBLOCK, &numbers, nil)
  }
}
