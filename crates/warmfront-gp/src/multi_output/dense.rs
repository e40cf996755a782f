//! The general model by one Cholesky factor over all observed outcomes.
//!
//! Needed when outcomes are missing, when outputs have noise variances or scales of their own, or
//! when the coregionalisation is not equicorrelated.

use warmfront_linalg::{JitterPolicy, Mat, MatRef};

use super::blocks::BlockMatrix;
use super::data::MultiOutputData;
use super::modes::{Conditioned, KernelAdjoint};
use super::ops;
use super::params::MultiOutputParams;
use crate::GpError;

/// A conditioned model: `L⁻¹` over the observed outcomes.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    coregion: Mat<f64>,
    /// Output and point of each observed outcome, objective-major.
    index: Vec<(usize, usize)>,
    whiten: Mat<f64>,
}

/// Output and point of each observed outcome, objective-major.
pub(super) fn observed(data: &MultiOutputData) -> Vec<(usize, usize)> {
    (0..data.num_outputs())
        .flat_map(|o| (0..data.len()).map(move |i| (o, i)))
        .filter(|&(o, i)| data.is_observed(i, o))
        .collect()
}

/// `B ⊗ K + noise` over the observed outcomes.
pub(super) fn covariance(
    k: &Mat<f64>,
    b: &Mat<f64>,
    index: &[(usize, usize)],
    params: &MultiOutputParams,
) -> Mat<f64> {
    Mat::from_fn(index.len(), index.len(), |s, t| {
        let ((o, i), (p, j)) = (index[s], index[t]);
        b[(o, p)] * k[(i, j)] + if s == t { params.noise_of(o) } else { 0.0 }
    })
}

impl Dense {
    /// Conditions on standardised outcomes `y` (`n×m`) with the Gram matrix `k` (`n×n`).
    pub(super) fn condition(
        k: &Mat<f64>,
        data: &MultiOutputData,
        y: MatRef<'_, f64>,
        params: &MultiOutputParams,
    ) -> Result<Conditioned<Self>, GpError> {
        let m = y.ncols();
        let coregion = params.coregion.matrix(m);
        let index = observed(data);
        let size = index.len();
        let mut coefficients = Mat::zeros(y.nrows(), m);
        if size == 0 {
            let solver = Self {
                coregion,
                index,
                whiten: Mat::zeros(0, 0),
            };
            return Ok(Conditioned {
                solver,
                coefficients,
                log_likelihood: 0.0,
                jitter: 0.0,
            });
        }
        let factor = ops::factorize(
            &covariance(k, &coregion, &index, params),
            JitterPolicy::default(),
        )?;
        let outcomes = Mat::from_fn(size, 1, |s, _| y[(index[s].1, index[s].0)]);
        let mut alpha = outcomes.clone();
        factor.solve_in_place(alpha.as_mut());
        let log_likelihood = -0.5
            * (ops::inner(&outcomes, &alpha)
                + factor.log_det()
                + size as f64 * (2.0 * std::f64::consts::PI).ln());
        for (s, &(o, i)) in index.iter().enumerate() {
            for p in 0..m {
                coefficients[(i, p)] += coregion[(p, o)] * alpha[(s, 0)];
            }
        }
        let whiten = ops::invert_lower_scaled(factor.factor(), 1.0);
        let jitter = factor.jitter();
        let solver = Self {
            coregion,
            index,
            whiten,
        };
        Ok(Conditioned {
            solver,
            coefficients,
            log_likelihood,
            jitter,
        })
    }

    fn outputs(&self) -> usize {
        self.coregion.nrows()
    }

    /// Prior covariance of the observed outcomes with all outputs at the queries; column `o·q + j`.
    fn expand(&self, kx: &Mat<f64>) -> Mat<f64> {
        let q = kx.ncols();
        Mat::from_fn(self.index.len(), q * self.outputs(), |s, t| {
            let (o, i) = self.index[s];
            self.coregion[(o, t / q)] * kx[(i, t % q)]
        })
    }

