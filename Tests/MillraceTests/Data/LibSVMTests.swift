import CMillraceKernels
import Millrace
import Testing

@Suite struct `LibSVM records` {
  private let sparse = Schema(task: .regression, sparseWidth: 1 << 20, label: "label")

  /// The entries of each row.
  private func entries(_ batch: Batch) -> [[[Float]]] {
    (0..<batch.count).map { row in
      (batch.sparse.starts[row]..<batch.sparse.starts[row + 1]).map {
        [Float(batch.sparse.indices[$0]), batch.sparse.values[$0]]
      }
    }
  }

  @Test func `become dense rows where a missing index is 0`() throws {
    let schema = Schema(task: .regression, columns: numeric("1", "2", "3"), label: "label")
    let result = try decoded(
      "1.5 1:2 3:-4e-1\n-2 qid:7 2:5 9:1 # 3:7\n0\n3 1:nan\n", schema, .libsvm)
    #expect(same(result.rows, [[2, 0, -0.4], [0, 5, 0], [0, 0, 0], [.nan, 0, 0]]))
    #expect(result.batch.labels == [1.5, -2, 0, 3] && result.rejected.isEmpty)
  }

  @Test func `become compressed rows where features are sparse`() throws {
    let result = try decoded(
      "1 3:0.5 7:1 1048579:2\n+2  5:1e3\t8:+4 qid:3 # note\n3\n4 1:nan 2:inf \n", sparse, .libsvm)
    // 1048579 is 2²⁰ + 3: it is folded back onto 3.
    #expect(
      entries(result.batch) == [
        [[3, 0.5], [7, 1], [3, 2]], [[5, 1000], [8, 4]], [], [[2, .infinity]],
      ])
    #expect(result.batch.labels == [1, 2, 3, 4] && result.rejected.isEmpty)
    #expect(result.batch.columnCount == 0 && result.batch.sparse.width == 1 << 20)
  }

  @Test func `long rows read the same as short ones`() throws {
    let indices = (1...100).map { $0 * 37 }
    let values = indices.map { Float($0 % 11) / 8 - 0.5 }
    let line = "1 " + zip(indices, values).map { "\($0):\($1)" }.joined(separator: " ") + "\n"
    let whole = try decoded(line + line, sparse, .libsvm)
    let expected = zip(indices, values).map { [Float($0), $1] }
    #expect(entries(whole.batch) == [expected, expected])
  }

  @Test func `values of one digit read the same beside longer ones`() throws {
    var (text, expected) = ("", [[[Float]]]())
    for count in 1...20 {
      for longer in 0...count {
        let values = (0..<count).map { $0 == longer ? "-1\($0).5" : "\($0 % 10)" }
        text += "1 " + values.enumerated().map { "\($0 * 997):\($1)" }.joined(separator: " ") + "\n"
        expected.append(values.enumerated().map { [Float($0 * 997), Float($1) ?? .nan] })
      }
    }
    #expect(entries(try decoded(text, sparse, .libsvm).batch) == expected)
  }

  @Test func `that do not fit are rejected with their evidence and the stream goes on`() throws {
    let result = try decoded(
      "1 2:3\n1 x:2\nword 2:3\n1 2=3\n1 2:y\n1 -2:3\n 2:3\n5 6:7\n", sparse, .libsvm)
    #expect(entries(result.batch) == [[[2, 3]], [[6, 7]]])
    #expect(result.batch.recordIndices == [0, 7])
    #expect(
      result.reasons == [
        #""x:2" is no LibSVM entry; expected index:value"#,
        #"'label' is "word"; expected a finite number"#,
        #""2=3" is no LibSVM entry; expected index:value"#,
        #""2:y" is no LibSVM entry; expected index:value"#,
        #""-2:3" is no LibSVM entry; expected index:value"#,
        #"'label' is "2:3"; expected a finite number"#,
      ])
  }

  @Test func `have classes that appear as they come`() throws {
    let schema = Schema(task: .multiclass, sparseWidth: 8, label: "label", classes: ["1"])
    let result = try decoded("1 1:1\n3 2:1\n2 3:1\n3.0 1:1\n", schema, .libsvm)
    #expect(result.batch.labels == [0, 1, 2, 1] && result.schema.classes == ["1", "3", "2"])
  }

  private func infer(_ text: String, label: String? = nil) throws -> Schema {
    try SchemaInference.infer(
      from: [.init(records: [recordBatch(Array(text.utf8), .libsvm)], header: nil)],
      format: .libsvm, name: "x.svm", options: .init(label: label)
    ).schema
  }

  @Test func `of small indices have a column for each and of large ones are sparse`() throws {
    let dense = try infer("-1 1:2 4:3\n1 2:1\n")
    #expect(dense.columns == numeric("1", "2", "3", "4") && dense.classes == ["-1", "1"])
    #expect(dense.label == "label" && dense.task == .binary && dense.sparseWidth == nil)
    let wide = try infer("-1 1:2 1025:3\n1 2:1\n", label: "clicked")
    #expect(wide.columns.isEmpty && wide.sparseWidth == 1 << 18 && wide.label == "clicked")
    #expect(try infer("-1 1:2 300000:3\n1 2:1\n").sparseWidth == 1 << 19)
  }

  @Test func `are the only ones whose label needs no name`() {
    #expect(throws: MillraceError.setting("label", nil, expected: "the field to predict")) {
      try SchemaInference.infer(
        from: [.init(records: [recordBatch(Array("1\n2\n".utf8), .csv)], header: [97])],
        format: .csv, name: "x.csv", options: .init(label: nil))
    }
  }

  /// What a file that is mapped held when its entries were counted need not be what it holds now.
  @Test(arguments: [" ", "  "])
  func `more entries than there is room for are refused, and none is written`(space: String) {
    let decoder = millrace_decoder_create(millrace_syntax_libsvm, 0, 0, 1)
    defer { millrace_decoder_destroy(decoder) }
    millrace_decoder_add_field(decoder, "label", millrace_role_target, 0, 1)
    let text = Array("1\((1...20).map { "\(space)\($0):1" }.joined())\n".utf8)
    for (capacity, fits) in [(16, false), (28, true)] {
      var (count, starts, fault) = (0, [0, 0], millrace_fault())
      var indices = [UInt32](repeating: .max, count: 40)
      var (values, labels, weights, records) = (
        [Float](repeating: -1, count: 40), [0.0], [Float(0)], [0]
      )
      let next = millrace_decode_sparse(
        decoder, text, text.count, [0], [text.count - 1], 1, 0, .max, capacity, &count, &starts,
        &indices, &values, &labels, &weights, &records, &fault)
      #expect(next == 1 && count == (fits ? 1 : 0))
      #expect((fault.kind == millrace_fault_none) == fits)
      #expect(indices[capacity...].allSatisfy { $0 == .max })
      #expect(values[capacity...].allSatisfy { $0 == -1 })
    }
  }
}
