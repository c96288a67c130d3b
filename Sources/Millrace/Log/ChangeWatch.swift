internal import Glibc

/// Waits until files may have changed, without reading them and without a busy loop.
///
/// inotify wakes within some tens of microseconds. Every 100 ms the caller is asked to look anyway:
/// network file systems do not tell of other machines' writes. Without inotify (a user may have
/// 128 instances by default) it looks every 2 ms.
final class ChangeWatch {
  private let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Also waits for changes of this file, or of the files in this directory.
  func add(_ path: String) {
    _ = inotify_add_watch(
      descriptor, path,
      UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB))
  }

  /// Waits until something changes, `limit` at most.
  ///
  /// - Returns: whether something did; when in doubt `false`, so that one has to look.
  func wait(upTo limit: Duration) -> Bool {
    guard descriptor >= 0 else {
      usleep(UInt32(min(limit, .milliseconds(2)) / .microseconds(1)))
      return false
    }
    guard waitReadable(descriptor, upTo: min(limit, .milliseconds(100))) else { return false }
    // What changed does not matter: the events are only taken off the queue.
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { events in
      while read(descriptor, events.baseAddress, events.count) == events.count {}
    }
    return true
  }
}

/// Waits until a descriptor has something to read, or has ended, about `limit` at most.
func waitReadable(_ descriptor: Int32, upTo limit: Duration) -> Bool {
  var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  let milliseconds = (max(limit, .zero) / .milliseconds(1)).rounded(.up)
  return poll(&request, 1, Int32(min(milliseconds, 1e9))) > 0
}
