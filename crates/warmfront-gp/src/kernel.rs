//! Stationary covariance functions with one lengthscale per dimension.
//!
//! With scaled squared distance `r² = Σ_k (x_k − x'_k)²/ℓ_k²` and `c = √5·r`:
//!
//! | kernel | `k(x, x')/variance` | slope `h = −2 dk/d(r²)/variance` |
//! |---|---|---|
//! | squared exponential | `exp(−r²/2)` | `exp(−r²/2)` |
//! | Matérn 5/2 | `(1 + c + c²/3)·exp(−c)` | `(5/3)(1 + c)·exp(−c)` |
//!
//! Every derivative follows from the slope: `∂k/∂log ℓ_k = variance·h·(x_k − x'_k)²/ℓ_k²` and
//! `∂k/∂x_k = −variance·h·(x_k − x'_k)/ℓ_k²`.

use rayon::prelude::*;
use warmfront_linalg::{
    LARGE, Mat, MatMut, MatRef, ScaledPoints, fill_columns, fill_upper_from_lower,
    likelihood_weights, matern52_in_place, matern52_slope_in_place, matern52_with_slope,
    rbf_in_place, squared_distances_into,
};

#[cfg(test)]
mod tests;

/// Columns of a large Gram matrix whose gradients are summed by one job.
const GRADIENT_COLUMNS: usize = 64;

/// Which covariance function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KernelKind {
    /// Squared exponential (radial basis function): infinitely smooth.
    #[default]
    Rbf,
    /// Matérn with ν = 5/2: twice differentiable.
    Matern52,
}

/// A kernel with its lengthscales and its variance (output scale).
///
/// ```
/// use warmfront_gp::{ArdKernel, KernelKind};
/// use warmfront_linalg::Mat;
/// let kernel = ArdKernel::new(KernelKind::Rbf, vec![0.5, 1.0], 2.0);
/// let x = Mat::from_fn(3, 2, |i, j| (i * (j + 1)) as f64 / 4.0);
/// let k = kernel.gram(x.as_ref());
/// assert!((k[(1, 1)] - 2.0).abs() < 1e-15 && k[(0, 2)] < k[(0, 1)]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ArdKernel {
    kind: KernelKind,
    lengthscales: Vec<f64>,
    inverse_lengthscales: Vec<f64>,
    variance: f64,
}

impl ArdKernel {
    /// A kernel over `lengthscales.len()` inputs.
    ///
    /// # Panics
    /// If a lengthscale or the variance is not positive and finite.
    #[track_caller]
    pub fn new(kind: KernelKind, lengthscales: Vec<f64>, variance: f64) -> Self {
        assert!(
            variance.is_finite() && variance > 0.0,
            "kernel variance is {variance}, expected a positive number"
        );
        let mut kernel = Self {
            kind,
            inverse_lengthscales: Vec::with_capacity(lengthscales.len()),
            lengthscales: Vec::new(),
            variance,
        };
        kernel.set_lengthscales(&lengthscales);
        kernel
    }

    #[track_caller]
    fn set_lengthscales(&mut self, lengthscales: &[f64]) {
        for (k, &l) in lengthscales.iter().enumerate() {
            assert!(
                l.is_finite() && l > 0.0,
                "lengthscale {k} is {l}, expected a positive number"
            );
        }
        self.lengthscales.clear();
        self.lengthscales.extend_from_slice(lengthscales);
        self.inverse_lengthscales.clear();
        self.inverse_lengthscales
            .extend(lengthscales.iter().map(|l| 1.0 / l));
    }

    /// Which covariance function.
    pub fn kind(&self) -> KernelKind {
        self.kind
    }

    /// Number of inputs `d`.
    pub fn dim(&self) -> usize {
        self.lengthscales.len()
    }

    /// Lengthscales, length `d`.
    pub fn lengthscales(&self) -> &[f64] {
        &self.lengthscales
    }

    /// Reciprocals of the lengthscales.
    pub fn inverse_lengthscales(&self) -> &[f64] {
        &self.inverse_lengthscales
    }

