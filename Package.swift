// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built with the same rules; see `Tests/MillraceTests/TidyTests.swift` for
/// the ones that a compiler cannot check.
let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// A C library of the system behind a module map.
func systemLibrary(_ name: String, pkgConfig: String, apt: [String], brew: [String]) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt(apt), .brew(brew)])
}

let package = Package(
  name: "Millrace",
  products: [
    .library(name: "Millrace", targets: ["Millrace"]),
    .executable(name: "millrace", targets: ["MillraceCLI"]),
  ],
  targets: [
    systemLibrary(
      "COpenBLAS", pkgConfig: "openblas", apt: ["libopenblas-dev", "liblapacke-dev"],
      brew: ["openblas"]),
    systemLibrary("CCrypto", pkgConfig: "libcrypto", apt: ["libssl-dev"], brew: ["openssl"]),
    systemLibrary("CYAML", pkgConfig: "yaml-0.1", apt: ["libyaml-dev"], brew: ["libyaml"]),
    systemLibrary("CZlib", pkgConfig: "zlib", apt: ["zlib1g-dev"], brew: ["zlib"]),
    .target(
      name: "CMillraceKernels",
      linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("m")]),
    .target(
      name: "Millrace", dependencies: ["COpenBLAS", "CCrypto", "CZlib", "CMillraceKernels"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "MillraceCLI", dependencies: ["Millrace", "CYAML"], swiftSettings: swiftSettings),
    .testTarget(
      name: "MillraceTests", dependencies: ["Millrace", "CMillraceKernels"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MillraceCLITests", dependencies: ["Millrace", "MillraceCLI"],
      swiftSettings: swiftSettings),
  ],
  cLanguageStandard: .gnu17,
  cxxLanguageStandard: .gnucxx20
)
