//! The log marginal likelihood of a multi-output model and its gradient.

use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, ScaledPoints};

use super::modes::split;
use super::params::mode_coefficients;
use super::stationary::{Stationary, multiply};
use super::{
    Coregion, MultiOutputData, MultiOutputParams, OutcomeScaling, dense, ops, standardized,
};
use crate::GpError;

/// The log marginal likelihood and its derivatives.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiOutputGradient {
    /// Log density of the standardised outcomes.
    pub value: f64,
    /// By the log of each lengthscale.
    pub log_lengthscales: Vec<f64>,
    /// By the log of the variance.
    pub log_variance: f64,
    /// By the correlation of the equicorrelated kinds, else zero.
    pub rho: f64,
    /// By each entry of `B`, treating symmetric entries as independent (`m×m`).
    ///
    /// The two-factor path knows only what the equicorrelated kind can vary, and spreads it evenly.
    pub coregion: Mat<f64>,
    /// By the log of each noise variance.
    pub log_noise: Vec<f64>,
}

/// Likelihood and gradient at `params` for `data` standardised by `scaling`.
///
/// # Errors
/// [`GpError::NotPositiveDefinite`] if the covariance resists the largest jitter.
///
/// # Panics
/// If the hyperparameters do not fit the data.
#[track_caller]
pub fn log_marginal_likelihood_gradient(
    data: &MultiOutputData,
    scaling: &OutcomeScaling,
    params: &MultiOutputParams,
) -> Result<MultiOutputGradient, GpError> {
    Evaluator::new(data, scaling).evaluate(params, JitterPolicy::default())
}

