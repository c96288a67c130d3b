internal import CCrypto

/// SHA-256 (FIPS 180-4): the digests that `sha256sum` prints.
public enum SHA256 {
  /// Bytes in a digest.
  static let byteCount = 32

  /// The digest, 32 bytes.
  ///
  /// - Throws: `system` when libcrypto refuses.
  public static func digest(of bytes: ArraySlice<UInt8>) throws(MillraceError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: byteCount)
    let done = bytes.withUnsafeBytes {
      EVP_Digest($0.baseAddress, $0.count, &digest, nil, EVP_sha256(), nil)
    }
    guard done == 1 else { throw MillraceError(.system, "libcrypto cannot compute SHA-256") }
    return digest
  }

  /// The digest as 64 lower-case hexadecimal digits.
  ///
  /// - Throws: `system` when libcrypto refuses.
  public static func hexDigest(of bytes: ArraySlice<UInt8>) throws(MillraceError) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let digest = try digest(of: bytes)
    return String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
