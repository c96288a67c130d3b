internal import CZlib

/// Inflates gzip data piece by piece: members one after another are one stream, as with `gzip -d`.
///
/// `@unchecked Sendable`: the zlib state has one owner, this value, which cannot be copied.
public struct GzipInflater: ~Copyable, @unchecked Sendable {
  /// On the heap, because zlib keeps a pointer back to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private let name: String
  private var insideMember = true

  /// The bytes that a gzip file starts with.
  public static let magic: [UInt8] = [0x1f, 0x8b]

  /// An inflater at the start of a stream.
  ///
  /// - Parameter name: the file's name, for messages.
  /// - Throws: `system` when there is no memory.
  public init(name: String) throws(MillraceError) {
    self.name = name
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard millrace_inflate_init(stream) == Z_OK else {
      throw MillraceError(.system, "\(name): no memory to inflate gzip data")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Inflates what fits: when no more is written, all of `input` is used or `output` is full.
  ///
  /// - Parameters:
  ///   - input: the next bytes of the stream; may be empty, to fetch what is still held back.
  ///   - output: where the inflated bytes go.
  /// - Returns: how many bytes of `input` were used and of `output` written.
  /// - Throws: `input` when the data is not gzip, or damaged.
  public mutating func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(MillraceError) -> (consumed: Int, produced: Int) {
    var consumed = 0
    var produced = 0
    while produced < output.count {
      if !insideMember {
        while consumed < input.count && input[consumed] == 0 { consumed += 1 }  // padding
        if consumed == input.count { break }
        inflateReset(stream)
        insideMember = true
      }
      let offered = min(input.count - consumed, Int(UInt32.max))
      let room = min(output.count - produced, Int(UInt32.max))
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress?.advanced(by: consumed).assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(offered)
      stream.pointee.next_out = output.baseAddress?.advanced(by: produced)
        .assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      consumed += offered - Int(stream.pointee.avail_in)
      produced += room - Int(stream.pointee.avail_out)
      if status == Z_STREAM_END {
        insideMember = false
      } else if status == Z_BUF_ERROR {  // nothing more can be done with what there is
        break
      } else if status != Z_OK {
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
        throw MillraceError(
          .input, "\(name): damaged gzip data after \(stream.pointee.total_out) bytes: \(reason)")
      }
    }
    return (consumed, produced)
  }

  /// Says that no input will follow.
  ///
  /// - Throws: `input` when the data stopped in the middle: the file was cut short.
  public func finish() throws(MillraceError) {
    guard insideMember else { return }
    throw MillraceError(
      .input,
      "\(name): the gzip data stops after \(stream.pointee.total_out) bytes without its end; "
        + "the file was cut short")
  }
}