    /// `k(x, x)`.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// The same correlation with another variance.
    ///
    /// # Panics
    /// If the variance is not positive and finite.
    #[track_caller]
    #[must_use]
    pub fn with_variance(&self, variance: f64) -> Self {
        Self::new(self.kind, self.lengthscales.clone(), variance)
    }

    /// Divides points (`n×d`) by the lengthscales, for use with the other methods.
    ///
    /// # Panics
    /// If `x` does not have `d` columns.
    #[track_caller]
    pub fn scale(&self, x: MatRef<'_, f64>) -> ScaledPoints {
        ScaledPoints::new(x, &self.inverse_lengthscales)
    }

    /// Divides one point (length `d`) by the lengthscales into `out`.
    ///
    /// # Panics
    /// If a length is not `d`.
    #[track_caller]
    pub fn scale_point(&self, x: &[f64], out: &mut [f64]) {
        assert!(
            x.len() == self.dim() && out.len() == self.dim(),
            "kernel over {} inputs applied to a point of length {}",
            self.dim(),
            x.len()
        );
        for ((o, &v), &inverse) in out.iter_mut().zip(x).zip(&self.inverse_lengthscales) {
            *o = (v * inverse).clamp(-ScaledPoints::LARGEST, ScaledPoints::LARGEST);
        }
    }

    /// Replaces squared scaled distances by kernel values.
    pub fn apply(&self, squared: &mut [f64]) {
        match self.kind {
            KernelKind::Rbf => rbf_in_place(squared, self.variance),
            KernelKind::Matern52 => matern52_in_place(squared, self.variance),
        }
    }

    /// Replaces squared scaled distances by `variance·h`, the slope of the module's table.
    pub fn apply_slope(&self, squared: &mut [f64]) {
        match self.kind {
            KernelKind::Rbf => rbf_in_place(squared, self.variance),
            KernelKind::Matern52 => matern52_slope_in_place(squared, self.variance),
        }
    }

    /// Covariances among the rows of `x` (`n×d`), `n×n`, both triangles filled.
    ///
    /// # Panics
    /// If `x` does not have `d` columns.
    #[track_caller]
    pub fn gram(&self, x: MatRef<'_, f64>) -> Mat<f64> {
        let points = self.scale(x);
        let n = points.len();
        let mut out = Mat::zeros(n, n);
        fill_columns(
            [out.as_mut()],
            || vec![0.0; self.dim()],
            |point, j, [column]| {
                let column = &mut column[j..];
                points.copy_point(j, point);
                points.squared_distances_to(point, j, column);
                self.apply(column);
            },
        );
        fill_upper_from_lower(&mut out);
        out
    }

    /// Covariances of the rows of `a` (`n×d`) with the rows of `b` (`p×d`), `n×p`.
    ///
    /// # Panics
    /// If a matrix does not have `d` columns.
    #[track_caller]
    pub fn cross(&self, a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
        let mut out = Mat::zeros(a.nrows(), b.nrows());
        self.cross_into(&self.scale(a), &self.scale(b), out.as_mut());
        out
    }

    /// [`cross`](Self::cross) of points that are scaled already, written into `out` (`n×p`).
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn cross_into(&self, a: &ScaledPoints, b: &ScaledPoints, mut out: MatMut<'_, f64>) {
        if out.row_stride() == 1 && a.dim() == b.dim() && out.nrows() == a.len() {
            return fill_columns(
                [out],
                || vec![0.0; b.dim()],
                |point, j, [column]| {
                    b.copy_point(j, point);
                    self.column_into(a, point, column);
                },
            );
        }
        squared_distances_into(a, b, out.as_mut());
        let mut buffer = Vec::new();
        for j in 0..out.ncols() {
            if let Some(column) = out.as_mut().col_mut(j).try_as_col_major_mut() {
                self.apply(column.as_slice_mut());
                continue;
            }
            buffer.clear();
            buffer.extend(out.as_ref().col(j).iter().copied());
            self.apply(&mut buffer);
            for (i, &v) in buffer.iter().enumerate() {
                out[(i, j)] = v;
            }
        }
    }

    /// Covariances of scaled `points` with one scaled `point`, into `out` (length `n`).
    ///
    /// # Panics
    /// If a length does not fit.
    #[track_caller]
    pub fn column_into(&self, points: &ScaledPoints, point: &[f64], out: &mut [f64]) {
        points.squared_distances_to(point, 0, out);
        self.apply(out);
    }

