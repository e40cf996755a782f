//! Squared distances with one lengthscale per dimension (ARD), and the sums their gradients need.

use faer::{Mat, MatMut, MatRef};

use crate::elementwise::fill_upper;
use crate::parallel::fill_columns;
use crate::simd::{self, Loop, fma, sum_lanes};

/// Points divided by their lengthscales, stored dimension by dimension.
///
/// Differences are formed directly rather than through inner products: that costs a few
/// microseconds more and does not cancel when points are close or lengthscales short.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScaledPoints {
    n: usize,
    d: usize,
    values: Vec<f64>,
}

impl ScaledPoints {
    /// Scaled coordinates are clamped to ± this, so that sums of squared differences stay finite.
    pub const LARGEST: f64 = 1e150;

    /// Scales the rows of `x` (`n×d`) by `inverse_lengthscales` (length `d`).
    ///
    /// # Panics
    /// If the number of lengthscales is not the number of columns.
    #[track_caller]
    pub fn new(x: MatRef<'_, f64>, inverse_lengthscales: &[f64]) -> Self {
        let mut points = Self::default();
        points.set(x, inverse_lengthscales);
        points
    }

    /// Like [`new`](Self::new), reusing the storage.
    ///
    /// # Panics
    /// If the number of lengthscales is not the number of columns.
    #[track_caller]
    pub fn set(&mut self, x: MatRef<'_, f64>, inverse_lengthscales: &[f64]) {
        assert!(
            x.ncols() == inverse_lengthscales.len(),
            "points are {}×{} but there are {} lengthscales",
            x.nrows(),
            x.ncols(),
            inverse_lengthscales.len()
        );
        self.n = x.nrows();
        self.d = x.ncols();
        self.values.clear();
        self.values.reserve(self.n * self.d);
        for (k, &scale) in inverse_lengthscales.iter().enumerate() {
            let column = x.col(k);
            // The clamp keeps squared distances of absurd coordinates finite.
            self.values.extend(
                column
                    .iter()
                    .map(|&v| (v * scale).clamp(-Self::LARGEST, Self::LARGEST)),
            );
        }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        self.d
    }

    /// Scaled coordinate `k` of all points.
    ///
    /// # Panics
    /// If `k` is not below [`dim`](Self::dim).
    pub fn dimension(&self, k: usize) -> &[f64] {
        &self.values[k * self.n..(k + 1) * self.n]
    }

    /// Copies scaled point `i` into `point` (length `d`).
    ///
    /// # Panics
    /// If `i` is out of range or `point` has another length.
    pub fn copy_point(&self, i: usize, point: &mut [f64]) {
        assert!(
            i < self.n && point.len() == self.d,
            "point {i} of {}×{}",
            self.n,
            self.d
        );
        for (k, p) in point.iter_mut().enumerate() {
            *p = self.values[k * self.n + i];
        }
    }

    /// Writes the squared distances from `point` (already scaled) to points `from..` into `out`.
    ///
    /// # Panics
    /// If `point` is not of length `d`, or `out` not of length `n − from`.
    #[track_caller]
    pub fn squared_distances_to(&self, point: &[f64], from: usize, out: &mut [f64]) {
        self.check(point, from, out.len());
        simd::run(Squared {
            points: self,
            point,
            from,
            out,
        });
    }

    /// Adds `Σ_i w_i (z_ik − p_k)²` over points `from..` to `out[k]` for each dimension.
    ///
    /// # Panics
    /// If `point` or `out` are not of length `d`, or `weights` not of length `n − from`.
    #[track_caller]
    pub fn add_weighted_squares(
        &self,
        point: &[f64],
        from: usize,
        weights: &[f64],
        out: &mut [f64],
    ) {
        self.check(point, from, weights.len());
        assert!(
            out.len() == self.d,
            "{} sums for {} dimensions",
            out.len(),
            self.d
        );
        simd::run(WeightedSquares {
            points: self,
            point,
            from,
            weights,
            out,
        });
    }

    /// Adds `Σ_i w_i (z_ik − p_k)` over points `from..` to `out[k]` for each dimension.
    ///
    /// # Panics
    /// If `point` or `out` are not of length `d`, or `weights` not of length `n − from`.
    #[track_caller]
    pub fn add_weighted_differences(
        &self,
        point: &[f64],
        from: usize,
        weights: &[f64],
        out: &mut [f64],
    ) {
        self.check(point, from, weights.len());
        assert!(
            out.len() == self.d,
            "{} sums for {} dimensions",
            out.len(),
            self.d
        );
        simd::run(WeightedDifferences {
            points: self,
            point,
            from,
            weights,
            out,
        });
    }

