/// ` (did you mean …?)` when one of the known names is near what was given, else nothing.
package func suggestion(_ given: String, among known: [String]) -> String {
  let nearest = known.map { (name: $0, distance: editDistance(given, $0)) }
    .min { $0.distance < $1.distance }
  guard let nearest, nearest.distance <= max(1, given.count / 3), nearest.distance < given.count
  else { return "" }
  return " (did you mean \(nearest.name)?)"
}

/// The fewest insertions, deletions, replacements and swaps of neighbours that turn one text into
/// the other, ignoring case (optimal string alignment; Damerau 1964). O(n·m).
package func editDistance(_ left: String, _ right: String) -> Int {
  let (left, right) = (Array(left.lowercased()), Array(right.lowercased()))
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for row in left.indices {
    var current = [row + 1]
    for column in right.indices {
      let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
      var distance = min(replaced, last[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        distance = min(distance, beforeLast[column - 1] + 1)
      }
      current.append(distance)
    }
    (beforeLast, last) = (last, current)
  }
  return last[right.count]
}

/// `'a', 'b'`: the first hundred names, and how many there are when they are more.
func fieldList(_ names: [String]) -> String {
  let first = names.prefix(100).map { "'\($0)'" }.joined(separator: ", ")
  return names.count > 100 ? "\(first), … (\(names.count) fields)" : first
}
