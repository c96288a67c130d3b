// swift-tools-version: 6.2
import PackageDescription

/// A package of its own, so that what is measured with stays out of users' builds.
let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "Millrace", path: "..")],
  targets: [
    .executableTarget(
      name: "Micro", dependencies: [.product(name: "Millrace", package: "Millrace")],
      swiftSettings: [
        .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error),
      ])
  ]
)
