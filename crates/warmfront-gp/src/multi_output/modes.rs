//! The equicorrelated model by two Cholesky factors.
//!
//! With complete data and one noise variance, the covariance `B ⊗ K + σ²I` of
//! `B = (1 − ρ)I + ρ11ᵀ` decouples into the mean of the outputs, with covariance
//! `(1 + (m − 1)ρ)K + σ²I`, and their deviations from it, with covariance `(1 − ρ)K + σ²I`. No
//! rotation needs to be formed: `P = 11ᵀ/m` projects on the first mode and `I − P` on the others.

use warmfront_linalg::{JitterPolicy, Mat, MatRef};

use super::blocks::{BlockMatrix, modes_adjoint};
use super::ops;
use super::params::mode_coefficients;
use crate::GpError;

/// A conditioned model: per mode the coefficient `c` and the lower triangular `c·L⁻¹`.
#[derive(Debug, Clone)]
pub(super) struct Modes {
    outputs: usize,
    coefficients: Vec<f64>,
    whiten: Vec<Mat<f64>>,
}

/// What a solver leaves behind when it is conditioned on outcomes.
pub(super) struct Conditioned<S> {
    pub(super) solver: S,
    /// `n×m`: the standardised posterior mean at `z` is `k(z, X)` times this.
    pub(super) coefficients: Mat<f64>,
    pub(super) log_likelihood: f64,
    pub(super) jitter: f64,
}

/// Parts of the outcomes in each mode, `n×m` each: the row means repeated, and the deviations.
pub(super) fn split(y: MatRef<'_, f64>) -> Vec<Mat<f64>> {
    let (n, m) = (y.nrows(), y.ncols());
    if m == 1 {
        return vec![y.to_owned()];
    }
    let means: Vec<f64> = (0..n)
        .map(|i| (0..m).map(|o| y[(i, o)]).sum::<f64>() / m as f64)
        .collect();
    vec![
        Mat::from_fn(n, m, |i, _| means[i]),
        Mat::from_fn(n, m, |i, o| y[(i, o)] - means[i]),
    ]
}

impl Modes {
    /// Conditions on standardised outcomes `y` (`n×m`) with the Gram matrix `k` (`n×n`).
    pub(super) fn condition(
        k: &Mat<f64>,
        y: MatRef<'_, f64>,
        rho: f64,
        noise: f64,
    ) -> Result<Conditioned<Self>, GpError> {
        let (n, m) = (y.nrows(), y.ncols());
        let parts = split(y);
        let mut coefficients = Mat::zeros(n, m);
        let mut log_likelihood = -0.5 * (n * m) as f64 * (2.0 * std::f64::consts::PI).ln();
        let mut whiten = Vec::with_capacity(parts.len());
        let mut jitter = 0.0_f64;
        let c = mode_coefficients(m, rho);
        for (mode, part) in parts.into_iter().enumerate() {
            if n == 0 {
                whiten.push(Mat::zeros(0, 0));
                continue;
            }
            let covariance = Mat::from_fn(n, n, |i, j| {
                c[mode] * k[(i, j)] + if i == j { noise } else { 0.0 }
            });
            let factor = ops::factorize(&covariance, JitterPolicy::default())?;
            jitter = jitter.max(factor.jitter());
            let multiplicity = if mode == 0 { 1.0 } else { (m - 1) as f64 };
            let mut alpha = part.clone();
            factor.solve_in_place(alpha.as_mut());
            log_likelihood -= 0.5 * (ops::inner(&part, &alpha) + multiplicity * factor.log_det());
            ops::add_scaled(c[mode], &alpha, &mut coefficients);
            whiten.push(ops::invert_lower_scaled(factor.factor(), c[mode]));
        }
        let solver = Self {
            outputs: m,
            coefficients: c[..whiten.len()].to_vec(),
            whiten,
        };
        Ok(Conditioned {
            solver,
            coefficients,
            log_likelihood,
            jitter,
        })
    }

    /// `c·L⁻¹ k(X, z)` for each mode; `kx` is `n×q`.
    pub(super) fn whitened(&self, kx: &Mat<f64>) -> Vec<Mat<f64>> {
        self.whiten
            .iter()
            .map(|w| ops::lower_times(w, kx))
            .collect()
    }

