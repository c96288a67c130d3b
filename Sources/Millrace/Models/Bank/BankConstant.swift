/// One of the constants that the experts of `auto` are made with: a number for every expert or
/// mixture that has it.
package struct BankConstant<Bank> {
  /// What it is called in `LearnerSettings.bankConstants`.
  let name: String
  /// How many numbers it is.
  let count: Int
  /// What each of them may be.
  let allowed: ClosedRange<Double>
  /// Whether none may be less than the one before.
  var isAscending = false
  /// What it is in a bank that has seen nothing.
  let read: (Bank) -> [Double]
  /// Changes it in a bank that has seen nothing.
  let write: (inout Bank, [Double]) -> Void
}

/// A bank whose constants can be set by hand.
package protocol ConstantsBank: Learner {
  /// Its constants.
  var constants: [BankConstant<Self>] { get }
}

/// A learner of dense rows.
package protocol DenseLearner: Learner {
  /// The width of the rows, the constant included.
  var columns: Int { get }
}

/// A bank for dense rows.
package protocol DenseBank: ConstantsBank, DenseLearner {
  /// A bank that has seen nothing.
  ///
  /// - Parameter columns: the width of the rows, the constant included.
  /// - Throws: `configuration` when the basis that is asked for would be too wide.
  init(settings: LearnerSettings, columns: Int) throws(MillraceError)
  /// Tells a bank that has seen nothing what its columns are called, all but the constant.
  mutating func nameColumns(_ names: [String])
}

extension DenseBank {
  /// Only random functions of columns go with their names.
  package mutating func nameColumns(_ names: [String]) {}
}

extension ConstantsBank {
  /// Replaces constants of a bank that has seen nothing.
  ///
  /// - Throws: `configuration` for a name that the bank does not have, or numbers that it cannot.
  mutating func set(_ values: [String: [Double]]) throws(MillraceError) {
    let constants = constants
    for (name, numbers) in values.sorted(by: { $0.key < $1.key }) {
      guard let constant = constants.first(where: { $0.name == name }) else {
        throw .setting(
          "bankConstants", name,
          expected: "one of " + constants.map { "\($0.name) (\($0.count))" }.joined(separator: ", ")
        )
      }
      let isAllowed =
        numbers.count == constant.count && numbers.allSatisfy(constant.allowed.contains)
        && (!constant.isAscending || numbers == numbers.sorted())
      guard isAllowed else {
        let (low, high) = (constant.allowed.lowerBound, constant.allowed.upperBound)
        throw .setting(
          "bankConstants", "\(name)=\(numbers.map { "\($0)" }.joined(separator: ","))",
          expected: "\(constant.count) numbers from \(low) to \(high)"
            + (constant.isAscending ? ", ascending" : ""))
      }
      constant.write(&self, numbers)
    }
  }

  /// The same bank with constants of the settings' instead of its own.
  func with(_ settings: LearnerSettings) throws(MillraceError) -> Self {
    var bank = self
    try bank.set(settings.bankConstants)
    return bank
  }

  /// Its constants by name.
  var constantValues: [String: [Double]] {
    Dictionary(uniqueKeysWithValues: constants.map { ($0.name, $0.read(self)) })
  }
}

extension LearnerSettings {
  /// Sets a constant of the bank as `NAME=A,B,…`; `false` where the text is no such thing.
  public mutating func setBankConstant(_ text: String) -> Bool {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return false }
    let texts = parts[1].split(separator: ",", omittingEmptySubsequences: false)
    let numbers = texts.compactMap { Double($0) }
    guard numbers.count == texts.count, numbers.allSatisfy(\.isFinite) else { return false }
    bankConstants[String(parts[0])] = numbers
    return true
  }
}

/// The number that the shortest decimals of a float say: 0.1 is one tenth.
private func decimal(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }

extension BankConstant {
  /// Numbers that lie beside each other in a part of the bank's state, as often as `starts` says.
  static func lanes(
    _ name: String, _ count: Int, of part: WritableKeyPath<Bank, LaneBuffer>, at starts: [Int],
    in allowed: ClosedRange<Double>
  ) -> Self {
    Self(name: name, count: count, allowed: allowed) { bank in
      starts.first.map { start in
        (0..<count).map { decimal(bank[keyPath: part].base[start + $0]) }
      } ?? []
    } write: { bank, numbers in
      let base = bank[keyPath: part].mutableBase()
      for start in starts {
        for (lane, number) in numbers.enumerated() { base[start + lane] = Float(number) }
      }
    }
  }
}
