//! Information gain: how much observations say about a function, and what one model of all tasks saves.
//!
//! For a design of `n` points with prior covariance `K` of noise-free values and noise variance
//! σ², the gain is `I = ½ log det(I + σ⁻²K)`. A unified model over solutions and tasks,
//! `κ_X(x, x')·κ_Θ(θ, θ')` with `κ_Θ(θ, θ) = 1`, and independent models, the same with
//! `1[θ = θ']` in place of `κ_Θ`, have the same diagonal blocks, so that by Fischer's inequality
//! the unified gain is never larger, on any design. Regret bounds of GP-UCB grow with the root of
//! the gain. This is what the paper's statement about the maximal information gain amounts to as
//! far as its text was at hand; it says nothing about a kernel whose lengthscales do not fit.
//!
//! # References
//! Wei, Liu, Gupta, Tan, Ong 2026 (arXiv 2503.08394); Srinivas, Krause, Kakade, Seeger 2010;
//! Horn, Johnson, *Matrix Analysis*, section 7.8 (Fischer's inequality).

use warmfront_gp::{ArdKernel, GpError};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatRef};

use crate::MetaError;

/// `½ log det(I + K/σ²)` of a prior covariance `K` (`n×n`), in nats.
///
/// # Errors
/// If the matrix is not positive semi-definite.
///
/// # Panics
/// If `covariance` is not square or `noise` not positive.
#[track_caller]
pub fn information_gain(covariance: MatRef<'_, f64>, noise: f64) -> Result<f64, MetaError> {
    let n = covariance.nrows();
    assert!(
        noise > 0.0,
        "noise variance is {noise}, expected a positive number"
    );
    assert!(
        n == covariance.ncols(),
        "expected a square matrix, got {n}×{}",
        covariance.ncols()
    );
    let scaled = Mat::from_fn(n, n, |i, j| {
        covariance[(i, j)] / noise + f64::from(u8::from(i == j))
    });
    let factor =
        JitteredCholesky::factorize(scaled.as_ref(), JitterPolicy::NONE).map_err(GpError::from)?;
    Ok(0.5 * factor.log_det())
}

/// The information gains of one design under a unified model and under independent ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InformationGains {
    /// Of one model over solutions and tasks.
    pub unified: f64,
    /// Of one model for each task, summed.
    pub independent: f64,
}

impl InformationGains {
    /// Computes both for solutions `x` (`n×V`), of which row `i` belongs to task `of[i]` of `tasks` (`M×D`).
    ///
    /// The variance of `task_kernel` is not used: the correlation of a task with itself is 1.
    ///
    /// ```
    /// use warmfront_gp::{ArdKernel, KernelKind};
    /// use warmfront_linalg::Mat;
    /// use warmfront_meta::pmto::InformationGains;
    ///
    /// let kernel = |d| ArdKernel::new(KernelKind::Rbf, vec![1.0; d], 1.0);
    /// let x = Mat::from_fn(4, 1, |i, _| i as f64 / 3.0);
    /// let tasks = Mat::from_fn(2, 1, |i, _| i as f64);
    /// let gains = InformationGains::of(
    ///     x.as_ref(), &[0, 1, 0, 1], tasks.as_ref(), &kernel(1), &kernel(1), 0.01,
    /// )?;
    /// assert!(gains.unified < gains.independent);
    /// # Ok::<(), warmfront_meta::MetaError>(())
    /// ```
    ///
    /// # Errors
    /// As [`information_gain`].
    ///
    /// # Panics
    /// If a shape does not fit, a task index is out of range, or `noise` is not positive.
    #[track_caller]
    pub fn of(
        x: MatRef<'_, f64>,
        of: &[usize],
        tasks: MatRef<'_, f64>,
        solution_kernel: &ArdKernel,
        task_kernel: &ArdKernel,
        noise: f64,
    ) -> Result<Self, MetaError> {
        let n = x.nrows();
        assert!(of.len() == n, "{} task indices for {n} solutions", of.len());
        assert!(
            of.iter().all(|&t| t < tasks.nrows()),
            "a task index is not below {}",
            tasks.nrows()
        );
        let between = task_kernel.with_variance(1.0).gram(tasks);
        let within = solution_kernel.gram(x);
        let unified = Mat::from_fn(n, n, |i, j| within[(i, j)] * between[(of[i], of[j])]);
        let mut independent = 0.0;
        for task in 0..tasks.nrows() {
            let rows: Vec<usize> = (0..n).filter(|&i| of[i] == task).collect();
            let block = Mat::from_fn(rows.len(), rows.len(), |i, j| within[(rows[i], rows[j])]);
            independent += information_gain(block.as_ref(), noise)?;
        }
        Ok(Self {
            unified: information_gain(unified.as_ref(), noise)?,
            independent,
        })
    }

    /// Unified over independent, in (0, 1]; 1 for an empty design.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.independent > 0.0 {
            self.unified / self.independent
        } else {
            1.0
        }
    }
}

/// Chooses `count` of the points by largest posterior variance one after the other; returns indices and gain.
///
/// The gain of the choice is within a factor 1 − 1/e of the largest that any `count` points have.
/// `covariance` (`n×n`) is the prior covariance of the points; a point may be chosen again.
///
/// # References
/// Srinivas, Krause, Kakade, Seeger 2010, equation 10; Nemhauser, Wolsey, Fisher 1978.
///
/// # Panics
/// If `covariance` is not square or empty, or `noise` not positive.
#[track_caller]
pub fn greedy_information_gain(
    covariance: MatRef<'_, f64>,
    noise: f64,
    count: usize,
) -> (Vec<usize>, f64) {
    let n = covariance.nrows();
    assert!(
        n > 0 && n == covariance.ncols() && noise > 0.0,
        "covariance {n}×{}, noise {noise}",
        covariance.ncols()
    );
    let mut posterior = covariance.to_owned();
    let mut chosen = Vec::with_capacity(count);
    let mut gain = 0.0;
    for _ in 0..count {
        let mut best = 0;
        for i in 1..n {
            if posterior[(i, i)] > posterior[(best, best)] {
                best = i;
            }
        }
        let variance = posterior[(best, best)].max(0.0);
        gain += 0.5 * (variance / noise).ln_1p();
        chosen.push(best);
        condition_on(&mut posterior, best, noise);
    }
    (chosen, gain)
}

/// Replaces a covariance by that after a noisy observation of one of its points.
pub(super) fn condition_on(covariance: &mut Mat<f64>, index: usize, noise: f64) {
    let column: Vec<f64> = covariance.col_as_slice(index).to_vec();
    let total = column[index].max(0.0) + noise;
    if total <= 0.0 {
        return;
    }
    for (j, &by) in column.iter().enumerate() {
        warmfront_linalg::axpy(-by / total, &column, covariance.col_as_slice_mut(j));
    }
}
