//! The log marginal likelihood of a squared-exponential process with tied lengthscales and noise that may differ by row.

use warmfront_gp::{ArdKernel, GpError, KernelGram, KernelKind, MapObjective};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatRef, dot};

/// Outcomes `y` at the rows of `x` under `s²·exp(−½ Σ_k (Δ_k/ℓ_g(k))²)` with noise `a + b·slack_i`.
///
/// Values are `[ℓ of each group, s², a]`, and `b` where there is slack.
#[derive(Debug, Clone)]
pub(super) struct TiedLikelihood<'a> {
    x: MatRef<'a, f64>,
    y: &'a [f64],
    groups: &'a [usize],
    count: usize,
    slack: &'a [f64],
}

#[derive(Debug, Clone)]
pub(super) struct Workspace {
    gram: KernelGram,
    covariance: Mat<f64>,
    factor: JitteredCholesky,
    inverse: Mat<f64>,
    inverse_factor: Mat<f64>,
    alpha: Vec<f64>,
    residual: Vec<f64>,
    ones: Vec<f64>,
    by_lengthscale: Vec<f64>,
    mean: f64,
}

impl<'a> TiedLikelihood<'a> {
    /// `groups[k]` is the lengthscale of input `k`, numbered from 0 without gaps; `slack` has one
    /// entry a row, or none where all noise is alike.
    #[track_caller]
    pub(super) fn new(
        x: MatRef<'a, f64>,
        y: &'a [f64],
        groups: &'a [usize],
        slack: &'a [f64],
    ) -> Self {
        assert!(
            x.nrows() == y.len()
                && x.ncols() == groups.len()
                && (slack.is_empty() || slack.len() == y.len()),
            "{}×{} inputs, {} outcomes, {} groups, {} slacks",
            x.nrows(),
            x.ncols(),
            y.len(),
            groups.len(),
            slack.len()
        );
        let count = groups.iter().max().map_or(0, |g| g + 1);
        Self {
            x,
            y,
            groups,
            count,
            slack,
        }
    }

    /// Number of lengthscales.
    pub(super) fn lengthscales(&self) -> usize {
        self.count
    }

    /// Number of values a call takes.
    pub(super) fn values(&self) -> usize {
        self.count + 2 + usize::from(!self.slack.is_empty())
    }

    /// Lengthscales of all inputs.
    pub(super) fn expand(&self, values: &[f64]) -> Vec<f64> {
        self.groups.iter().map(|&g| values[g]).collect()
    }

    fn noise(&self, values: &[f64], i: usize) -> f64 {
        let floor = values[self.count + 1];
        if self.slack.is_empty() {
            floor
        } else {
            floor + values[self.count + 2] * self.slack[i]
        }
    }

    /// The constant mean of largest likelihood.
    pub(super) fn best_mean(&self, values: &[f64]) -> Result<f64, GpError> {
        if self.y.is_empty() {
            return Ok(0.0);
        }
        let mut workspace = self.workspace();
        self.solve(values, None, &mut workspace)?;
        Ok(workspace.mean)
    }

    fn solve(&self, values: &[f64], mean: Option<f64>, w: &mut Workspace) -> Result<(), GpError> {
        let kernel = ArdKernel::new(KernelKind::Rbf, self.expand(values), values[self.count]);
        let n = self.y.len();
        w.gram.update(&kernel, self.x);
        if self.slack.is_empty() {
            w.gram.add_to_diagonal(self.noise(values, 0));
            w.factor
                .refactorize(w.gram.value(), JitterPolicy::default())?;
        } else {
            for j in 0..n {
                for i in j..n {
                    w.covariance[(i, j)] = w.gram.value()[(i, j)];
                }
                w.covariance[(j, j)] += self.noise(values, j);
            }
            w.factor
                .refactorize(w.covariance.as_ref(), JitterPolicy::default())?;
        }
        w.mean = match mean {
            Some(mean) => mean,
            None => {
                w.ones.fill(1.0);
                w.factor.solve_slice_in_place(&mut w.ones);
                let total: f64 = w.ones.iter().sum();
                if total > 0.0 {
                    dot(&w.ones, self.y) / total
                } else {
                    0.0
                }
            }
        };
        for (r, y) in w.residual.iter_mut().zip(self.y) {
            *r = y - w.mean;
        }
        w.alpha.copy_from_slice(&w.residual);
        w.factor.solve_slice_in_place(&mut w.alpha);
        Ok(())
    }

