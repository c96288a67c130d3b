/// Which partition a key belongs to, as Kafka's own producers decide it.
package enum Partitioner {
  /// The partition of a key: `murmur2(key) & 0x7fffffff` modulo `count`, as the Java client's
  /// default (librdkafka: `murmur2_random`). The same key always goes to the same partition.
  package static func partition(of key: ArraySlice<UInt8>, count: Int) -> Int {
    Int(murmur2(key) & 0x7FFF_FFFF) % count
  }

  /// MurmurHash2 of 32 bits with the seed that Kafka takes.
  package static func murmur2(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let multiplier: UInt32 = 0x5BD1_E995
    var hash = 0x9747_B28C ^ UInt32(truncatingIfNeeded: bytes.count)
    var rest = bytes
    while rest.count >= 4 {
      var word = rest.prefix(4).reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
      word = word &* multiplier
      word = (word ^ word >> 24) &* multiplier
      hash = hash &* multiplier ^ word
      rest = rest.dropFirst(4)
    }
    if !rest.isEmpty {
      hash = (hash ^ rest.reversed().reduce(0) { $0 << 8 | UInt32($1) }) &* multiplier
    }
    hash = (hash ^ hash >> 13) &* multiplier
    return hash ^ hash >> 15
  }
}
