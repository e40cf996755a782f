//! The determinantal criterion of task evolution: how much a task would add to those evaluated.

use warmfront_gp::{ArdKernel, KernelKind};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatRef, ScaledPoints, lower_matvec};

use crate::MetaError;

/// How diverse a set of tasks becomes by one more, `J(θ) = (1/V) Σ_d det κ_d(Θ ∪ {θ})`.
///
/// `κ_d(θ, θ') = exp(−½ Σ_j (θ_j − θ'_j)²/ℓ_dj²)` is the correlation of output `d` of the task
/// model, without output scale or noise. Because `det κ_d(Θ ∪ {θ}) = det κ_d(Θ)·s_d²(θ)` with
/// `s_d² = 1 − k_dᵀ K_d⁻¹ k_d`, one Cholesky factor for each output gives every candidate in
/// O(V·n²), and the logarithm of the determinant does not underflow where the determinant does.
///
/// A Gram matrix that is singular in double precision (repeated tasks, very long lengthscales)
/// gets the jitter of [`JitterPolicy::default`]. Without tasks `J` is 1 everywhere.
///
/// ```
/// use warmfront_linalg::Mat;
/// use warmfront_meta::pmto::DeterminantalCriterion;
///
/// let tasks = Mat::from_fn(2, 1, |i, _| 0.2 + 0.2 * i as f64);
/// let j = DeterminantalCriterion::new(tasks.as_ref(), &[vec![0.3]])?;
/// assert!(j.log_value(&[0.9]) > j.log_value(&[0.5]));
/// # Ok::<(), warmfront_meta::MetaError>(())
/// ```
///
/// # References
/// Wei, Liu, Gupta, Tan, Ong 2026 (arXiv 2503.08394), task evolution.
#[derive(Debug, Clone)]
pub struct DeterminantalCriterion {
    outputs: Vec<Output>,
    /// The largest log determinant of an output, to which the weights are relative.
    largest: f64,
}

#[derive(Debug, Clone)]
struct Output {
    kernel: ArdKernel,
    points: ScaledPoints,
    inverse_factor: Mat<f64>,
    /// Prior variance, above 1 by the jitter.
    prior: f64,
    /// `det K_d` over the largest of all outputs.
    weight: f64,
}

impl DeterminantalCriterion {
    /// Prepares the criterion for `tasks` (`n×D`) and the lengthscales of each output (`V` of length `D`).
    ///
    /// # Errors
    /// If a Gram matrix cannot be factorised even with jitter.
    ///
    /// # Panics
    /// If there is no output, a list of lengthscales is not of length `D`, or one is not positive.
    #[track_caller]
    pub fn new(tasks: MatRef<'_, f64>, lengthscales: &[Vec<f64>]) -> Result<Self, MetaError> {
        assert!(!lengthscales.is_empty(), "no output has lengthscales");
        let mut outputs = Vec::with_capacity(lengthscales.len());
        let mut log_dets = Vec::with_capacity(lengthscales.len());
        for own in lengthscales {
            assert!(
                own.len() == tasks.ncols(),
                "{} lengthscales for tasks of {} coordinates",
                own.len(),
                tasks.ncols()
            );
            let kernel = ArdKernel::new(KernelKind::Rbf, own.clone(), 1.0);
            let gram = kernel.gram(tasks);
            let factor = JitteredCholesky::factorize(gram.as_ref(), JitterPolicy::default())
                .map_err(warmfront_gp::GpError::from)?;
            log_dets.push(factor.log_det());
            outputs.push(Output {
                points: kernel.scale(tasks),
                inverse_factor: factor.inverse_factor(),
                prior: 1.0 + factor.jitter(),
                weight: 1.0,
                kernel,
            });
        }
        let largest = log_dets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (output, log_det) in outputs.iter_mut().zip(log_dets) {
            output.weight = (log_det - largest).exp();
        }
        Ok(Self { outputs, largest })
    }

    /// `J(θ)` divided by the largest determinant without `θ`: what to compare candidates by.
    ///
    /// # Panics
    /// If `task` does not have `D` coordinates.
    #[track_caller]
    pub fn score(&self, task: &[f64]) -> f64 {
        let mut scaled = vec![0.0; task.len()];
        let sum: f64 = self
            .outputs
            .iter()
            .map(|output| {
                let mut k = vec![0.0; output.points.len()];
                let mut white = k.clone();
                output.kernel.scale_point(task, &mut scaled);
                output.kernel.column_into(&output.points, &scaled, &mut k);
                lower_matvec(output.inverse_factor.as_ref(), &k, &mut white);
                let explained: f64 = white.iter().map(|w| w * w).sum();
                output.weight * (output.prior - explained).max(0.0)
            })
            .sum();
        sum / self.outputs.len() as f64
    }

    /// `ln J(θ)`; −∞ for a task that is one of those evaluated.
    ///
    /// # Panics
    /// If `task` does not have `D` coordinates.
    #[track_caller]
    pub fn log_value(&self, task: &[f64]) -> f64 {
        self.largest + self.score(task).ln()
    }
}
