//! The fit of the published runs: softplus parameters from fixed defaults, a fixed number of small steps.
//!
//! Kernel lengthscale and variance are `softplus(r)`, the noise variance is `10⁻⁴ + softplus(r)`,
//! all `r` and the constant mean start at 0, and the likelihood over `n` is climbed. With step
//! length λ and `T` steps of Adam no parameter moves further than about `λ·T`: large outcomes,
//! which are not standardised, leave mean and variance far from their best values. That is part of
//! the published method, and a better optimiser would end elsewhere. What saves time without
//! changing where it ends is to extrapolate most of the gradients.

use warmfront_gp::{GpError, MapObjective};
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};
use warmfront_math::special::softplus;

use super::likelihood::{TiedLikelihood, Workspace};

/// How the likelihood of the published parametrisation is climbed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Optimizer {
    /// Adam with (β₁, β₂, ε) = (0.9, 0.999, 10⁻⁸), the literal schedule.
    Adam {
        /// Step length.
        learning_rate: f64,
        /// Number of steps.
        steps: usize,
        /// Longest distance in steps between two gradients that are computed; those of the steps
        /// between are extrapolated from the last two. Distances grow from 1 by a quarter of the
        /// steps taken; 1 is the literal schedule.
        reuse: usize,
    },
    /// L-BFGS-B inside the box `|r| ≤ learning_rate·steps` that Adam can reach. Ours: ends where
    /// Adam does if Adam's steps suffice to converge, else at a higher likelihood.
    Reachable {
        /// Step length of the Adam schedule it stands for.
        learning_rate: f64,
        /// Number of steps of that schedule.
        steps: usize,
        /// Largest number of likelihoods evaluated.
        evaluations: usize,
    },
}

impl Optimizer {
    /// The box of [`Reachable`](Self::Reachable) for `steps` steps of 0.01, with at most 100 evaluations.
    #[must_use]
    pub fn reachable(steps: usize) -> Self {
        Self::Reachable {
            learning_rate: 0.01,
            steps,
            evaluations: 100,
        }
    }

    /// The literal schedule of `steps` steps of 0.01.
    #[must_use]
    pub fn adam(steps: usize) -> Self {
        Self::thrifty_adam(steps, 1)
    }

    /// The schedule of `steps` steps of 0.01 with a gradient at least every `reuse` steps.
    #[must_use]
    pub fn thrifty_adam(steps: usize, reuse: usize) -> Self {
        Self::Adam {
            learning_rate: 0.01,
            steps,
            reuse,
        }
    }
}

/// The gradients that Adam sees: computed at ever larger distances, in between extrapolated.
///
/// Along the path of small steps gradients change smoothly, and each costs a factorisation.
#[derive(Debug)]
pub(super) struct ThriftyGradients {
    longest: usize,
    due: usize,
    /// Step and gradient of the last one computed, and of the one before.
    last: (usize, Vec<f64>),
    before: Option<(usize, Vec<f64>)>,
}

impl ThriftyGradients {
    pub(super) fn new(size: usize, longest: usize) -> Self {
        Self {
            longest: longest.max(1),
            due: 0,
            last: (0, vec![0.0; size]),
            before: None,
        }
    }

    /// Writes the gradient of this step, of `compute` where one is due.
    pub(super) fn at(
        &mut self,
        step: usize,
        gradient: &mut [f64],
        compute: impl FnOnce(&mut [f64]) -> Result<f64, GpError>,
    ) -> Result<(), GpError> {
        if step >= self.due {
            compute(gradient)?;
            let last = std::mem::replace(&mut self.last, (step, gradient.to_vec()));
            self.before = (step > 0).then_some(last);
            self.due = step + (step / 4).clamp(1, self.longest);
            return Ok(());
        }
        gradient.copy_from_slice(&self.last.1);
        if let Some((earlier, old)) = &self.before {
            let ahead = (step - self.last.0) as f64 / (self.last.0 - earlier) as f64;
            for (g, o) in gradient.iter_mut().zip(old) {
                let extrapolated = *g + ahead * (*g - o);
                // A slope that changes its sign would be a guess too far.
                *g = if extrapolated * *g > 0.0 {
                    extrapolated
                } else {
                    0.0
                };
            }
        }
        Ok(())
    }
}

/// Where a fit ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PublishedFit {
    /// Lengthscales, variance and noise as the likelihood takes them.
    pub(super) values: Vec<f64>,
    pub(super) mean: f64,
    /// The unconstrained parameters, mean first; the next fit may start here.
    pub(super) raw: Vec<f64>,
    pub(super) log_likelihood: f64,
}

