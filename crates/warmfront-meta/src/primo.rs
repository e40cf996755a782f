//! PriMO: several objectives, an expert's beliefs about each, and cheap partial evaluations.
//!
//! One loop for any number of objectives, one included:
//!
//! 1. **Initial design**: MO-ASHA ([`SuccessiveHalving`]) until the fidelities of everything told
//!    add up to `initial_budget` full evaluations. Each evaluation counts its whole fidelity, pending
//!    ones do not count. A space without fidelities gets as many full evaluations at uniform points.
//! 2. **Bayesian optimisation** at full fidelity: the acquisition function α of the surrogate is
//!    maximised as α(x) · π_j(x)^γ, where j is drawn uniformly from the objectives with a belief, γ
//!    falls with the number of full evaluations since the initial design, and with probability ε the
//!    belief is left out. Without any belief this is plain Bayesian optimisation.
//!
//! Nothing is counted but what is in the log, so a strategy that is told a log in one batch is where
//! the original was. Fidelities between the rungs are data too: they count for the hand-over, and for
//! [`LowFidelity::Learn`].
//!
//! [`PrimoConfig::as_run`], [`PrimoConfig::paper`] and [`PrimoConfig::improved`] (the default) are the
//! published runs, the published formula, and what we recommend.
//!
//! Categories enter the Gaussian process as one coordinate per choice, and the model is only asked at
//! rounded points (Garrido-Merchán and Hernández-Lobato 2020); parameters that a condition switches
//! off stand at the middle of their range, so that they make no difference between configurations.
//! Any number of combinations of categories can be searched.
//!
//! # References
//! PriMO (arXiv 2511.08371); Hvarfner et al. 2022 (πBO); Schmucker et al. 2021 (MO-ASHA).

mod at_full;
mod config;
mod outliers;
mod targets;
mod trust;

use std::collections::HashSet;
use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use warmfront_acq::{
    AcquisitionConfig, AcquisitionContext, AcquisitionFunction, BeliefWeighted, maximize,
};
use warmfront_core::{
    Belief, Beliefs, Candidate, Fidelity, Observation, SearchSpace, Strategy, StrategyError,
    UnitPoint,
};
use warmfront_gp::DifferentiableSurrogate;
use warmfront_linalg::Mat;

use self::targets::{Fitted, Targets};
use crate::MetaError;
use crate::data::check_pending;
use crate::initial_design::exploratory_point;
use crate::multi_fidelity::{Action, FidelityLog, Scheduler, SuccessiveHalving};

pub use config::{
    DecayShape, InitialDesign, InitialSampling, LowFidelity, Outliers, PrimoConfig, PriorDecay,
    PriorTrust, ReferencePoint, Scalarization,
};

/// Sums of fidelities round: so much less than the budget is the budget.
const ROUNDING: f64 = 1e-9;

