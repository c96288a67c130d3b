/// Named tensors and strings in one file: the safetensors format.
///
/// What models and checkpoints are written in, so that the public safetensors libraries read them
/// (https://github.com/huggingface/safetensors, "Format"). Names are written in sorted order: the
/// same content is the same bytes.
public struct TensorArchive: Sendable {
  /// Free strings, kept under `__metadata__`.
  public var metadata: [String: String] = [:]

  /// An empty archive.
  public init() {}
}
