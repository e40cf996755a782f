//! Bayesian optimisation of one number made of all objectives.

mod config;

use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use warmfront_acq::{AcquisitionConfig, AcquisitionContext, BeliefWeighted, maximize};
use warmfront_core::{
    Belief, Beliefs, Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError,
    UnitPoint,
};
use warmfront_gp::{Dataset, ExactGp};
use warmfront_linalg::Mat;
use warmfront_pareto::{AugmentedChebyshev, simplex_weights, weighted_sum};

use super::prior_random::{check_beliefs, free_believed_point};
use crate::MetaError;
use crate::batch::choose_batch;
use crate::data::TrialLog;
use crate::initial_design::exploratory_point;

pub use config::{BeliefDecay, ScalarWeights, ScalarizedBoConfig};

/// One Gaussian process on a scalarisation of the objectives; with beliefs, an expected improvement
/// that is weighted by them (πBO).
///
/// Each pick of a batch maximises the expected improvement given that pending trials turn out as
/// the model expects. While there are beliefs, one of them is chosen uniformly for each pick.
/// [`ScalarizedBoConfig`] has what is known as BO+RW, πBO+RW and ParEGO, as they should be and, for
/// the first two, as they were run in the PriMO study.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Beliefs, Objectives, SearchSpace, Strategy};
/// use warmfront_meta::baseline::{ScalarizedBo, ScalarizedBoConfig};
///
/// let space = SearchSpace::unit_cube(2);
/// let objectives = Objectives::minimize_all(2);
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let config = ScalarizedBoConfig::random_weights();
/// let strategy = ScalarizedBo::new(&space, &objectives, Beliefs::none(2), config, &mut rng)?;
/// assert_eq!(strategy.ask(NonZeroUsize::MIN, &[], &mut rng)?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Hvarfner et al. 2022 (πBO, arXiv 2204.11051); Knowles 2006 (ParEGO); arXiv 2511.08371 (the
/// baselines with random weights).
pub struct ScalarizedBo {
    space: SearchSpace,
    objectives: usize,
    beliefs: Beliefs,
    config: ScalarizedBoConfig,
    /// Parameters that can be searched.
    searched: usize,
    initial_trials: usize,
    /// Weights of the run, if it has any.
    fixed: Vec<f64>,
    log: TrialLog,
    /// The weights that each trial was told under.
    told_under: Vec<Vec<f64>>,
    fitted: Option<Fitted>,
}

/// A model of a scalarisation, and the data it was fitted to.
struct Fitted {
    x: Mat<f64>,
    y: Mat<f64>,
    gp: ExactGp,
}

impl ScalarizedBo {
    /// Searches `space`; `beliefs` may be [`Beliefs::none`].
    ///
    /// # Errors
    /// [`MetaError::Setting`] if the beliefs are about another number of objectives, or a setting
    /// is outside its range.
    pub fn new(
        space: &SearchSpace,
        objectives: &Objectives,
        beliefs: Beliefs,
        config: ScalarizedBoConfig,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetaError> {
        check_beliefs(space, &beliefs, objectives)?;
        config.check()?;
        let m = objectives.len();
        let has_coords = |parameter: &&warmfront_core::Parameter| !parameter.coords().is_empty();
        let searched = space.parameters().iter().filter(has_coords).count();
        Ok(Self {
            space: space.clone(),
            searched,
            objectives: m,
            beliefs,
            initial_trials: config.initial_trials.unwrap_or(searched),
            fixed: draw_weights(config.weights, m, rng),
            log: TrialLog::new(space.dim(), m, config.failures),
            told_under: Vec::new(),
            fitted: None,
            config,
        })
    }

    /// The single cost of each usable trial. `weights` gives those of a trial by its position.
    fn scalarize<'a>(
        &'a self,
        rows: &[(usize, Vec<f64>)],
        weights: impl Fn(usize) -> &'a [f64],
    ) -> Result<Vec<f64>, MetaError> {
        let m = self.objectives;
        let mut normalized: Vec<Vec<f64>> = rows.iter().map(|(_, costs)| costs.clone()).collect();
        if self.config.normalize {
            for o in 0..m {
                let values = normalized.iter().map(|costs| costs[o]);
                let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                    (l.min(v), h.max(v))
                });
                // Halved, so that a difference of two finite costs is finite.
                let range = 0.5 * high - 0.5 * low;
                for costs in &mut normalized {
                    let above = 0.5 * costs[o] - 0.5 * low;
                    costs[o] = if range > 0.0 { above / range } else { 0.0 };
                }
            }
        }
        rows.iter()
            .zip(&normalized)
            .map(|((at, _), costs)| match self.config.chebyshev {
                None => Ok(weighted_sum(costs, weights(*at))),
                Some(rho) => AugmentedChebyshev::new(weights(*at), rho)
                    .map(|s| s.value(costs))
                    .map_err(|error| MetaError::Strategy(StrategyError::model(error))),
            })
            .collect()
    }

    fn fit<'a>(
        &'a self,
        weights: impl Fn(usize) -> &'a [f64],
        rng: &mut dyn Rng,
    ) -> Result<Option<Fitted>, MetaError> {
        let rows = self.log.usable();
        if rows.is_empty() {
            return Ok(None);
        }
        let values = self.scalarize(&rows, weights)?;
        let point = |i: usize| self.log.rows()[rows[i].0].0.coords();
        let x = Mat::from_fn(rows.len(), self.space.dim(), |i, k| point(i)[k]);
        let y = Mat::from_fn(rows.len(), 1, |i, _| values[i]);
        let gp = ExactGp::fit(&Dataset::new(x.clone(), y.clone())?, &self.config.gp, rng)?;
        Ok(Some(Fitted { x, y, gp }))
    }

    /// Whose belief is heeded now, and how much; `None` once its weight is negligible.
    fn heeded(&self, placed: usize, rng: &mut dyn Rng) -> Option<(&Belief, f64)> {
        let count = self.beliefs.iter().count() as u64;
        let steps = placed.saturating_sub(self.initial_trials);
        let exponent = self.config.decay.exponent(steps, self.searched)?;
        if count == 0 {
            return None;
        }
        let chosen = rng.random_range(0..count) as usize;
        Some((self.beliefs.iter().nth(chosen)?, exponent))
    }

    fn model_point(
        &self,
        busy: &[UnitPoint],
        exclude: &[UnitPoint],
        rng: &mut dyn Rng,
    ) -> Result<Option<UnitPoint>, MetaError> {
        let redrawn;
        let fitted = if self.config.weights == ScalarWeights::Redrawn {
            let weights = draw_weights(self.config.weights, self.objectives, rng);
            let this = WithWeights { bo: self, weights };
            redrawn = this.fit(rng)?;
            redrawn.as_ref()
        } else {
            self.fitted.as_ref()
        };
        let Some(Fitted { x, y, gp }) = fitted else {
            return Ok(None);
        };
        let pending = Mat::from_fn(busy.len(), self.space.dim(), |i, k| busy[i].coords()[k]);
        let context = AcquisitionContext {
            model: gp,
            observed: x.as_ref(),
            costs: y.as_ref(),
            pending: pending.as_ref(),
            reference: None,
        };
        let mut acquisition = AcquisitionConfig::NoisyLogEi.build(context, rng)?;
        if let Some((belief, exponent)) = self.heeded(self.log.len() + busy.len(), rng) {
            acquisition = Box::new(BeliefWeighted::new(acquisition, belief, exponent));
        }
        let config = &self.config.maximize;
        let maximum = maximize(acquisition.as_ref(), &self.space, exclude, config, rng);
        Ok(maximum.map(|maximum| maximum.point))
    }
}