/// PriMO; see the [module](self).
///
/// ```
/// use std::num::NonZeroUsize;
/// use warmfront_core::{
///     Belief, Beliefs, Config, Costs, Domain, FidelityRange, Objectives, Observation, Outcome,
///     Purpose, SearchSpace, Seed, Strategy, TrialId,
/// };
/// use warmfront_meta::primo::PrimoConfig;
///
/// let space = SearchSpace::builder()
///     .param("rate", Domain::log_real(1e-4, 1.0))
///     .param("width", Domain::log_integer(8, 512))
///     .fidelity(FidelityRange::integer("epoch", 1, 9)?)
///     .build()?;
/// // The expert has an idea of the rate for the error, and of the width for the time.
/// let error = Belief::new(&space, 0, &Config::new().with("rate", 0.01), 0.75)?;
/// let time = Belief::new(&space, 1, &Config::new().with("width", 8), 0.75)?;
/// let beliefs = Beliefs::new(2, vec![error, time])?;
///
/// let seed = Seed(1);
/// let mut rng = seed.stream(Purpose::Init, 0);
/// let objectives = Objectives::minimize_all(2);
/// let mut primo = PrimoConfig::default().build(&space, &objectives, beliefs, &mut rng)?;
/// for step in 0..20 {
///     let batch = primo.ask(NonZeroUsize::MIN, &[], &mut seed.stream(Purpose::Ask, step))?;
///     let config = space.decode(&batch[0].point);
///     let rate = config.number("rate").expect("always active");
///     let width = config.number("width").expect("always active");
///     let epochs = batch[0].fidelity.map_or(1.0, |fidelity| fidelity.value()) * 9.0;
///     let error = (rate.ln() - 0.02_f64.ln()).powi(2) + 10.0 / width + 1.0 / epochs;
///     let outcome = Outcome::Complete(Costs::from_values(vec![error, width * epochs])?);
///     let observation = Observation { trial: TrialId(step), candidate: batch[0].clone(), outcome };
///     primo.tell(&[observation], &mut seed.stream(Purpose::Tell, step))?;
/// }
/// assert!(primo.initial_design_is_over());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Primo {
    config: PrimoConfig,
    space: SearchSpace,
    objectives: usize,
    parameters: usize,
    beliefs: Beliefs,
    acquisition: AcquisitionConfig,
    halving: SuccessiveHalving,
    weights: Vec<f64>,
    log: FidelityLog,
    fitted: Option<Fitted>,
}

impl Primo {
    fn assemble(
        config: PrimoConfig,
        space: &SearchSpace,
        objectives: usize,
        beliefs: Beliefs,
        halving: SuccessiveHalving,
        weights: Vec<f64>,
    ) -> Self {
        let acquisition =
            config
                .acquisition
                .clone()
                .unwrap_or_else(|| match config.scalarization {
                    Scalarization::Hypervolume => AcquisitionConfig::default_for(objectives),
                    _ => AcquisitionConfig::NoisyLogEi,
                });
        // Parameters of one value have no coordinate and are not searched.
        let searched = |parameter: &&warmfront_core::Parameter| !parameter.coords().is_empty();
        Self {
            log: FidelityLog::new(space, objectives),
            parameters: space.parameters().iter().filter(searched).count(),
            space: space.clone(),
            objectives,
            beliefs,
            acquisition,
            halving,
            weights,
            fitted: None,
            config,
        }
    }

    /// Everything told so far.
    #[must_use]
    pub fn log(&self) -> &FidelityLog {
        &self.log
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &PrimoConfig {
        &self.config
    }

    /// The surrogate fitted to everything told so far; none where it is fitted for each suggestion.
    #[must_use]
    pub fn surrogate(&self) -> Option<&dyn DifferentiableSurrogate> {
        self.fitted.as_ref().map(|fitted| fitted.model.as_ref())
    }

    /// Whether suggestions come from the model.
    #[must_use]
    pub fn initial_design_is_over(&self) -> bool {
        self.full_in_initial_design().is_some()
    }

    /// The exponent with which the belief about `objective` would enter the next suggestion, 0 if
    /// it would not.
    #[must_use]
    pub fn belief_exponent(&self, objective: usize) -> f64 {
        let n = self.steps(0);
        self.beliefs
            .get(objective)
            .map_or(0.0, |belief| self.exponent(belief, n))
    }

    /// Full evaluations of the initial design, `None` while it lasts.
    fn full_in_initial_design(&self) -> Option<usize> {
        let enough = self.config.initial_budget - ROUNDING;
        let (mut sum, mut full) = (0.0, 0);
        if sum >= enough {
            return Some(0);
        }
        for entry in self.log.entries() {
            sum += entry.fidelity.value();
            full += usize::from(entry.is_full());
            if sum >= enough {
                return Some(full);
            }
        }
        None
    }

    /// Full evaluations since the initial design, `running` ones included.
    fn steps(&self, running: usize) -> usize {
        let before = self.full_in_initial_design().unwrap_or(0);
        self.log.full().count() - before + running
    }

    fn exponent(&self, belief: &Belief, n: usize) -> f64 {
        let (decay, trust) = (&self.config.decay, self.config.trust);
        trust::exponent(decay, trust, belief, &self.log, n, self.parameters)
    }

    fn targets(&self) -> Targets<'_> {
        Targets {
            scalarization: self.config.scalarization,
            low_fidelity: self.config.low_fidelity,
            failures: self.config.failures,
            outliers: self.config.outliers,
            reference: &self.config.reference,
            weights: &self.weights,
        }
    }

