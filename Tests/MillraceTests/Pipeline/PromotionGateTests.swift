import Millrace
import Testing

@Suite struct `The promotion gate` {
  private func objection(candidate: Double?, incumbent: Double?) throws -> String? {
    let schema = Schema(
      task: .regression, columns: [.init(name: "a", kind: .numeric)], label: "y")
    return PromotionGate.objection(
      to: try Model(schema: schema, settings: LearnerSettings()),
      measurement: .init(candidate: candidate, incumbent: incumbent, rows: 100), tolerance: 0.02)
  }

  @Test(arguments: [nil, 1, .infinity, .nan] as [Double?])
  func `lets no loss pass that is not finite, whatever is served`(incumbent: Double?) throws {
    for loss in [Double.infinity, .nan, -.nan] {
      #expect(
        try objection(candidate: loss, incumbent: incumbent) == "its loss is not finite")
    }
  }

  @Test func `lets pass what is no worse, but for noise`() throws {
    #expect(try objection(candidate: 1, incumbent: nil) == nil)
    #expect(try objection(candidate: nil, incumbent: 1) == nil)
    #expect(try objection(candidate: 1.019, incumbent: 1) == nil)
    #expect(try objection(candidate: 1.021, incumbent: 1)?.contains("the incumbent's is 1") == true)
    #expect(try objection(candidate: 1, incumbent: .nan) == nil)
  }
}