    #[track_caller]
    fn check(&self, point: &[f64], from: usize, length: usize) {
        assert!(
            point.len() == self.d && from <= self.n && length == self.n - from,
            "{}×{} scaled points from {from} against a point of length {} and a slice of length {length}",
            self.n,
            self.d,
            point.len(),
        );
    }
}

struct Squared<'a> {
    points: &'a ScaledPoints,
    point: &'a [f64],
    from: usize,
    out: &'a mut [f64],
}

impl Loop for Squared<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let mut k = 0;
        let d = self.point.len();
        if d == 0 {
            self.out.fill(0.0);
        }
        // Two dimensions a pass: half the traffic on `out`.
        while k < d {
            let first = &self.points.dimension(k)[self.from..];
            let p = self.point[k];
            if k + 1 < d {
                let second = &self.points.dimension(k + 1)[self.from..];
                let q = self.point[k + 1];
                if k == 0 {
                    for ((o, &a), &b) in self.out.iter_mut().zip(first).zip(second) {
                        let (u, v) = (a - p, b - q);
                        *o = fma::<FMA>(u, u, v * v);
                    }
                } else {
                    for ((o, &a), &b) in self.out.iter_mut().zip(first).zip(second) {
                        let (u, v) = (a - p, b - q);
                        *o = fma::<FMA>(u, u, fma::<FMA>(v, v, *o));
                    }
                }
            } else if k == 0 {
                for (o, &a) in self.out.iter_mut().zip(first) {
                    let u = a - p;
                    *o = u * u;
                }
            } else {
                for (o, &a) in self.out.iter_mut().zip(first) {
                    let u = a - p;
                    *o = fma::<FMA>(u, u, *o);
                }
            }
            k += 2;
        }
    }
}

struct WeightedSquares<'a> {
    points: &'a ScaledPoints,
    point: &'a [f64],
    from: usize,
    weights: &'a [f64],
    out: &'a mut [f64],
}

impl Loop for WeightedSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.weights.len();
        let weights = &self.weights[..n];
        for (k, o) in self.out.iter_mut().enumerate() {
            let z = &self.points.dimension(k)[self.from..][..n];
            let p = self.point[k];
            *o += sum_lanes(n, |i, sum| {
                let u = z[i] - p;
                fma::<FMA>(weights[i] * u, u, sum)
            });
        }
    }
}

struct WeightedDifferences<'a> {
    points: &'a ScaledPoints,
    point: &'a [f64],
    from: usize,
    weights: &'a [f64],
    out: &'a mut [f64],
}

impl Loop for WeightedDifferences<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.weights.len();
        let weights = &self.weights[..n];
        for (k, o) in self.out.iter_mut().enumerate() {
            let z = &self.points.dimension(k)[self.from..][..n];
            let p = self.point[k];
            *o += sum_lanes(n, |i, sum| fma::<FMA>(weights[i], z[i] - p, sum));
        }
    }
}

/// Squared ARD distances between the rows of `a` (`n×d`) and `b` (`p×d`), as an `n×p` matrix.
///
/// # Panics
/// If the numbers of columns or lengthscales differ.
///
/// ```
/// use warmfront_linalg::{Mat, squared_distances};
/// let a = Mat::from_fn(2, 2, |i, j| (i + j) as f64);
/// let b = Mat::from_fn(1, 2, |_, _| 0.0);
/// let r2 = squared_distances(a.as_ref(), b.as_ref(), &[1.0, 0.5]);
/// assert_eq!(r2[(0, 0)], 0.25);
/// assert_eq!(r2[(1, 0)], 2.0);
/// ```
#[track_caller]
pub fn squared_distances(
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    inverse_lengthscales: &[f64],
) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.nrows());
    let a = ScaledPoints::new(a, inverse_lengthscales);
    let b = ScaledPoints::new(b, inverse_lengthscales);
    squared_distances_into(&a, &b, out.as_mut());
    out
}

/// Squared distances between two sets of scaled points, written into `out` (`n×p`).
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn squared_distances_into(a: &ScaledPoints, b: &ScaledPoints, mut out: MatMut<'_, f64>) {
    assert!(
        out.nrows() == a.len() && out.ncols() == b.len() && a.dim() == b.dim(),
        "distances of {}×{} and {}×{} points into {}×{}",
        a.len(),
        a.dim(),
        b.len(),
        b.dim(),
        out.nrows(),
        out.ncols()
    );
    if out.row_stride() == 1 {
        return fill_columns(
            [out],
            || vec![0.0; b.dim()],
            |point, j, [column]| {
                b.copy_point(j, point);
                a.squared_distances_to(point, 0, column);
            },
        );
    }
    let mut point = vec![0.0; b.dim()];
    let mut buffer = Vec::new();
    for j in 0..b.len() {
        b.copy_point(j, &mut point);
        with_column(out.as_mut(), j, &mut buffer, |column| {
            a.squared_distances_to(&point, 0, column);
        });
    }
}