    /// Adds `Σ_i w_i ∂k(x, X_i)/∂x_k` to `out[k]`, for a scaled `point` x and scaled `points` X.
    ///
    /// `weights` (length `n`) is overwritten; `out` has length `d` and is in unscaled coordinates.
    ///
    /// # Panics
    /// If a length does not fit.
    #[track_caller]
    pub fn add_input_gradient(
        &self,
        points: &ScaledPoints,
        point: &[f64],
        weights: &mut [f64],
        out: &mut [f64],
    ) {
        let mut slope = vec![0.0; points.len()];
        points.squared_distances_to(point, 0, &mut slope);
        self.apply_slope(&mut slope);
        for (w, s) in weights.iter_mut().zip(&slope) {
            *w *= s;
        }
        let mut sums = vec![0.0; self.dim()];
        points.add_weighted_differences(point, 0, weights, &mut sums);
        // z − p over the scaled coordinates is −(x − X)/ℓ, and the slope carries the other minus.
        for ((o, s), inverse) in out.iter_mut().zip(&sums).zip(&self.inverse_lengthscales) {
            *o += s * inverse;
        }
    }
}

/// The Gram matrix of fixed points under changing hyper-parameters, with what its gradient needs.
///
/// Storage is reused from one [`update`](Self::update) to the next; only lower triangles are filled.
#[derive(Debug, Clone)]
pub struct KernelGram {
    points: ScaledPoints,
    value: Mat<f64>,
    /// Empty for the squared exponential, whose slope is its value.
    slope: Mat<f64>,
    kind: KernelKind,
    dim: usize,
}

impl KernelGram {
    /// Room for `n` points of dimension `d`.
    pub fn new(kind: KernelKind, n: usize, d: usize) -> Self {
        let slope = match kind {
            KernelKind::Rbf => 0,
            KernelKind::Matern52 => n,
        };
        Self {
            points: ScaledPoints::default(),
            value: Mat::zeros(n, n),
            slope: Mat::zeros(slope, slope),
            kind,
            dim: d,
        }
    }

    /// Evaluates the kernel at the rows of `x` (`n×d`).
    ///
    /// # Panics
    /// If the shape or the kind of kernel is not the one given to [`new`](Self::new).
    #[track_caller]
    pub fn update(&mut self, kernel: &ArdKernel, x: MatRef<'_, f64>) {
        let n = self.value.nrows();
        assert!(
            x.nrows() == n && x.ncols() == self.dim && kernel.kind == self.kind,
            "{}×{} points with {:?}, prepared for {n}×{} with {:?}",
            x.nrows(),
            x.ncols(),
            kernel.kind,
            self.dim,
            self.kind
        );
        self.points.set(x, &kernel.inverse_lengthscales);
        let points = &self.points;
        let distances = |point: &mut Vec<f64>, j: usize, column: &mut [f64]| {
            points.copy_point(j, point);
            points.squared_distances_to(point, j, column);
        };
        let point = || vec![0.0; points.dim()];
        let (value, slope) = (self.value.as_mut(), self.slope.as_mut());
        match self.kind {
            KernelKind::Rbf => fill_columns([value], point, |point, j, [value]| {
                distances(point, j, &mut value[j..]);
                rbf_in_place(&mut value[j..], kernel.variance);
            }),
            KernelKind::Matern52 => {
                fill_columns([value, slope], point, |point, j, [value, slope]| {
                    distances(point, j, &mut value[j..]);
                    matern52_with_slope(&mut value[j..], &mut slope[j..], kernel.variance);
                })
            }
        }
    }

    /// Adds noise to the diagonal until the next update; no gradient depends on it.
    pub fn add_to_diagonal(&mut self, noise: f64) {
        for i in 0..self.value.nrows() {
            self.value[(i, i)] += noise;
        }
    }