/// Standardised outcomes in the form that each solver wants, prepared once for many evaluations.
pub(super) struct Evaluator<'a> {
    data: &'a MultiOutputData,
    y: Mat<f64>,
    parts: Vec<Mat<f64>>,
    index: Vec<(usize, usize)>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(data: &'a MultiOutputData, scaling: &OutcomeScaling) -> Self {
        let y = standardized(data, scaling);
        Self {
            data,
            parts: split(y.as_ref()),
            y,
            index: dense::observed(data),
        }
    }

    pub(super) fn evaluate(
        &self,
        params: &MultiOutputParams,
        policy: JitterPolicy,
    ) -> Result<MultiOutputGradient, GpError> {
        let kernel = Stationary::new(params.kind, &params.lengthscales, params.variance);
        let points = kernel.scaled(self.data.x());
        let (k, slope) = kernel.columns_with_slope(&points, &points);
        let slope = slope.as_ref().unwrap_or(&k);
        if params.decouples() && self.data.is_complete() {
            self.modes(params, &points, &k, slope, policy)
        } else {
            self.dense(params, &points, &k, slope, policy)
        }
    }

    fn modes(
        &self,
        params: &MultiOutputParams,
        points: &ScaledPoints,
        k: &Mat<f64>,
        slope: &Mat<f64>,
        policy: JitterPolicy,
    ) -> Result<MultiOutputGradient, GpError> {
        let (n, m) = (self.y.nrows(), self.y.ncols());
        let rho = params.coregion.rho().unwrap_or(0.0);
        let noise = params.noise[0];
        let mut value = -0.5 * (n * m) as f64 * (2.0 * std::f64::consts::PI).ln();
        let mut kernel_weights = Mat::<f64>::zeros(n, n);
        let c = mode_coefficients(m, rho);
        let (mut by_rho, mut by_noise, mut by_variance) = (0.0, 0.0, 0.0);
        for (mode, part) in self.parts.iter().enumerate() {
            let covariance = Mat::from_fn(n, n, |i, j| {
                c[mode] * k[(i, j)] + if i == j { noise } else { 0.0 }
            });
            let factor = ops::factorize(&covariance, policy)?;
            let multiplicity = if mode == 0 { 1.0 } else { (m - 1) as f64 };
            let (quadratic, p) = sensitivity(&factor, part, multiplicity);
            value -= 0.5 * (quadratic + multiplicity * factor.log_det());
            let with_k = 0.5 * ops::inner(&p, k);
            by_variance += c[mode] * with_k;
            by_rho += if mode == 0 {
                (m - 1) as f64 * with_k
            } else {
                -with_k
            };
            by_noise += 0.5 * noise * (0..n).map(|i| p[(i, i)]).sum::<f64>();
            ops::add_scaled(0.5 * c[mode], &p, &mut kernel_weights);
        }
        let mut log_lengthscales = vec![0.0; points.dim()];
        let weighted = multiply(kernel_weights, slope);
        Stationary::add_lengthscale_gradient(points, &weighted, &mut log_lengthscales);
        let pairs = (m * (m - 1)).max(1) as f64;
        let on_diagonal = (by_variance - rho * by_rho) / m as f64;
        let coregion = Mat::from_fn(
            m,
            m,
            |i, j| if i == j { on_diagonal } else { by_rho / pairs },
        );
        Ok(MultiOutputGradient {
            value,
            log_lengthscales,
            log_variance: by_variance,
            rho: if m > 1 { by_rho } else { 0.0 },
            coregion,
            log_noise: vec![by_noise],
        })
    }

    fn dense(
        &self,
        params: &MultiOutputParams,
        points: &ScaledPoints,
        k: &Mat<f64>,
        slope: &Mat<f64>,
        policy: JitterPolicy,
    ) -> Result<MultiOutputGradient, GpError> {
        let (n, m) = (self.y.nrows(), self.y.ncols());
        let b = params.coregion.matrix(m);
        let size = self.index.len();
        let factor = ops::factorize(&dense::covariance(k, &b, &self.index, params), policy)?;
        let outcomes = Mat::from_fn(size, 1, |s, _| self.y[(self.index[s].1, self.index[s].0)]);
        let (quadratic, p) = sensitivity(&factor, &outcomes, 1.0);
        let value =
            -0.5 * (quadratic + factor.log_det() + size as f64 * (2.0 * std::f64::consts::PI).ln());
        let mut kernel_weights = Mat::<f64>::zeros(n, n);
        let mut coregion = Mat::<f64>::zeros(m, m);
        let mut log_noise = vec![0.0; params.noise.len()];
        for (t, &(q, j)) in self.index.iter().enumerate() {
            for (s, &(o, i)) in self.index.iter().enumerate() {
                let half = 0.5 * p[(s, t)];
                kernel_weights[(i, j)] += half * b[(o, q)];
                coregion[(o, q)] += half * k[(i, j)];
            }
            let slot = if log_noise.len() == 1 { 0 } else { q };
            log_noise[slot] += 0.5 * p[(t, t)] * params.noise_of(q);
        }
        let log_variance = ops::inner(&coregion, &b);
        let mut log_lengthscales = vec![0.0; points.dim()];
        let weighted = multiply(kernel_weights, slope);
        Stationary::add_lengthscale_gradient(points, &weighted, &mut log_lengthscales);
        let rho = match &params.coregion {
            Coregion::Equicorrelated { .. } => off_diagonal(&coregion, |_, _| 1.0),
            Coregion::EquicorrelatedScaled { variances, .. } => {
                off_diagonal(&coregion, |i, j| (variances[i] * variances[j]).sqrt())
            }
            Coregion::Full { .. } => 0.0,
        };
        Ok(MultiOutputGradient {
            value,
            log_lengthscales,
            log_variance,
            rho,
            coregion,
            log_noise,
        })
    }
}

fn off_diagonal(d: &Mat<f64>, weight: impl Fn(usize, usize) -> f64) -> f64 {
    let m = d.nrows();
    (0..m)
        .flat_map(|i| (0..m).map(move |j| (i, j)))
        .filter(|(i, j)| i != j)
        .map(|(i, j)| d[(i, j)] * weight(i, j))
        .sum()
}

/// `yᵀC⁻¹y` summed over the columns of `y`, and `Σ αα ᵀ − multiplicity·C⁻¹`, twice the derivative by `C`.
fn sensitivity(factor: &JitteredCholesky, y: &Mat<f64>, multiplicity: f64) -> (f64, Mat<f64>) {
    let mut alpha = y.clone();
    factor.solve_in_place(alpha.as_mut());
    let quadratic = ops::inner(y, &alpha);
    let mut p = factor.inverse();
    for j in 0..p.ncols() {
        for value in p.col_as_slice_mut(j) {
            *value *= -multiplicity;
        }
    }
    warmfront_linalg::add_matmul_into(p.as_mut(), alpha.as_ref(), alpha.as_ref().transpose(), 1.0);
    (quadratic, p)
}