/// Squared ARD distances among the rows of `x` (`n×d`), as a full symmetric `n×n` matrix.
///
/// # Panics
/// If the number of lengthscales is not the number of columns.
#[track_caller]
pub fn symmetric_squared_distances(x: MatRef<'_, f64>, inverse_lengthscales: &[f64]) -> Mat<f64> {
    let points = ScaledPoints::new(x, inverse_lengthscales);
    let n = points.len();
    let mut out = Mat::zeros(n, n);
    fill_columns(
        [out.as_mut()],
        || vec![0.0; points.dim()],
        |point, j, [column]| {
            points.copy_point(j, point);
            points.squared_distances_to(point, j, &mut column[j..]);
        },
    );
    fill_upper(out.as_mut());
    out
}

/// Lets `write` fill column `j` as a slice, through `buffer` if the column is strided.
pub(crate) fn with_column(
    mut out: MatMut<'_, f64>,
    j: usize,
    buffer: &mut Vec<f64>,
    write: impl FnOnce(&mut [f64]),
) {
    if let Some(contiguous) = out.as_mut().col_mut(j).try_as_col_major_mut() {
        write(contiguous.as_slice_mut());
        return;
    }
    buffer.resize(out.nrows(), 0.0);
    write(buffer);
    for (i, &v) in buffer.iter().enumerate() {
        out[(i, j)] = v;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(n: usize, d: usize, seed: u32) -> Mat<f64> {
        Mat::from_fn(n, d, |i, j| {
            let h = (i as u32 * 7919 + j as u32 * 104_729 + seed * 31).wrapping_mul(2_654_435_761);
            f64::from(h >> 8) / f64::from(1_u32 << 24)
        })
    }

    fn naive(a: &Mat<f64>, b: &Mat<f64>, scales: &[f64], i: usize, j: usize) -> f64 {
        (0..scales.len())
            .map(|k| ((a[(i, k)] - b[(j, k)]) * scales[k]).powi(2))
            .sum()
    }

    #[test]
    fn distances_agree_with_the_definition() {
        for (n, p, d) in [
            (0, 3, 2),
            (1, 1, 1),
            (17, 5, 1),
            (33, 64, 3),
            (65, 2, 6),
            (4, 4, 0),
        ] {
            let (a, b) = (points(n, d, 1), points(p, d, 2));
            let scales: Vec<f64> = (0..d).map(|k| 0.5 + k as f64).collect();
            let cross = squared_distances(a.as_ref(), b.as_ref(), &scales);
            let own = symmetric_squared_distances(a.as_ref(), &scales);
            let mut strided = Mat::<f64>::zeros(p, n);
            squared_distances_into(
                &ScaledPoints::new(a.as_ref(), &scales),
                &ScaledPoints::new(b.as_ref(), &scales),
                strided.as_mut().transpose_mut(),
            );
            for i in 0..n {
                for j in 0..p {
                    let expected = naive(&a, &b, &scales, i, j);
                    assert!((cross[(i, j)] - expected).abs() < 1e-12 * expected.max(1.0));
                    assert!((strided[(j, i)] - cross[(i, j)]).abs() < 1e-300);
                }
                for j in 0..n {
                    let expected = naive(&a, &a, &scales, i, j);
                    assert!((own[(i, j)] - expected).abs() < 1e-12 * expected.max(1.0));
                }
            }
        }
    }

    #[test]
    fn weighted_sums_agree_with_the_definition() {
        let (n, d) = (37, 3);
        let scales = [1.0, 2.0, 0.3];
        let z = ScaledPoints::new(points(n, d, 3).as_ref(), &scales);
        let p = [0.1, 0.2, 0.3];
        let from = 5;
        let weights: Vec<f64> = (from..n).map(|i| i as f64 - 20.0).collect();
        let (mut squares, mut differences) = (vec![1.0; d], vec![2.0; d]);
        z.add_weighted_squares(&p, from, &weights, &mut squares);
        z.add_weighted_differences(&p, from, &weights, &mut differences);
        for k in 0..d {
            let (mut s, mut t) = (1.0, 2.0);
            for (w, i) in weights.iter().zip(from..n) {
                let u = z.dimension(k)[i] - p[k];
                s += w * u * u;
                t += w * u;
            }
            assert!((s - squares[k]).abs() < 1e-11 && (t - differences[k]).abs() < 1e-11);
        }
    }
}