    /// The covariances (`n×n`); only the lower triangle is filled.
    pub fn value(&self) -> MatRef<'_, f64> {
        self.value.as_ref()
    }

    fn slope_column(&self, j: usize) -> &[f64] {
        match self.kind {
            KernelKind::Rbf => &self.value.col_as_slice(j)[j + 1..],
            KernelKind::Matern52 => &self.slope.col_as_slice(j)[j + 1..],
        }
    }

    /// Adds `Σ_ij G_ij ∂K_ij/∂log ℓ_k` to `gradient[k]`, for symmetric `weights` G (`n×n`, lower triangle read).
    ///
    /// The derivative by the log variance is `Σ_ij G_ij K_ij`; see [`inner_product`](Self::inner_product).
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn add_lengthscale_gradient(&self, weights: MatRef<'_, f64>, gradient: &mut [f64]) {
        let n = self.value.nrows();
        assert!(
            weights.nrows() == n && weights.ncols() == n,
            "weights are {}×{}, the Gram matrix {n}×{n}",
            weights.nrows(),
            weights.ncols()
        );
        self.add_weighted_slopes(gradient, |j, slope, tail| {
            for ((t, &s), i) in tail.iter_mut().zip(slope).zip(j + 1..) {
                // Twice, for the mirrored entry; the diagonal does not depend on a lengthscale.
                *t = 2.0 * weights[(i, j)] * s;
            }
        });
    }

    /// [`add_lengthscale_gradient`](Self::add_lengthscale_gradient) with `G = ½(αα^T − K⁻¹)`, in one pass.
    ///
    /// That is the gradient of a log marginal likelihood. Only the lower triangle of `inverse` is read.
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn add_likelihood_gradient(&self, alpha: &[f64], inverse: &Mat<f64>, gradient: &mut [f64]) {
        let n = self.value.nrows();
        assert!(
            alpha.len() == n && inverse.nrows() == n && inverse.ncols() == n,
            "α of length {} and inverse {}×{}, the Gram matrix {n}×{n}",
            alpha.len(),
            inverse.nrows(),
            inverse.ncols()
        );
        self.add_weighted_slopes(gradient, |j, slope, tail| {
            let inverse = &inverse.col_as_slice(j)[j + 1..];
            likelihood_weights(alpha[j], &alpha[j + 1..], inverse, slope, tail);
        });
    }

    /// Adds `Σ_{i>j} t_ij (z_ik − z_jk)²` to `gradient[k]`, for the column `t_j` that `weigh` makes of the index j and the slopes.
    fn add_weighted_slopes(
        &self,
        gradient: &mut [f64],
        weigh: impl Fn(usize, &[f64], &mut [f64]) + Sync,
    ) {
        let (n, d) = (self.value.nrows(), self.points.dim());
        let add = |columns: std::ops::Range<usize>, gradient: &mut [f64]| {
            let (mut point, mut weights) = (vec![0.0; d], vec![0.0; n]);
            for j in columns {
                let tail = &mut weights[j + 1..];
                weigh(j, self.slope_column(j), tail);
                self.points.copy_point(j, &mut point);
                self.points
                    .add_weighted_squares(&point, j + 1, tail, gradient);
            }
        };
        if n < LARGE {
            return add(0..n, gradient);
        }
        // Sums of fixed blocks in their order: the same for any number of threads.
        let sums: Vec<Vec<f64>> = (0..n.div_ceil(GRADIENT_COLUMNS))
            .into_par_iter()
            .map(|block| {
                let first = block * GRADIENT_COLUMNS;
                let mut sums = vec![0.0; d];
                add(first..n.min(first + GRADIENT_COLUMNS), &mut sums);
                sums
            })
            .collect();
        for block in sums {
            for (g, s) in gradient.iter_mut().zip(block) {
                *g += s;
            }
        }
    }

    /// `Σ_ij G_ij K_ij` for symmetric `weights` G (`n×n`, lower triangle read).
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn inner_product(&self, weights: MatRef<'_, f64>) -> f64 {
        let n = self.value.nrows();
        assert!(
            weights.nrows() == n && weights.ncols() == n,
            "weights are {}×{}, the Gram matrix {n}×{n}",
            weights.nrows(),
            weights.ncols()
        );
        let mut sum = 0.0;
        for j in 0..n {
            sum += weights[(j, j)] * self.value[(j, j)];
            for i in j + 1..n {
                sum += 2.0 * weights[(i, j)] * self.value[(i, j)];
            }
        }
        sum
    }
}