    /// The next evaluation of the initial design; `None` if a table has no configuration left.
    fn initial_candidate(&self, busy: &[Candidate], rng: &mut dyn Rng) -> Option<Candidate> {
        let rungs = self.halving.rungs();
        let at = |point: UnitPoint, rung: usize| {
            if rung == rungs.top() {
                Candidate::at(point)
            } else {
                Candidate::at(point).with_fidelity(rungs.fidelity(rung))
            }
        };
        if let Some(point) = self.unvisited_mode(busy) {
            let rung = match self.config.initial_sampling {
                InitialSampling::ModesInFull => rungs.top(),
                _ => self.halving.start,
            };
            return Some(at(point, rung));
        }
        match self.halving.next(&self.log, busy, rng) {
            Action::Promote { point, rung } => Some(at(point, rung)),
            Action::Start { rung } => {
                let mut draw = |rng: &mut dyn Rng| self.initial_point(rng);
                let point = self.log.fresh_point(busy, &mut draw, rng)?;
                Some(at(point, rung))
            }
        }
    }

    /// The first mode of a belief that no evaluation has visited, if modes come first.
    fn unvisited_mode(&self, busy: &[Candidate]) -> Option<UnitPoint> {
        if !matches!(
            self.config.initial_sampling,
            InitialSampling::Modes | InitialSampling::ModesInFull
        ) {
            return None;
        }
        let visited = |point: &UnitPoint| {
            self.log.entries().iter().any(|entry| entry.point == *point)
                || busy
                    .iter()
                    .any(|c| self.space.canonical(&c.point) == *point)
        };
        self.beliefs
            .iter()
            .map(|belief| self.space.canonical(&belief.mode()))
            .find(|mode| !visited(mode))
    }

    fn initial_point(&self, rng: &mut dyn Rng) -> UnitPoint {
        if let InitialSampling::PriorShare { share } = self.config.initial_sampling
            && rng.random::<f64>() < share
            && let Some(belief) = self.some_belief(rng)
        {
            return belief.sample(rng);
        }
        self.space.sample(rng)
    }

    /// The belief about an objective drawn uniformly from those that have one.
    fn some_belief(&self, rng: &mut dyn Rng) -> Option<&Belief> {
        let count = self.beliefs.iter().count() as u64;
        if count == 0 {
            return None;
        }
        // u64, not usize: the draw is the same on every platform.
        self.beliefs.iter().nth(rng.random_range(0..count) as usize)
    }

