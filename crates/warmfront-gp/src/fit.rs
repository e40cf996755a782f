//! Maximum a posteriori fits of hyper-parameters, from several starting points.
//!
//! Parameters are optimised on a log or linear scale inside their bounds by L-BFGS-B. Priors
//! are densities of the value, without the Jacobian of the logarithm, so the optimum is the
//! same on either scale. All starting points are drawn before any work is distributed over
//! threads and the winner is chosen by index among equals: the result does not depend on the
//! number of threads.

use rand::Rng;
use rayon::prelude::*;
use warmfront_linalg::LARGE;
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};

use crate::{GpError, HyperPrior};

#[cfg(test)]
mod tests;

/// On which scale a parameter is optimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterScale {
    /// The logarithm of a positive parameter.
    Log,
    /// The parameter itself.
    Linear,
}

/// A hyper-parameter: its prior, bounds, starting value and scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParameterSpec {
    /// Density of the value; `None` is flat.
    pub prior: Option<HyperPrior>,
    /// Smallest value.
    pub lower: f64,
    /// Largest value.
    pub upper: f64,
    /// Where the first start begins.
    pub initial: f64,
    /// Scale of the optimisation.
    pub scale: ParameterScale,
}

impl ParameterSpec {
    /// A positive parameter on the log scale, starting at the mode of its prior (inside the bounds).
    ///
    /// # Panics
    /// If `lower` is above `upper` or either is NaN.
    #[track_caller]
    pub fn positive(prior: HyperPrior, lower: f64, upper: f64) -> Self {
        Self {
            prior: Some(prior),
            lower,
            upper,
            initial: prior.mode().clamp(lower, upper),
            scale: ParameterScale::Log,
        }
    }

    /// A parameter on the linear scale without prior.
    pub fn flat(initial: f64, lower: f64, upper: f64) -> Self {
        Self {
            prior: None,
            lower,
            upper,
            initial,
            scale: ParameterScale::Linear,
        }
    }

    /// The same with another starting value.
    #[must_use]
    pub fn starting_at(mut self, initial: f64) -> Self {
        self.initial = initial;
        self
    }

    fn to_coordinate(self, value: f64) -> f64 {
        let value = value.clamp(self.lower, self.upper);
        match self.scale {
            ParameterScale::Log => value.ln(),
            ParameterScale::Linear => value,
        }
    }

    fn to_value(self, coordinate: f64) -> f64 {
        match self.scale {
            // The clamp undoes the rounding of exp(ln(bound)).
            ParameterScale::Log => coordinate.exp().clamp(self.lower, self.upper),
            ParameterScale::Linear => coordinate,
        }
    }

    /// A starting value: drawn from the prior, with a few more tries if it falls outside the bounds.
    fn draw(&self, rng: &mut dyn Rng) -> f64 {
        let Some(prior) = self.prior else {
            return self.initial;
        };
        let mut value = prior.sample(rng);
        for _ in 0..5 {
            if (self.lower..=self.upper).contains(&value) {
                break;
            }
            value = prior.sample(rng);
        }
        if value.is_nan() {
            self.initial
        } else {
            value.clamp(self.lower, self.upper)
        }
    }
}

/// A log likelihood as a function of hyper-parameters.
pub trait MapObjective: Sync {
    /// Storage reused from one evaluation to the next; each start has its own.
    type Workspace: Send;

    /// Fresh storage.
    fn workspace(&self) -> Self::Workspace;

    /// The log likelihood at `values`, with its gradient.
    ///
    /// `values` are the parameters themselves, inside their bounds. `gradient` (zeroed before the
    /// call) receives ∂/∂log value for a parameter on the log scale, ∂/∂value for one on the
    /// linear scale. Priors are not part of it: the fit adds them.
    ///
    /// # Errors
    /// If it cannot be evaluated; the search then takes a shorter step.
    fn evaluate(
        &self,
        values: &[f64],
        gradient: &mut [f64],
        workspace: &mut Self::Workspace,
    ) -> Result<f64, GpError>;

    /// What the optimised function is divided by, usually the number of observations.
    ///
    /// It moves no optimum, only the meaning of the tolerances.
    fn observations(&self) -> usize;
}