/// A strategy looked at under weights of the moment.
struct WithWeights<'a> {
    bo: &'a ScalarizedBo,
    weights: Vec<f64>,
}

impl WithWeights<'_> {
    fn fit(&self, rng: &mut dyn Rng) -> Result<Option<Fitted>, MetaError> {
        self.bo.fit(|_| &self.weights, rng)
    }
}

/// Weights that sum to one: uniform on the simplex, or uniform numbers divided by their sum where
/// the published runs are followed, whose weights are more alike.
fn draw_weights(kind: ScalarWeights, objectives: usize, rng: &mut dyn Rng) -> Vec<f64> {
    if kind == ScalarWeights::Redrawn {
        let cuts: Vec<f64> = (1..objectives).map(|_| rng.random()).collect();
        return simplex_weights(&cuts);
    }
    let draws: Vec<f64> = (0..objectives).map(|_| rng.random::<f64>()).collect();
    let sum: f64 = draws.iter().sum();
    if sum > 0.0 {
        draws.iter().map(|draw| draw / sum).collect()
    } else {
        vec![1.0 / objectives as f64; objectives]
    }
}

impl Strategy for ScalarizedBo {
    fn name(&self) -> &str {
        match (self.config.chebyshev, self.beliefs.is_empty()) {
            (None, true) => "bo-rw",
            (None, false) => "pibo-rw",
            (Some(_), true) => "parego",
            (Some(_), false) => "pi-parego",
        }
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(&self.space, batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        let fitted = match self.config.weights {
            // Fitted when asked: every pick has weights of its own.
            ScalarWeights::Redrawn => return Ok(()),
            ScalarWeights::Fixed => self.fit(|_| &self.fixed, rng),
            ScalarWeights::PerObservation => {
                let weights = draw_weights(self.config.weights, self.objectives, rng);
                self.told_under.resize(self.log.len(), weights);
                self.fit(|at| &self.told_under[at], rng)
            }
        };
        // An expensive loop must not end because one fit did: explore until the next one.
        self.fitted = fitted.unwrap_or_else(|error| {
            tracing::warn!(%error, "fit failed, exploring instead");
            None
        });
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        choose_batch(&self.space, &self.log, q, pending, |occupied| {
            let initial = self.log.len() + occupied.busy.len() < self.initial_trials;
            let modelled = if initial {
                None
            } else {
                self.model_point(&occupied.busy, &occupied.known, rng)
                    .unwrap_or_else(|error| {
                        tracing::warn!(%error, "no acquisition function, exploring instead");
                        None
                    })
            };
            modelled.or_else(|| {
                if initial {
                    free_believed_point(&self.space, &self.beliefs, &occupied.taken, rng)
                } else {
                    exploratory_point(&self.space, &occupied.taken, rng)
                }
            })
        })
    }
}

#[cfg(test)]
mod tests;