    /// `c²(cK + σ²I)⁻¹ k(X, z)` for each mode, from what [`whitened`](Self::whitened) returned.
    pub(super) fn reduction(&self, whitened: &[Mat<f64>]) -> Vec<Mat<f64>> {
        self.whiten
            .iter()
            .zip(whitened)
            .map(|(w, v)| ops::lower_transpose_times(w, v))
            .collect()
    }

    /// Posterior covariance of two point sets from their prior `k` (`r×c`) and whitened columns.
    pub(super) fn covariance(&self, k: &Mat<f64>, v1: &[Mat<f64>], v2: &[Mat<f64>]) -> BlockMatrix {
        self.blocks(|mode| {
            let mut out = ops::transpose_times(&v1[mode], &v2[mode]);
            ops::linear(self.coefficients[mode], k, -1.0, &mut out);
            out
        })
    }

    /// Posterior covariance of anchors (rows) with queries (columns); `ka` is `a×q`.
    pub(super) fn cross(
        &self,
        ka: &Mat<f64>,
        kx: &Mat<f64>,
        reduction: &[Mat<f64>],
    ) -> BlockMatrix {
        self.blocks(|mode| {
            let mut out = ops::transpose_times(&reduction[mode], kx);
            ops::linear(self.coefficients[mode], ka, -1.0, &mut out);
            out
        })
    }

    /// Posterior variance of each output at each query, `q×m`, from the prior variance of the kernel.
    pub(super) fn variances(&self, prior: f64, v: &[Mat<f64>]) -> Mat<f64> {
        let q = v[0].ncols();
        let m = self.outputs as f64;
        let of = |mode: usize, j: usize| {
            let column = v[mode].col_as_slice(j);
            (self.coefficients[mode] * prior - ops::dot(column, column)).max(0.0)
        };
        let shared: Vec<f64> = (0..q)
            .map(|j| {
                if self.outputs == 1 {
                    of(0, j)
                } else {
                    (of(0, j) + (m - 1.0) * of(1, j)) / m
                }
            })
            .collect();
        Mat::from_fn(q, self.outputs, |j, _| shared[j])
    }

    fn blocks(&self, mut of: impl FnMut(usize) -> Mat<f64>) -> BlockMatrix {
        let perpendicular = (self.outputs > 1).then(|| of(1));
        BlockMatrix::from_modes(self.outputs, of(0), perpendicular)
    }

    /// Adds the derivatives by the three kernel matrices, given those by covariance (`qm×qm`) and
    /// cross (`am×qm`); `own` is the reduction of the queries themselves.
    pub(super) fn pullback(
        &self,
        weights: &[f64],
        own: &[Mat<f64>],
        reduction: &[Mat<f64>],
        covariance: MatRef<'_, f64>,
        cross: MatRef<'_, f64>,
        adjoint: &mut KernelAdjoint,
    ) {
        let split = |dense| {
            let (parallel, perpendicular) = modes_adjoint(self.outputs, weights, dense);
            [Some(parallel), perpendicular]
        };
        let (covariance, cross) = (split(covariance), split(cross));
        for mode in 0..self.whiten.len() {
            let (Some(covariance), Some(cross)) = (&covariance[mode], &cross[mode]) else {
                continue;
            };
            let c = self.coefficients[mode];
            ops::add_scaled(c, covariance, &mut adjoint.queries);
            ops::add_scaled(c, cross, &mut adjoint.anchors);
            if self.whiten[mode].nrows() == 0 {
                continue;
            }
            ops::subtract(&ops::times(&reduction[mode], cross), &mut adjoint.inputs);
            let symmetric = ops::plus_transpose(covariance);
            ops::subtract(&ops::times(&own[mode], &symmetric), &mut adjoint.inputs);
        }
    }
}

/// Derivatives of a scalar by the kernel matrices of some queries.
pub(super) struct KernelAdjoint {
    /// By `k(X, z)`, `n×q`.
    pub(super) inputs: Mat<f64>,
    /// By `k(A, z)`, `a×q`.
    pub(super) anchors: Mat<f64>,
    /// By `k(z, z)`, `q×q`.
    pub(super) queries: Mat<f64>,
}