/// How hard to search for the best hyper-parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct MapConfig {
    /// Starts from prior draws, in addition to the initial values and, if given, the warm start.
    pub restarts: usize,
    /// The local optimiser. Its tolerances refer to the log posterior per observation.
    pub lbfgsb: LbfgsbConfig,
}

impl Default for MapConfig {
    fn default() -> Self {
        Self {
            restarts: 0,
            lbfgsb: LbfgsbConfig {
                max_iterations: 200,
                max_evaluations: 300,
                f_tolerance: 1e-8,
                gradient_tolerance: 1e-5,
                ..LbfgsbConfig::default()
            },
        }
    }
}

/// What happened in a fit.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct FitReport {
    /// Log marginal likelihood of the (standardised) outcomes at the result, natural logarithm, not divided by `n`.
    pub log_marginal_likelihood: f64,
    /// The same plus the log prior densities.
    pub log_posterior: f64,
    /// Likelihood evaluations over all starts.
    pub evaluations: usize,
    /// Jitter added to the diagonal of the final covariance; usually 0.
    pub jitter: f64,
    /// Whether the winning start met a tolerance rather than a budget; also true if there was
    /// nothing to fit to.
    pub converged: bool,
    /// Starts made.
    pub starts: usize,
    /// Starts without a finite result, which were skipped.
    pub restarts_failed: usize,
}

impl FitReport {
    /// The report of a fit without observations: the starting values are the result.
    #[must_use]
    pub fn without_data() -> Self {
        Self {
            converged: true,
            ..Self::default()
        }
    }
}

/// The best hyper-parameters found.
#[derive(Debug, Clone, PartialEq)]
pub struct MapFit {
    /// Values, in the order of the specifications.
    pub values: Vec<f64>,
    /// What happened.
    pub report: FitReport,
}

/// Maximises the log likelihood plus log priors over `parameters`.
///
/// The starts are `warm_start` if there is one, the initial values, and draws from the priors.
///
/// # Errors
/// If no start has a finite posterior density.
///
/// # Panics
/// If `warm_start` has another length than `parameters`, or a lower bound is above its upper bound.
#[track_caller]
pub fn fit_map<O: MapObjective>(
    parameters: &[ParameterSpec],
    objective: &O,
    warm_start: Option<&[f64]>,
    config: &MapConfig,
    rng: &mut dyn Rng,
) -> Result<MapFit, GpError> {
    let starts = draw_starts(parameters, warm_start, config.restarts, rng);
    fit_map_from(parameters, objective, &starts, config)
}

/// The starting points of [`fit_map`]: the warm start if given, the initial values, then
/// `restarts` prior draws.
///
/// Drawing them apart from the fit lets several fits run in parallel on one generator.
///
/// # Panics
/// If `warm_start` has another length than `parameters`, or a lower bound is above its upper bound.
#[track_caller]
pub fn draw_starts(
    parameters: &[ParameterSpec],
    warm_start: Option<&[f64]>,
    restarts: usize,
    rng: &mut dyn Rng,
) -> Vec<Vec<f64>> {
    let mut starts = Vec::with_capacity(restarts + 2);
    if let Some(values) = warm_start {
        assert!(
            values.len() == parameters.len(),
            "warm start has {} values for {} parameters",
            values.len(),
            parameters.len()
        );
        starts.push(values.to_vec());
    }
    // Also next to a warm start: more data may have moved the mass to another mode.
    starts.push(parameters.iter().map(|p| p.initial).collect());
    for _ in 0..restarts {
        starts.push(parameters.iter().map(|p| p.draw(rng)).collect());
    }
    starts
}