    /// The log likelihood, with its derivatives by the logarithm of each value in `gradient` and
    /// that by the mean; without a given mean the best one is used.
    pub(super) fn value_and_gradient(
        &self,
        values: &[f64],
        mean: Option<f64>,
        gradient: &mut [f64],
        w: &mut Workspace,
    ) -> Result<(f64, f64), GpError> {
        let n = self.y.len();
        self.solve(values, mean, w)?;
        w.factor
            .inverse_lower_into(w.inverse.as_mut(), &mut w.inverse_factor);
        let fit = dot(&w.residual, &w.alpha);
        let value =
            -0.5 * (fit + w.factor.log_det() + n as f64 * (2.0 * std::f64::consts::PI).ln());
        w.by_lengthscale.fill(0.0);
        w.gram
            .add_likelihood_gradient(&w.alpha, &w.inverse, &mut w.by_lengthscale);
        gradient.fill(0.0);
        for (&group, by) in self.groups.iter().zip(&w.by_lengthscale) {
            gradient[group] += by;
        }
        let (mut by_floor, mut by_slope, mut by_diagonal) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let half = 0.5 * (w.alpha[i] * w.alpha[i] - w.inverse[(i, i)]);
            by_floor += half;
            by_diagonal += half * (self.noise(values, i) + w.factor.jitter());
            if let Some(slack) = self.slack.get(i) {
                by_slope += half * slack;
            }
        }
        // tr[(αα^T − C⁻¹)K] needs no pass of its own, since K is C without its added diagonal.
        gradient[self.count] = 0.5 * (fit - n as f64) - by_diagonal;
        gradient[self.count + 1] = values[self.count + 1] * by_floor;
        if let Some(g) = gradient.get_mut(self.count + 2) {
            *g = values[self.count + 2] * by_slope;
        }
        Ok((value, w.alpha.iter().sum()))
    }
}

impl MapObjective for TiedLikelihood<'_> {
    type Workspace = Workspace;

    fn workspace(&self) -> Workspace {
        let (n, d) = (self.y.len(), self.x.ncols());
        let own = if self.slack.is_empty() { 0 } else { n };
        Workspace {
            gram: KernelGram::new(KernelKind::Rbf, n, d),
            covariance: Mat::zeros(own, own),
            factor: JitteredCholesky::from_lower(Mat::identity(n, n), 0.0),
            inverse: Mat::zeros(n, n),
            inverse_factor: Mat::zeros(n, n),
            alpha: vec![0.0; n],
            residual: vec![0.0; n],
            ones: vec![0.0; n],
            by_lengthscale: vec![0.0; d],
            mean: 0.0,
        }
    }

    fn evaluate(
        &self,
        values: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<f64, GpError> {
        self.value_and_gradient(values, None, gradient, workspace)
            .map(|(value, _)| value)
    }

    fn observations(&self) -> usize {
        self.y.len()
    }
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::check_gradient;

    use super::*;

    #[test]
    fn gradients_agree_with_differences() {
        let n = 9;
        let x = Mat::from_fn(n, 3, |i, k| ((i * (k + 2)) as f64 * 0.31).fract());
        let y: Vec<f64> = (0..n)
            .map(|i| (4.0 * x[(i, 0)]).sin() + x[(i, 2)])
            .collect();
        let slack: Vec<f64> = (0..n).map(|i| i as f64 / 8.0).collect();
        for (groups, slack) in [
            (vec![0, 0, 0], &[][..]),
            (vec![0, 0, 1], &[][..]),
            (vec![0, 1, 2], &slack[..]),
        ] {
            let likelihood = TiedLikelihood::new(x.as_ref(), &y, &groups, slack);
            let logs: Vec<f64> = (0..likelihood.values())
                .map(|k| [-0.6, -0.2, 0.1, -0.4, -1.5, -1.0][k])
                .collect();
            let value = |logs: &[f64], mean: Option<f64>| {
                let values: Vec<f64> = logs.iter().map(|v| v.exp()).collect();
                let mut gradient = vec![0.0; values.len()];
                let mut w = likelihood.workspace();
                let (value, by_mean) = likelihood
                    .value_and_gradient(&values, mean, &mut gradient, &mut w)
                    .expect("regular");
                (value, by_mean, gradient)
            };
            // The best mean does not change the derivatives: it is a maximum.
            for mean in [None, Some(0.3)] {
                let (_, _, gradient) = value(&logs, mean);
                check_gradient(|l| value(l, mean).0, &gradient, &logs, 1e-6);
            }
            let (_, by_mean, _) = value(&logs, Some(0.3));
            check_gradient(|m| value(&logs, Some(m[0])).0, &[by_mean], &[0.3], 1e-6);
        }
    }
}