    /// The next full evaluation; `None` if a table has no configuration left.
    fn model_candidate(
        &self,
        busy: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Option<UnitPoint>, MetaError> {
        // A lower fidelity can still be continued, unless it is running.
        let running = busy.iter().map(|c| self.space.canonical(&c.point));
        let exclude: Vec<UnitPoint> = self
            .log
            .full()
            .map(|entry| entry.point.clone())
            .chain(running)
            .collect();
        let full_running: Vec<UnitPoint> = busy
            .iter()
            .filter(|c| c.fidelity.is_none_or(|fidelity| fidelity >= Fidelity::FULL))
            .map(|c| self.space.canonical(&c.point))
            .collect();
        let (known, running) = if self.config.respect_pending {
            (full_running.as_slice(), full_running.len())
        } else {
            (&[][..], 0)
        };
        let n = self.steps(running);
        let greedy = rng.random::<f64>() >= self.config.epsilon;
        let belief = self
            .some_belief(rng)
            .filter(|_| greedy)
            .map(|belief| (belief, self.exponent(belief, n)))
            .filter(|(_, exponent)| *exponent > 0.0);

        let drawn;
        let fitted = if self.targets().are_fixed() {
            self.fitted.as_ref()
        } else {
            drawn = self.refit(rng);
            drawn.as_ref()
        };
        let Some(fitted) = fitted else {
            // Nothing is known but what is believed.
            let mut draw = |rng: &mut dyn Rng| match belief {
                Some((belief, _)) => belief.sample(rng),
                None => self.space.sample(rng),
            };
            return Ok(self.unvisited(&exclude, &mut draw, rng));
        };
        let pending = Mat::from_fn(known.len(), self.space.dim(), |i, k| known[i].coords()[k]);
        let context = AcquisitionContext {
            model: fitted.model.as_ref(),
            observed: fitted.data.x.as_ref(),
            costs: fitted.data.y.as_ref(),
            pending: pending.as_ref(),
            reference: fitted.reference.as_deref(),
        };
        let mut acquisition = self.acquisition.build(context, rng)?;
        if let Some((belief, exponent)) = belief {
            let weighted: Box<dyn AcquisitionFunction + '_> =
                Box::new(BeliefWeighted::new(acquisition, belief, exponent));
            acquisition = weighted;
        }
        let config = &self.config.maximize;
        let maximum = maximize(acquisition.as_ref(), &self.space, &exclude, config, rng);
        Ok(maximum.map(|maximum| maximum.point))
    }

    fn unvisited(
        &self,
        exclude: &[UnitPoint],
        draw: &mut dyn FnMut(&mut dyn Rng) -> UnitPoint,
        rng: &mut dyn Rng,
    ) -> Option<UnitPoint> {
        let taken: HashSet<UnitPoint> = exclude.iter().cloned().collect();
        let point = self.space.canonical(&draw(rng));
        if taken.contains(&point) {
            return exploratory_point(&self.space, &taken, rng);
        }
        Some(point)
    }

    fn refit(&self, rng: &mut dyn Rng) -> Option<Fitted> {
        match self.targets().fit(&self.log, &self.config.gp, rng) {
            Ok(fitted) => fitted,
            // An expensive loop must not end because one fit did: explore until the next one.
            Err(error) => {
                tracing::warn!(strategy = self.config.name, %error, "fit failed, exploring instead");
                None
            }
        }
    }
}

impl Strategy for Primo {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(batch)?;
        if batch.is_empty() || !self.initial_design_is_over() || !self.targets().are_fixed() {
            return Ok(());
        }
        self.fitted = self.refit(rng);
        if let Some(fitted) = &self.fitted {
            debug_assert!([1, self.objectives].contains(&fitted.data.num_objectives()));
        }
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        check_pending(&self.space, pending)?;
        let over = self.initial_design_is_over();
        let mut busy = pending.to_vec();
        for _ in 0..q.get() {
            let initial = if over {
                None
            } else {
                self.initial_candidate(&busy, rng)
            };
            let candidate = match initial {
                Some(candidate) => Some(candidate),
                None => self
                    .model_candidate(&busy, rng)
                    .unwrap_or_else(|error| {
                        tracing::warn!(strategy = self.config.name, %error, "no acquisition function, exploring instead");
                        let full = self.log.full().map(|entry| entry.point.clone());
                        let running = busy.iter().map(|c| self.space.canonical(&c.point));
                        exploratory_point(&self.space, &full.chain(running).collect(), rng)
                    })
                    .map(Candidate::at),
            };
            let Some(candidate) = candidate else {
                return Err(StrategyError::Exhausted {
                    requested: q.get(),
                    available: busy.len() - pending.len(),
                });
            };
            busy.push(candidate);
        }
        Ok(busy.split_off(pending.len()))
    }
}