const NOISE_FLOOR: f64 = 1e-4;
/// Keeps parameters of an absurd fit positive.
const SMALLEST: f64 = 1e-12;

/// The negative log likelihood over `n` of unconstrained parameters `[mean, lengthscales, s², noise]`.
struct Descent<'a> {
    likelihood: &'a TiedLikelihood<'a>,
    workspace: Workspace,
    by_log: Vec<f64>,
}

impl<'a> Descent<'a> {
    fn new(likelihood: &'a TiedLikelihood<'a>) -> Self {
        Self {
            likelihood,
            workspace: likelihood.workspace(),
            by_log: vec![0.0; likelihood.values()],
        }
    }

    fn values(&self, raw: &[f64]) -> Vec<f64> {
        let noise = self.likelihood.lengthscales() + 1;
        let mut values: Vec<f64> = raw[1..]
            .iter()
            .map(|&r| softplus(r).max(SMALLEST))
            .collect();
        values[noise] += NOISE_FLOOR;
        values
    }

    fn evaluate(&mut self, raw: &[f64], gradient: &mut [f64]) -> Result<f64, GpError> {
        let n = self.likelihood.observations().max(1) as f64;
        let values = self.values(raw);
        let (value, by_mean) = self.likelihood.value_and_gradient(
            &values,
            Some(raw[0]),
            &mut self.by_log,
            &mut self.workspace,
        )?;
        gradient[0] = -by_mean / n;
        for (k, &r) in raw[1..].iter().enumerate() {
            let slope = 1.0 / (1.0 + (-r).exp());
            gradient[k + 1] = -self.by_log[k] / values[k] * slope / n;
        }
        // Costs beyond the square root of the largest number have no likelihood.
        if value.is_finite() && gradient.iter().all(|g| g.is_finite()) {
            Ok(-value / n)
        } else {
            Err(GpError::FitFailed { starts: 1 })
        }
    }
}

/// Fits from the defaults, or from `warm` unconstrained parameters of an earlier fit.
///
/// # Errors
/// If a covariance on the way cannot be factorised.
pub(super) fn fit_published(
    likelihood: &TiedLikelihood<'_>,
    optimizer: &Optimizer,
    warm: Option<&[f64]>,
) -> Result<PublishedFit, GpError> {
    let size = likelihood.values() + 1;
    let mut raw = warm.map_or_else(|| vec![0.0; size], <[f64]>::to_vec);
    let mut descent = Descent::new(likelihood);
    climb(&mut raw, optimizer, |r, g| descent.evaluate(r, g))?;
    let mut gradient = vec![0.0; size];
    let value = descent.evaluate(&raw, &mut gradient)?;
    Ok(PublishedFit {
        values: descent.values(&raw),
        mean: raw[0],
        raw,
        log_likelihood: -value * likelihood.observations() as f64,
    })
}

/// Moves `raw` to where the optimiser ends; `evaluate` writes a gradient and returns the value to minimise.
///
/// # Errors
/// Of `evaluate`, on the way of Adam.
pub(super) fn climb(
    raw: &mut Vec<f64>,
    optimizer: &Optimizer,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> Result<f64, GpError>,
) -> Result<(), GpError> {
    let size = raw.len();
    match *optimizer {
        Optimizer::Adam {
            learning_rate,
            steps,
            reuse,
        } => {
            let (mut first, mut second) = (vec![0.0; size], vec![0.0; size]);
            let mut gradient = vec![0.0; size];
            let mut gradients = ThriftyGradients::new(size, reuse);
            for step in 0..steps {
                gradients.at(step, &mut gradient, |g| evaluate(raw, g))?;
                adam_step(raw, &gradient, &mut first, &mut second, learning_rate, step);
            }
        }
        Optimizer::Reachable {
            learning_rate,
            steps,
            evaluations,
        } => {
            let reach = learning_rate * steps as f64;
            let config = LbfgsbConfig {
                max_evaluations: evaluations.max(1),
                f_tolerance: 1e-7,
                gradient_tolerance: 1e-5,
                ..LbfgsbConfig::default()
            };
            let mut objective = |r: &[f64], g: &mut [f64]| {
                evaluate(r, g).unwrap_or_else(|_| {
                    g.fill(f64::NAN);
                    f64::NAN
                })
            };
            let (low, high) = (vec![-reach; size], vec![reach; size]);
            *raw = minimize(&mut objective, raw, &low, &high, &config).x;
        }
    }
    Ok(())
}

