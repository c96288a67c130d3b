import CMillraceKernels
import Foundation
import Millrace
import Testing

/// Sizes that fill a kernel, that do not, and that are nothing, with and without gaps in memory.
struct Shape: Sendable, CustomTestStringConvertible {
  let m: Int
  let n: Int
  let gap: Int
  var testDescription: String { "\(m) × \(n), gap \(gap)" }

  static let all = [0, 1, 3, 16, 37].flatMap { m in
    [0, 1, 5, 33].flatMap { n in [0, 3].map { gap in Shape(m: m, n: n, gap: gap) } }
  }
  static let square = all.filter { $0.n == 5 }
}

/// Every routine against textbook loops; bounds are a few roundings per term of a sum.
@Suite struct `BLAS routines` {
  @Test(arguments: Shape.all) func `level 1 agrees with plain loops`(_ shape: Shape) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 1)
      let x: Vector<S> = random.vector(shape.m)
      let y: Vector<S> = random.vector(shape.m)
      let (xs, bound) = (Strided(x, gap: shape.gap), Double(4 + shape.m))
      var ys = Strided(y, gap: shape.n)
      let xy = zip(x.elements, y.elements)
      func close(_ value: S, _ expected: Double) {
        #expect(abs(Double(value) - expected) <= Double(S.ulpOfOne) * bound)
      }
      close(
        xs.vector { x in ys.vector { BLAS.dot(x, $0) } },
        xy.reduce(0) { $0 + Double($1.0) * Double($1.1) })
      close(xs.vector(BLAS.asum), x.elements.reduce(0) { $0 + abs(Double($1)) })
      close(
        xs.vector(BLAS.nrm2), x.elements.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot())

      try ys.mutableVector { y in xs.vector { BLAS.axpy(-1.5, $0, into: y) } }
      let sum = Matrix(column: Vector(xy.map { $1 - 1.5 * $0 }))
      #expect(distance(ys.matrix, sum) <= 4 && ys.gapsUntouched)

      try ys.mutableVector { BLAS.scal(0.5, into: $0) }
      #expect(distance(ys.matrix, 0.5 * sum) <= 4 && ys.gapsUntouched)
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test(arguments: Shape.all, [false, true])
  func `y ← αAx + βy`(_ shape: Shape, transposed: Bool) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 2)
      let a: Matrix<S> = random.matrix(shape.m, shape.n)
      let x: Vector<S> = random.vector(transposed ? shape.m : shape.n)
      let y: Vector<S> = random.vector(transposed ? shape.n : shape.m)
      for (alpha, beta) in [(S(1), S(0)), (-0.5, 2)] {
        // With β = 0, what y held before must not matter.
        let before = beta == 0 ? Vector(repeating: S.nan, count: y.count) : y
        var ys = Strided(before, gap: shape.gap)
        try ys.mutableVector { y in
          Strided(a, gap: shape.gap).view { a in
            Strided(x, gap: shape.gap).vector { x in
              BLAS.gemv(alpha: alpha, a, transposed: transposed, x, beta: beta, into: y)
            }
          }
        }
        let expected =
          alpha * (a.transposed(transposed) × Matrix(column: x)) + beta * Matrix(column: y)
        #expect(distance(ys.matrix, expected) <= Double(4 + x.count) && ys.gapsUntouched)
      }
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test(arguments: Shape.all) func `A ← αxyᵀ + A`(_ shape: Shape) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 3)
      let a: Matrix<S> = random.matrix(shape.m, shape.n)
      let x: Vector<S> = random.vector(shape.m)
      let y: Vector<S> = random.vector(shape.n)
      var result = Strided(a, gap: shape.gap)
      try result.mutableView { a in
        Strided(x, gap: shape.gap).vector { x in
          Strided(y, gap: 1).vector { y in BLAS.ger(alpha: -2, x, y, into: a) }
        }
      }
      let expected = a + -2 * (Matrix(column: x) × Matrix(column: y).transposed)
      #expect(distance(result.matrix, expected) <= 8 && result.gapsUntouched)
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test(arguments: Shape.square, Triangle.allCases)
  func `symmetric routines use one triangle`(_ shape: Shape, _ triangle: Triangle) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 4)
      // Both triangles are given and differ: the other one must be ignored and left alone.
      let a: Matrix<S> = random.matrix(shape.m, shape.m)
      let x: Vector<S> = random.vector(shape.m)
      let y: Vector<S> = random.vector(shape.m)
      let xs = Strided(x, gap: 2)
      let column = Matrix(column: x)

      var ys = Strided(y, gap: 1)
      try ys.mutableVector { y in
        Strided(a, gap: shape.gap).view { a in
          xs.vector { BLAS.symv(alpha: -0.5, a, triangle, $0, beta: 2, into: y) }
        }
      }
      let product = -0.5 * (a.symmetrized(from: triangle) × column) + 2 * Matrix(column: y)
      #expect(distance(ys.matrix, product) <= Double(4 + shape.m) && ys.gapsUntouched)

      var updated = Strided(a, gap: shape.gap)
      try updated.mutableView { a in
        xs.vector { BLAS.syr(alpha: -0.5, $0, into: a, triangle) }
      }
      let outer = -0.5 * (column × column.transposed).only(triangle)
      #expect(distance(updated.matrix, a + outer) <= 4 && updated.gapsUntouched)
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test(arguments: Shape.all, Triangle.allCases)
  func `C ← αAAᵀ + βC in one triangle`(_ shape: Shape, _ triangle: Triangle) throws {
    func law<S: BLASScalar>(_: S.Type, transposed: Bool) throws {
      var random = Uniform(seed: 5)
      let a: Matrix<S> = random.matrix(shape.m, shape.n)
      let size = transposed ? shape.n : shape.m
      let c: Matrix<S> = random.matrix(size, size)
      var result = Strided(c, gap: shape.gap)
      try result.mutableView { c in
        Strided(a, gap: shape.gap).view {
          BLAS.syrk(alpha: -0.5, $0, transposed: transposed, beta: 2, into: c, triangle)
        }
      }
      let left = a.transposed(transposed)
      let expected = (-0.5 * (left × left.transposed) + c).only(triangle) + c
      let kept = c + -1 * c.only(triangle)  // the other triangle, as it was
      #expect(distance(result.matrix, expected) <= Double(8 + left.columns))
      #expect(
        distance(result.matrix + -1 * result.matrix.only(triangle), kept) == 0
          && result.gapsUntouched)
    }
    for transposed in [false, true] {
      try law(Float.self, transposed: transposed)
      try law(Double.self, transposed: transposed)
    }
  }

  @Test(arguments: Shape.all, [0, 1, 19]) func `C ← αAB + βC`(_ shape: Shape, inner: Int) throws {
    func law<S: BLASScalar>(_: S.Type, _ transposeA: Bool, _ transposeB: Bool) throws {
      var random = Uniform(seed: 6)
      let a: Matrix<S> = random.matrix(shape.m, inner)
      let b: Matrix<S> = random.matrix(inner, shape.n)
      let c: Matrix<S> = random.matrix(shape.m, shape.n)
      var result = Strided(c, gap: shape.gap)
      try result.mutableView { c in
        Strided(a.transposed(transposeA), gap: 1).view { a in
          Strided(b.transposed(transposeB), gap: shape.gap).view { b in
            BLAS.gemm(
              alpha: -0.5, a, aTransposed: transposeA, b, bTransposed: transposeB, beta: 2, into: c)
          }
        }
      }
      #expect(distance(result.matrix, -0.5 * (a × b) + 2 * c) <= Double(4 + inner))
      #expect(result.gapsUntouched)
    }
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      try law(Float.self, transposeA, transposeB)
      try law(Double.self, transposeA, transposeB)
    }
  }

  @Test(arguments: Shape.all, Triangle.allCases)
  func `triangular solves undo triangular products`(_ shape: Shape, _ triangle: Triangle) throws {
    func law<S: BLASScalar>(_: S.Type, transposed: Bool, unitDiagonal: Bool) throws {
      var random = Uniform(seed: 7)
      // Small off the diagonal: well conditioned at every size.
      let a: Matrix<S> = (1 / S(8 + shape.m)) * random.matrix(shape.m, shape.m) + .identity(shape.m)
      let x: Matrix<S> = random.matrix(shape.m, shape.n)
      let product = a.only(triangle, unitDiagonal: unitDiagonal).transposed(transposed)
      let stored = Strided(a, gap: shape.gap)

      for side in Side.allCases {
        let unknown = side == .left ? x : x.transposed
        var b = Strided(2 * (side == .left ? product × unknown : unknown × product), gap: 1)
        try b.mutableView { b in
          stored.view {
            BLAS.trsm(
              side: side, alpha: 0.5, $0, triangle, transposed: transposed,
              unitDiagonal: unitDiagonal,
              into: b)
          }
        }
        #expect(distance(b.matrix, unknown) <= 32 && b.gapsUntouched)
      }
      guard shape.n == 1 else { return }
      let rightHandSide = product × x
      var b = Strided(rightHandSide, gap: 2)
      try b.mutableVector { b in
        stored.view {
          BLAS.trsv($0, triangle, transposed: transposed, unitDiagonal: unitDiagonal, into: b)
        }
      }
      #expect(distance(b.matrix, x) <= 32 && b.gapsUntouched)
    }
    for (transposed, unit) in [(false, false), (false, true), (true, false), (true, true)] {
      try law(Float.self, transposed: transposed, unitDiagonal: unit)
      try law(Double.self, transposed: transposed, unitDiagonal: unit)
    }
  }
}

/// Debian 12's OpenBLAS takes Intel's servers from 2023 on for a processor of 2004.
@Test func `OpenBLAS runs kernels of this processor's kind, known to it or not`() {
  let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
  let isNew = processor.contains("avx2") && processor.contains("fma")
  #expect(!isNew || String(cString: millrace_blas_core()) != "Prescott")
}