    fn kronecker(&self, k: &Mat<f64>) -> Mat<f64> {
        let (r, c, m) = (k.nrows(), k.ncols(), self.outputs());
        Mat::from_fn(r * m, c * m, |s, t| {
            self.coregion[(s / r, t / c)] * k[(s % r, t % c)]
        })
    }

    /// `L⁻¹` times the prior covariance of the outcomes with the queries; `kx` is `n×q`.
    pub(super) fn whitened(&self, kx: &Mat<f64>) -> Mat<f64> {
        ops::lower_times(&self.whiten, &self.expand(kx))
    }

    /// `C⁻¹` times the same covariance, from what [`whitened`](Self::whitened) returned.
    pub(super) fn reduction(&self, whitened: &Mat<f64>) -> Mat<f64> {
        ops::lower_transpose_times(&self.whiten, whitened)
    }

    /// Posterior covariance of two point sets from their prior `k` (`r×c`) and whitened columns.
    pub(super) fn covariance(&self, k: &Mat<f64>, v1: &Mat<f64>, v2: &Mat<f64>) -> BlockMatrix {
        let mut out = self.kronecker(k);
        ops::subtract(&ops::transpose_times(v1, v2), &mut out);
        BlockMatrix::dense(self.outputs(), out)
    }

    /// Posterior covariance of anchors (rows) with queries (columns); `ka` is `a×q`.
    pub(super) fn cross(&self, ka: &Mat<f64>, kx: &Mat<f64>, reduction: &Mat<f64>) -> BlockMatrix {
        let mut out = self.kronecker(ka);
        ops::subtract(&ops::transpose_times(reduction, &self.expand(kx)), &mut out);
        BlockMatrix::dense(self.outputs(), out)
    }

    /// Posterior variance of each output at each query, `q×m`, from the prior variance of the kernel.
    pub(super) fn variances(&self, prior: f64, v: &Mat<f64>) -> Mat<f64> {
        let m = self.outputs();
        let q = v.ncols() / m;
        Mat::from_fn(q, m, |j, o| {
            let column = v.col_as_slice(o * q + j);
            (self.coregion[(o, o)] * prior - ops::dot(column, column)).max(0.0)
        })
    }

    /// Adds the derivatives by the three kernel matrices, given those by covariance (`qm×qm`) and
    /// cross (`am×qm`); `own` is the reduction of the queries themselves.
    pub(super) fn pullback(
        &self,
        weights: &[f64],
        own: &Mat<f64>,
        reduction: &Mat<f64>,
        covariance: MatRef<'_, f64>,
        cross: MatRef<'_, f64>,
        adjoint: &mut KernelAdjoint,
    ) {
        let m = self.outputs();
        let (q, a) = (covariance.nrows() / m, cross.nrows() / m);
        let covariance = Mat::from_fn(q * m, q * m, |s, t| {
            weights[s / q] * weights[t / q] * covariance[(s, t)]
        });
        let cross = Mat::from_fn(a * m, q * m, |s, t| {
            weights[s / a] * weights[t / q] * cross[(s, t)]
        });
        for t in 0..q * m {
            for s in 0..q * m {
                adjoint.queries[(s % q, t % q)] +=
                    self.coregion[(s / q, t / q)] * covariance[(s, t)];
            }
        }
        for t in 0..q * m {
            for s in 0..a * m {
                adjoint.anchors[(s % a, t % q)] += self.coregion[(s / a, t / q)] * cross[(s, t)];
            }
        }
        if self.index.is_empty() {
            return;
        }
        let mut expanded = ops::times(own, &ops::plus_transpose(&covariance));
        let from_cross = ops::times(reduction, &cross);
        ops::add_scaled(1.0, &from_cross, &mut expanded);
        for t in 0..q * m {
            for (s, &(o, i)) in self.index.iter().enumerate() {
                adjoint.inputs[(i, t % q)] -= self.coregion[(o, t / q)] * expanded[(s, t)];
            }
        }
    }
}