/// One descending step of Adam, `step` counted from 0.
///
/// # References
/// Kingma, Ba 2015, algorithm 1.
pub(super) fn adam_step(
    x: &mut [f64],
    gradient: &[f64],
    first: &mut [f64],
    second: &mut [f64],
    learning_rate: f64,
    step: usize,
) {
    const DECAY: (f64, f64) = (0.9, 0.999);
    let t = step as i32 + 1;
    let correction = (1.0 - DECAY.0.powi(t), 1.0 - DECAY.1.powi(t));
    for k in 0..x.len() {
        first[k] = DECAY.0 * first[k] + (1.0 - DECAY.0) * gradient[k];
        second[k] = DECAY.1 * second[k] + (1.0 - DECAY.1) * gradient[k] * gradient[k];
        let (m, v) = (first[k] / correction.0, second[k] / correction.1);
        x[k] -= learning_rate * m / (v.sqrt() + 1e-8);
    }
}

#[cfg(test)]
mod tests {
    use warmfront_linalg::Mat;

    use super::*;

    /// Sphere and Rastrigin around a solution that moves with the task, raw outcomes.
    fn data(rastrigin: bool, n: usize) -> (Mat<f64>, Vec<f64>) {
        let x = Mat::from_fn(n, 4, |i, k| {
            ((i + 1) as f64 * [0.618_034, 0.754_878, 0.569_84, 0.682_328][k]).fract()
        });
        let y = (0..n)
            .map(|i| {
                (0..2)
                    .map(|k| {
                        let shift = 0.5 * ((5.0 * (x[(i, 2 + k)] + 0.5)).sin() + 1.0);
                        let u = if rastrigin { 20.0 } else { 4.0 } * (x[(i, k)] - shift);
                        let wave = 10.0 - 10.0 * (2.0 * std::f64::consts::PI * u).cos();
                        u * u + if rastrigin { wave } else { 0.0 }
                    })
                    .sum()
            })
            .collect();
        (x, y)
    }

    #[test]
    fn reused_gradients_end_in_the_likelihoods_of_the_literal_schedule() {
        for rastrigin in [false, true] {
            let (x, y) = data(rastrigin, 80);
            let groups = [0; 4];
            let likelihood = TiedLikelihood::new(x.as_ref(), &y, &groups, &[]);
            let end = |optimizer| fit_published(&likelihood, &optimizer, None).unwrap();
            let literal = end(Optimizer::adam(500));
            let thrifty = end(Optimizer::thrifty_adam(500, 25));
            let difference = thrifty.log_likelihood - literal.log_likelihood;
            assert!(
                difference.abs() < 0.002 * literal.log_likelihood.abs(),
                "rastrigin {rastrigin}: {literal:?}, {thrifty:?}"
            );
            for (a, b) in thrifty.values.iter().zip(&literal.values) {
                assert!((a / b).ln().abs() < 0.01, "{literal:?}, {thrifty:?}");
            }
        }
    }

    #[test]
    fn the_reachable_box_ends_where_adam_converges() {
        let (x, y) = data(false, 60);
        let y: Vec<f64> = y.iter().map(|v| v / 10.0).collect();
        let groups = [0; 4];
        let likelihood = TiedLikelihood::new(x.as_ref(), &y, &groups, &[]);
        let literal = fit_published(&likelihood, &Optimizer::adam(1500), None).unwrap();
        let fast = fit_published(&likelihood, &Optimizer::reachable(1500), None).unwrap();
        assert!(fast.log_likelihood > literal.log_likelihood - 0.1);
        assert!(
            fast.log_likelihood < literal.log_likelihood + 3.0,
            "{literal:?}, {fast:?}"
        );
        let warm = fit_published(&likelihood, &Optimizer::reachable(1500), Some(&fast.raw));
        let gain = warm.unwrap().log_likelihood - fast.log_likelihood;
        assert!((0.0..0.1).contains(&gain), "{gain}");
    }

    #[test]
    fn the_defaults_are_those_of_the_published_runs() {
        let (x, y) = data(false, 5);
        let groups = [0; 4];
        let likelihood = TiedLikelihood::new(x.as_ref(), &y, &groups, &[]);
        let fit = fit_published(&likelihood, &Optimizer::adam(0), None).unwrap();
        let start = std::f64::consts::LN_2;
        for (value, expected) in fit.values.iter().zip([start, start, start + 1e-4]) {
            assert!((value - expected).abs() < 1e-12);
        }
        assert!(fit.mean.abs() < 1e-300);
    }
}
