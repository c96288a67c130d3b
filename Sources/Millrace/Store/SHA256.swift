internal import CCrypto

/// SHA-256 (FIPS 180-4): the digests that `sha256sum` prints.
public enum SHA256 {
  /// Bytes in a digest.
  static let byteCount = 32

  /// The digest, 32 bytes.
  ///
  /// - Throws: `system` when libcrypto refuses.
  public static func digest(of bytes: ArraySlice<UInt8>) throws(MillraceError) -> [UInt8] {
    try digest(of: { (add) throws(MillraceError) in
      try bytes.withUnsafeBufferPointer { (bytes) throws(MillraceError) in
        try add(UnsafeRawBufferPointer(bytes))
      }
    })
  }

  /// The digest of an archive as a file.
  ///
  /// - Throws: `system` when libcrypto refuses.
  static func hexDigest(of archive: TensorArchive) throws(MillraceError) -> String {
    hexadecimal(try digest(of: archive.withParts))
  }

  /// The digest as 64 lower-case hexadecimal digits.
  ///
  /// - Throws: `system` when libcrypto refuses.
  public static func hexDigest(of bytes: ArraySlice<UInt8>) throws(MillraceError) -> String {
    hexadecimal(try digest(of: bytes))
  }

  /// The digest of the parts that `parts` passes on.
  private static func digest(
    of parts: ((UnsafeRawBufferPointer) throws(MillraceError) -> Void) throws(MillraceError) -> Void
  ) throws(MillraceError) -> [UInt8] {
    func check(_ done: Int32) throws(MillraceError) {
      guard done == 1 else { throw MillraceError(.system, "libcrypto cannot compute SHA-256") }
    }
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    try check(EVP_DigestInit_ex(context, EVP_sha256(), nil))
    try parts { (bytes) throws(MillraceError) in
      try check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }
    var digest = [UInt8](repeating: 0, count: byteCount)
    try check(EVP_DigestFinal_ex(context, &digest, nil))
    return digest
  }

  private static func hexadecimal(_ digest: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
