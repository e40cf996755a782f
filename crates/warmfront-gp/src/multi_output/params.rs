//! The hyperparameters of a multi-output model.

use warmfront_linalg::Mat;

use crate::KernelKind;

/// How the outputs vary together: the coregionalisation matrix `B` of the covariance `B ⊗ k`.
#[derive(Debug, Clone, PartialEq)]
pub enum Coregion {
    /// `B = (1 − ρ)I + ρ11ᵀ`: every pair of outputs has the same correlation.
    Equicorrelated {
        /// The common correlation, in `(−1/(m − 1), 1)`.
        rho: f64,
    },
    /// The same correlations with one variance per output.
    EquicorrelatedScaled {
        /// The common correlation, in `(−1/(m − 1), 1)`.
        rho: f64,
        /// Variance of each output, `m` positive numbers.
        variances: Vec<f64>,
    },
    /// Any covariance, `B = LLᵀ`.
    Full {
        /// The lower triangular `L`, `m×m`, with a positive diagonal.
        factor: Mat<f64>,
    },
}

impl Coregion {
    /// The matrix `B` (`m×m`).
    ///
    /// # Panics
    /// If there are not `m` variances or the factor is not `m×m`.
    #[track_caller]
    pub fn matrix(&self, m: usize) -> Mat<f64> {
        match self {
            Self::Equicorrelated { rho } => {
                Mat::from_fn(m, m, |i, j| if i == j { 1.0 } else { *rho })
            }
            Self::EquicorrelatedScaled { rho, variances } => {
                assert!(
                    variances.len() == m,
                    "{} variances for {m} outputs",
                    variances.len()
                );
                Mat::from_fn(m, m, |i, j| {
                    if i == j {
                        variances[i]
                    } else {
                        rho * (variances[i] * variances[j]).sqrt()
                    }
                })
            }
            Self::Full { factor } => {
                assert!(
                    factor.nrows() == m && factor.ncols() == m,
                    "a {}×{} factor for {m} outputs",
                    factor.nrows(),
                    factor.ncols()
                );
                Mat::from_fn(m, m, |i, j| {
                    (0..=i.min(j))
                        .map(|k| factor[(i, k)] * factor[(j, k)])
                        .sum()
                })
            }
        }
    }

    /// The correlation of two outputs of the equicorrelated kinds.
    pub fn rho(&self) -> Option<f64> {
        match self {
            Self::Equicorrelated { rho } | Self::EquicorrelatedScaled { rho, .. } => Some(*rho),
            Self::Full { .. } => None,
        }
    }
}

/// All hyperparameters of a [`MultiOutputGp`](super::MultiOutputGp), in the standardised units of
/// its outcomes.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiOutputParams {
    /// Shape of the base kernel.
    pub kind: KernelKind,
    /// One lengthscale per input, in units of the cube.
    pub lengthscales: Vec<f64>,
    /// Variance of the base kernel; the part of a prior variance that all outputs share.
    pub variance: f64,
    /// How the outputs vary together.
    pub coregion: Coregion,
    /// Noise variance: one number for all outputs, or one for each.
    pub noise: Vec<f64>,
}

impl MultiOutputParams {
    /// An equicorrelated model with one noise variance.
    pub fn equicorrelated(
        kind: KernelKind,
        lengthscales: Vec<f64>,
        variance: f64,
        rho: f64,
        noise: f64,
    ) -> Self {
        Self {
            kind,
            lengthscales,
            variance,
            coregion: Coregion::Equicorrelated { rho },
            noise: vec![noise],
        }
    }

    pub(super) fn noise_of(&self, output: usize) -> f64 {
        self.noise[if self.noise.len() == 1 { 0 } else { output }]
    }

    /// Whether two Cholesky factors of the size of the inputs are enough (with complete data).
    pub(super) fn decouples(&self) -> bool {
        matches!(self.coregion, Coregion::Equicorrelated { .. }) && self.noise.len() == 1
    }
}

/// Variances `1 + (m − 1)ρ` and `1 − ρ` of the two modes; the second does not exist for one output.
pub(super) fn mode_coefficients(m: usize, rho: f64) -> [f64; 2] {
    if m == 1 {
        [1.0, 0.0]
    } else {
        [1.0 + (m - 1) as f64 * rho, 1.0 - rho]
    }
}
