import Millrace
import Testing

/// Each factorization against what defines it; bounds grow with the size and the conditioning.
@Suite struct `LAPACK routines` {
  @Test(arguments: Shape.square, Triangle.allCases)
  func `potrf, potrs and potri invert a definite matrix`(
    _ shape: Shape, _ triangle: Triangle
  ) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 1)
      let a: Matrix<S> = random.definite(shape.m)
      let x: Vector<S> = random.vector(shape.m)
      let bound = Double(16 * (1 + shape.m * shape.m))
      var factor = Strided(a, gap: shape.gap)
      try factor.mutableView { (a) throws(MillraceError) in try LAPACK.potrf(a, triangle) }
      let f = factor.matrix.only(triangle)
      #expect(distance(triangle == .lower ? f × f.transposed : f.transposed × f, a) <= bound)

      var b = Strided(a × Matrix(column: x), gap: 0)
      try b.mutableVector { b in factor.view { LAPACK.potrs($0, triangle, into: b) } }
      #expect(distance(b.matrix, Matrix(column: x)) <= bound)

      try factor.mutableView { (a) throws(MillraceError) in try LAPACK.potri(a, triangle) }
      let inverse = factor.matrix.symmetrized(from: triangle)
      #expect(distance(a × inverse, .identity(shape.m)) <= bound && factor.gapsUntouched)
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test func `Cholesky solves for vectors and matrices`() throws {
    var random = Uniform(seed: 2)
    let a: Matrix<Double> = random.definite(9)
    let cholesky = try Cholesky(a)
    let x: Matrix<Double> = random.matrix(9, 4)
    var b = a × x
    cholesky.solve(&b)
    #expect(distance(b, x) <= 1e4)
    var column = (a × Matrix(rows: 9, columns: 1, repeating: 1)).elements
    cholesky.solve(&column)
    #expect(column.allSatisfy { abs($0 - 1) <= 1e-12 })
    #expect(distance(try cholesky.inverse() × a, .identity(9)) <= 1e4)
  }

  @Test(arguments: [[[1.0, 2], [2, 1]], [[.nan, 0], [0, 1]], [[1, 0], [0, 0]]])
  func `what is not positive definite is refused`(_ rows: [[Double]]) {
    let matrix = Matrix(rows: 2, columns: 2, elements: rows.flatMap(\.self))
    let error = #expect(throws: MillraceError.self) { try Cholesky(matrix) }
    #expect(error?.kind == .numerical)
  }

  @Test(arguments: Shape.all) func `A = QR with orthogonal Q`(_ shape: Shape) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 3)
      let a: Matrix<S> = random.matrix(shape.m, shape.n)
      let bound = Double(8 * (1 + shape.m + shape.n))
      let qr = try QR(a)
      var q = Matrix<S>.identity(shape.m)
      try qr.multiplyQ(into: &q)
      var product = Matrix<S>(rows: shape.m, columns: shape.n)
      for i in 0..<qr.r.rows {
        for j in 0..<shape.n { product[i, j] = qr.r[i, j] }
      }
      try qr.multiplyQ(into: &product)
      #expect(distance(product, a) <= bound)
      #expect(distance(q.transposed × q, .identity(shape.m)) <= bound)
      try qr.multiplyQ(transposed: true, into: &q)
      #expect(distance(q, .identity(shape.m)) <= bound)
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test func `QR works in place between gaps`() throws {
    var random = Uniform(seed: 4)
    let a: Matrix<Double> = random.matrix(7, 3)
    var strided = Strided(a, gap: 2)
    var tau = [0.0, 0, 0]
    try strided.mutableView { (a) throws(MillraceError) in
      try tau.withMutableVectorView { (t) throws(MillraceError) in try LAPACK.geqrf(a, tau: t) }
    }
    let r = try QR(a).r
    let upper = strided.matrix.only(.upper)
    #expect(Array(upper.elements.prefix(9)) == r.elements && strided.gapsUntouched)
  }

  @Test(arguments: Shape.all.filter { $0.m <= $0.n })
  func `the L of A = LQ is the transpose of the R of Aᵀ`(_ shape: Shape) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 8)
      let a: Matrix<S> = random.matrix(shape.m, shape.n)
      for blockSize in Set([1, 4, shape.m]) where blockSize <= max(1, shape.m) {
        var (work, t) = (
          Strided(a, gap: shape.gap), Matrix<S>(rows: shape.m, columns: max(1, blockSize))
        )
        try work.mutableView { (a) throws(MillraceError) in
          try t.withMutableView { (t) throws(MillraceError) in try LAPACK.gelqt(a, t: t) }
        }
        let l = work.matrix.only(.lower)
        // LLᵀ = AAᵀ determines L up to signs.
        #expect(distance(l × l.transposed, a × a.transposed) <= Double(16 * (1 + shape.n)))
        #expect(work.gapsUntouched)
      }
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test(arguments: Shape.all)
  func `least squares solves the normal equations`(_ shape: Shape) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 5)
      let a: Matrix<S> = random.matrix(shape.m, shape.n)
      let b: Matrix<S> = random.matrix(max(shape.m, shape.n), 2)
      let target = Matrix(
        rows: shape.m, columns: 2, elements: Array(b.elements.prefix(2 * shape.m)))
      let bound = Double(256 * (1 + shape.m + shape.n))
      for pivoted in [false, true] {
        var (work, x) = (Strided(a, gap: shape.gap), Strided(b, gap: 1))
        var rank = -1
        try work.mutableView { (a) throws(MillraceError) in
          try x.mutableView { (b) throws(MillraceError) in
            if pivoted {
              rank = try LAPACK.gelsy(a, into: b, tolerance: S.ulpOfOne)
            } else {
              let (found, values) = try LAPACK.gelsd(a, into: b)
              rank = found
              #expect(values.count == rank)
            }
          }
        }
        #expect(rank == min(shape.m, shape.n))
        let solution = Matrix(
          rows: shape.n, columns: 2, elements: Array(x.matrix.elements.prefix(2 * shape.n)))
        let residual = a × solution + -1 * target
        let zero = Matrix<S>(rows: shape.n, columns: 2)
        #expect(distance(a.transposed × residual, zero, scale: Double(1 + shape.m)) <= bound)
      }
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test func `a deficient system gets the answer of least norm`() throws {
    // x₀ + x₁ = 2 twice: of all answers (1, 1) is the shortest.
    for pivoted in [false, true] {
      var a: Matrix<Double> = [[1, 1], [1, 1]]
      var b: Matrix<Double> = [[2], [2]]
      var rank = -1
      try a.withMutableView { (a) throws(MillraceError) in
        try b.withMutableView { (b) throws(MillraceError) in
          rank =
            pivoted
            ? try LAPACK.gelsy(a, into: b, tolerance: 1e-12)
            : try LAPACK.gelsd(a, into: b, tolerance: 1e-12).rank
        }
      }
      #expect(rank == 1 && distance(b, [[1], [1]]) <= 16)
    }
  }

  @Test(arguments: Shape.all) func `A = U·diag(s)·Vᵀ`(_ shape: Shape) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 6)
      let a: Matrix<S> = random.matrix(shape.m, shape.n)
      let bound = Double(32 * (1 + shape.m + shape.n))
      let size = min(shape.m, shape.n)
      func check(_ u: Matrix<S>, _ s: [S], _ vt: Matrix<S>) {
        var diagonal = Matrix<S>(rows: size, columns: size)
        for index in 0..<size { diagonal[index, index] = s[index] }
        #expect(distance(u × diagonal × vt, a) <= bound)
        #expect(distance(u.transposed × u, .identity(size)) <= bound)
        #expect(distance(vt × vt.transposed, .identity(size)) <= bound)
        #expect(zip(s, s.dropFirst()).allSatisfy { $0 >= $1 } && s.allSatisfy { $0 >= 0 })
      }
      let svd = try SingularValueDecomposition(a)
      check(svd.u, svd.values, svd.vt)

      var work = Strided(a, gap: shape.gap)
      var u = Matrix<S>(rows: shape.m, columns: size)
      var s = [S](repeating: 0, count: size)
      var vt = Matrix<S>(rows: size, columns: shape.n)
      try work.mutableView { (a) throws(MillraceError) in
        try u.withMutableView { (u) throws(MillraceError) in
          try s.withMutableVectorView { (s) throws(MillraceError) in
            try vt.withMutableView { (vt) throws(MillraceError) in
              try LAPACK.gesvd(a, u: u, s: s, vt: vt)
            }
          }
        }
      }
      check(u, s, vt)
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test(arguments: Shape.square, Triangle.allCases)
  func `A = Vᵀ·diag(λ)·V`(_ shape: Shape, _ triangle: Triangle) throws {
    func law<S: BLASScalar>(_: S.Type) throws {
      var random = Uniform(seed: 7)
      let a: Matrix<S> = random.matrix(shape.m, shape.m)
      let symmetric = a.symmetrized(from: triangle)
      var vectors = Strided(a, gap: shape.gap)
      var values = [S](repeating: 0, count: shape.m)
      try vectors.mutableView { (a) throws(MillraceError) in
        try values.withMutableVectorView { (w) throws(MillraceError) in
          try LAPACK.syevd(a, triangle, values: w)
        }
      }
      let v = vectors.matrix
      var diagonal = Matrix<S>(rows: shape.m, columns: shape.m)
      for index in 0..<shape.m { diagonal[index, index] = values[index] }
      let bound = Double(16 * (1 + shape.m))
      #expect(distance(v.transposed × diagonal × v, symmetric) <= bound && vectors.gapsUntouched)
      #expect(distance(v × v.transposed, .identity(shape.m)) <= bound)
      if triangle == .lower { #expect(try SymmetricEigen(a).values == values) }
    }
    try law(Float.self)
    try law(Double.self)
  }

  @Test func `a number that is not finite is an error, not a crash`() {
    let matrix: Matrix<Double> = [[1, .nan], [0, 1], [2, 3]]
    let square: Matrix<Double> = [[1, 0], [.nan, 1]]
    let isNumerical = { (error: any Error) in (error as? MillraceError)?.kind == .numerical }
    #expect(performing: { try QR(matrix) }, throws: isNumerical)
    #expect(performing: { try SingularValueDecomposition(matrix) }, throws: isNumerical)
    #expect(performing: { try SymmetricEigen(square) }, throws: isNumerical)
  }
}
