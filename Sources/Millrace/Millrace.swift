/// The version of the library and of the command line (semantic versioning).
public let version = "0.1.0"
