/// What `millrace drift` found between two samples.
public struct DriftComparison: Codable, Equatable, Sendable {
  /// A sample.
  public struct Sample: Codable, Equatable, Sendable {
    /// Where it came from.
    public var name: String
    /// How many rows it has.
    public var rows: Int

    /// A sample.
    public init(name: String, rows: Int) {
      self.name = name
      self.rows = rows
    }
  }

  /// The sample that is taken as it should be.
  public var reference: Sample
  /// The sample that is compared with it.
  public var current: Sample
  /// The share of false alarms that is accepted among all alarms.
  public var alpha: Double
  /// How p-values are corrected for the number of features: `benjamini-hochberg`.
  public var correction: String
  /// What was found, per feature.
  public var features: [FeatureDrift]

  /// What was found between two samples.
  public init(
    reference: Sample, current: Sample, alpha: Double, correction: String,
    features: [FeatureDrift]
  ) {
    self.reference = reference
    self.current = current
    self.alpha = alpha
    self.correction = correction
    self.features = features
  }

  /// The comparison as one self-contained HTML page, like `RunReport.html()`.
  public func html() -> String { ReportLimits.fitting(page) }

  private func page(_ limits: ReportLimits) -> String {
    var shown = self
    shown.reference.name = reference.name.shortened(to: limits.text)
    shown.current.name = current.name.shortened(to: limits.text)
    shown.features = FeatureDrift.bounded(features, by: limits)
    let drifted = features.count { $0.drifted }
    return PageParts.page(title: "Drift – Millrace", data: PageParts.json(shown)) {
      Node("header") {
        Node("div", ["class": "kind"]) { "Millrace drift report" }
        Node("h1") { "\(shown.reference.name) → \(shown.current.name)" }
        Node("div", ["class": "muted"]) {
          "\(NumberText.count(reference.rows)) rows of reference, "
          "\(NumberText.count(current.rows)) current"
        }
        Node("p", ["class": "verdict"]) {
          Node("strong") {
            drifted == 0 ? "No drift" : "\(NumberText.count(drifted)) drifted"
          }
          " among \(PageParts.counted(features.count, "feature")) (α = \(alpha)"
          ", \(correction))."
        }
      }
      if !features.isEmpty {
        PageParts.section(
          "Features", id: "features",
          lead: PageParts.omission(shown.features.count, of: features.count)
        ) {
          DriftParts.table(shown.features)
        }
        PageParts.section("Distributions", id: "distributions") {
          DriftParts.cards(shown.features)
        }
      }
    }
  }
}
