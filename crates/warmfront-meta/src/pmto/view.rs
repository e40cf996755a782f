//! A forward model seen from one task: a function of the solution alone.

use warmfront_gp::{ExactGp, PointGradients, Surrogate};
use warmfront_linalg::{Mat, MatRef};

use super::alignment::UnifiedGp;

/// Mean and variance of the costs of one task, in data units.
pub(super) trait TaskView {
    /// Number of solution coordinates `V`.
    fn dim(&self) -> usize;

    /// Means at the rows of `x` (`b×V`), without variances.
    fn means(&self, x: MatRef<'_, f64>) -> Vec<f64>;

    /// Means and latent variances at the rows of `x` (`b×V`).
    fn marginals(&self, x: MatRef<'_, f64>) -> (Vec<f64>, Vec<f64>);

    /// Moments with gradients (`V×b`) at the rows of `x` (`b×V`).
    fn gradients(&self, x: MatRef<'_, f64>) -> PointGradients;

    /// Writes the gradient of the mean at `x` (length `V`) and returns the mean.
    fn mean_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// Variance of the noise of an evaluation.
    fn noise_variance(&self) -> f64;
}

/// A process over `(x, θ)` at fixed `θ`; with an empty `θ`, a process over `x`.
#[derive(Debug, Clone)]
pub(super) struct UnifiedView<'a> {
    gp: &'a ExactGp,
    task: &'a [f64],
    /// Subtracted from solutions; empty: nothing.
    shift: Vec<f64>,
}

impl<'a> UnifiedView<'a> {
    /// A process seen from a task.
    pub(super) fn new(unified: &'a UnifiedGp, task: &'a [f64]) -> Self {
        Self {
            gp: &unified.gp,
            task,
            shift: unified.shift(task),
        }
    }

    /// A process that is not aligned, seen from a task; one over solutions alone from an empty one.
    pub(super) fn plain(gp: &'a ExactGp, task: &'a [f64]) -> Self {
        Self {
            gp,
            task,
            shift: Vec::new(),
        }
    }

    /// The inputs `(x, θ)` of the process at the rows of `x`.
    pub(super) fn joint(&self, x: MatRef<'_, f64>) -> Mat<f64> {
        let v = x.ncols();
        Mat::from_fn(x.nrows(), v + self.task.len(), |i, k| {
            if k < v {
                x[(i, k)] - self.shift.get(k).unwrap_or(&0.0)
            } else {
                self.task[k - v]
            }
        })
    }
}

impl TaskView for UnifiedView<'_> {
    fn dim(&self) -> usize {
        self.gp.input_dim() - self.task.len()
    }

    fn means(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        self.gp.means(self.joint(x).as_ref())
    }

    fn marginals(&self, x: MatRef<'_, f64>) -> (Vec<f64>, Vec<f64>) {
        let both = self.gp.predict(self.joint(x).as_ref());
        (
            both.mean.col_as_slice(0).to_vec(),
            both.variance.col_as_slice(0).to_vec(),
        )
    }

    fn gradients(&self, x: MatRef<'_, f64>) -> PointGradients {
        let mut all = self.gp.predict_gradients(self.joint(x).as_ref());
        let v = x.ncols();
        all.dmean = all.dmean.subrows(0, v).to_owned();
        all.dvariance = all.dvariance.subrows(0, v).to_owned();
        all
    }

    fn mean_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut z = x.to_vec();
        for (z, shift) in z.iter_mut().zip(&self.shift) {
            *z -= shift;
        }
        z.extend_from_slice(self.task);
        let mut all = vec![0.0; z.len()];
        let mean = self.gp.mean_gradient(&z, &mut all);
        gradient.copy_from_slice(&all[..x.len()]);
        mean
    }

    fn noise_variance(&self) -> f64 {
        self.gp.noise_variance()
    }
}
