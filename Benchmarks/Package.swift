// swift-tools-version: 6.2
import PackageDescription

/// Benchmarks are a package of their own, so that who uses Millrace never builds them.
let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "Millrace", path: "..")],
  targets: [
    .executableTarget(
      name: "Microbenchmarks",
      dependencies: [.product(name: "Millrace", package: "Millrace")],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
      ])
  ]
)