/// [`fit_map`] from given starting points.
///
/// # Errors
/// If no start has a finite posterior density.
///
/// # Panics
/// If a start has another length than `parameters`, or a lower bound is above its upper bound.
#[track_caller]
pub fn fit_map_from<O: MapObjective>(
    parameters: &[ParameterSpec],
    objective: &O,
    starts: &[Vec<f64>],
    config: &MapConfig,
) -> Result<MapFit, GpError> {
    for start in starts {
        assert!(
            start.len() == parameters.len(),
            "start has {} values for {} parameters",
            start.len(),
            parameters.len()
        );
    }
    let run = |start: &Vec<f64>| climb(parameters, objective, start, &config.lbfgsb);
    let ends: Vec<Climb> = if starts.len() > 1 {
        starts.par_iter().map(run).collect()
    } else if objective.observations() < LARGE {
        starts.iter().map(run).collect()
    } else {
        // On a thread of the pool, so that not each parallel part of the algebra has to be handed over.
        rayon::scope(|_| starts.iter().map(run).collect())
    };

    let evaluations = ends.iter().map(|e| e.evaluations).sum();
    let failed = ends.iter().filter(|e| !e.log_posterior.is_finite()).count();
    let mut best: Option<&Climb> = None;
    for end in ends.iter().filter(|e| e.log_posterior.is_finite()) {
        if best.is_none_or(|b| end.log_posterior > b.log_posterior) {
            best = Some(end);
        }
    }
    let Some(best) = best else {
        return Err(GpError::FitFailed {
            starts: starts.len(),
        });
    };
    if !best.converged {
        tracing::debug!(evaluations, "hyper-parameter fit ended before it converged");
    }
    if failed > 0 {
        tracing::warn!(
            failed,
            starts = starts.len(),
            "starts of a hyper-parameter fit failed"
        );
    }
    Ok(MapFit {
        values: best.values.clone(),
        report: FitReport {
            log_marginal_likelihood: best.log_likelihood,
            log_posterior: best.log_posterior,
            evaluations,
            jitter: 0.0,
            converged: best.converged,
            starts: starts.len(),
            restarts_failed: failed,
        },
    })
}

struct Climb {
    values: Vec<f64>,
    log_posterior: f64,
    log_likelihood: f64,
    evaluations: usize,
    converged: bool,
}

fn climb<O: MapObjective>(
    parameters: &[ParameterSpec],
    objective: &O,
    start: &[f64],
    config: &LbfgsbConfig,
) -> Climb {
    let divisor = objective.observations().max(1) as f64;
    let mut workspace = objective.workspace();
    let mut values = vec![0.0; parameters.len()];
    let x0: Vec<f64> = parameters
        .iter()
        .zip(start)
        .map(|(p, &v)| p.to_coordinate(v))
        .collect();
    let lower: Vec<f64> = parameters
        .iter()
        .map(|p| p.to_coordinate(p.lower))
        .collect();
    let upper: Vec<f64> = parameters
        .iter()
        .map(|p| p.to_coordinate(p.upper))
        .collect();
    let mut negative_log_posterior = |x: &[f64], gradient: &mut [f64]| {
        for ((v, p), &c) in values.iter_mut().zip(parameters).zip(x) {
            *v = p.to_value(c);
        }
        gradient.fill(0.0);
        let Ok(log_likelihood) = objective.evaluate(&values, gradient, &mut workspace) else {
            return f64::INFINITY;
        };
        let mut log_posterior = log_likelihood;
        for ((g, p), &v) in gradient.iter_mut().zip(parameters).zip(&values) {
            if let Some(prior) = &p.prior {
                log_posterior += prior.ln_pdf(v);
                *g += prior.d_ln_pdf(v)
                    * match p.scale {
                        ParameterScale::Log => v,
                        ParameterScale::Linear => 1.0,
                    };
            }
            *g /= -divisor;
        }
        -log_posterior / divisor
    };
    let minimum = minimize(&mut negative_log_posterior, &x0, &lower, &upper, config);
    let values: Vec<f64> = parameters
        .iter()
        .zip(&minimum.x)
        .map(|(p, &c)| p.to_value(c))
        .collect();
    let log_posterior = -minimum.value * divisor;
    // The search may return another point than the last or the lowest one it evaluated, so the
    // likelihood is what the priors at that point leave of the posterior.
    let log_prior: f64 = parameters
        .iter()
        .zip(&values)
        .filter_map(|(p, &v)| p.prior.map(|prior| prior.ln_pdf(v)))
        .sum();
    Climb {
        log_likelihood: log_posterior - log_prior,
        log_posterior,
        values,
        evaluations: minimum.evaluations,
        converged: minimum.converged(),
    }
}
