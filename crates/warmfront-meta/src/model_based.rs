//! The loop that every model-based strategy shares: collect, fit, maximise an acquisition function.
//!
//! A method is a [`TargetModel`]: what it believes about the target task given the observations so
//! far. Everything else (initial design, pending points, batches, failed trials, duplicates,
//! tables) is here once, so that two methods compared under the same configuration differ in
//! nothing but their model.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use rand::Rng;
use warmfront_acq::{AcquisitionConfig, AcquisitionContext, MaximizeConfig, maximize};
use warmfront_core::{
    Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError, UnitPoint,
};
use warmfront_gp::DifferentiableSurrogate;
use warmfront_linalg::Mat;

use crate::batch::choose_batch;
use crate::data::{FailurePolicy, TargetData, TrialLog};
use crate::initial_design::{exploratory_point, initial_design};
use crate::{MetaError, TargetModel};

/// What a model-based strategy does around its model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelBasedConfig {
    /// Acquisition function; `None` chooses by the number of objectives.
    pub acquisition: Option<AcquisitionConfig>,
    /// How the acquisition function is maximised.
    pub maximize: MaximizeConfig,
    /// Hypervolume reference point in cost space; `None` infers it from the observations.
    pub reference_point: Option<Vec<f64>>,
    /// Trials to place by a space-filling design before the model proposes.
    /// `None`: none for a model that can propose from its prior, else `2·(d + 1)`.
    pub initial_trials: Option<usize>,
    /// What a failed trial means to the model.
    pub failures: FailurePolicy,
}

/// A strategy made of a [`TargetModel`] and an acquisition function.
pub struct ModelBased<M> {
    model: M,
    space: SearchSpace,
    objectives: usize,
    config: ModelBasedConfig,
    acquisition: AcquisitionConfig,
    design: Vec<UnitPoint>,
    log: TrialLog,
    data: TargetData,
    fitted: Option<Box<dyn DifferentiableSurrogate>>,
    last_error: Option<MetaError>,
}

impl<M: TargetModel> ModelBased<M> {
    /// Builds the strategy; a model that needs no observation is fitted to its prior at once.
    ///
    /// # Errors
    /// If the reference point does not fit the objectives.
    pub fn new(
        model: M,
        space: &SearchSpace,
        objectives: &Objectives,
        config: ModelBasedConfig,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetaError> {
        let m = objectives.len();
        if let Some(reference) = &config.reference_point {
            let finite = reference.iter().filter(|value| value.is_finite()).count();
            if reference.len() != m || finite != m {
                return Err(MetaError::ReferencePoint {
                    expected: m,
                    found: finite,
                });
            }
        }
        let trials = config.initial_trials.unwrap_or_else(|| {
            if model.min_observations() == 0 {
                0
            } else {
                2 * (space.dim() + 1)
            }
        });
        let mut strategy = Self {
            acquisition: config
                .acquisition
                .clone()
                .unwrap_or_else(|| AcquisitionConfig::default_for(m)),
            design: initial_design(space, trials, rng),
            log: TrialLog::new(space.dim(), m, config.failures),
            data: TargetData::empty(space.dim(), m),
            space: space.clone(),
            objectives: m,
            fitted: None,
            last_error: None,
            model,
            config,
        };
        strategy.refit(rng);
        Ok(strategy)
    }

    /// The method's model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The surrogate fitted to everything told so far, if there is one.
    pub fn surrogate(&self) -> Option<&dyn DifferentiableSurrogate> {
        self.fitted.as_deref()
    }

    /// The observations as the model sees them.
    pub fn data(&self) -> &TargetData {
        &self.data
    }

    /// Why the last fit failed, if it did; proposals are then space-filling.
    pub fn last_error(&self) -> Option<&MetaError> {
        self.last_error.as_ref()
    }

    fn refit(&mut self, rng: &mut dyn Rng) {
        if self.data.len() < self.model.min_observations() {
            return;
        }
        match self.model.fit(&self.data, rng) {
            Ok(fitted) => {
                self.fitted = Some(fitted);
                self.last_error = None;
            }
            // An expensive loop must not end because one fit did: explore until the next one.
            Err(error) => {
                tracing::warn!(model = self.model.name(), %error, "fit failed, exploring instead");
                self.fitted = None;
                self.last_error = Some(error);
            }
        }
    }

    fn design_point(&self, placed: usize, taken: &HashSet<UnitPoint>) -> Option<UnitPoint> {
        if placed >= self.design.len() {
            return None;
        }
        self.design
            .iter()
            .find(|point| !taken.contains(*point))
            .cloned()
    }

    fn model_point(
        &self,
        busy: &[UnitPoint],
        exclude: &[UnitPoint],
        rng: &mut dyn Rng,
    ) -> Result<Option<UnitPoint>, MetaError> {
        let Some(model) = self.fitted.as_deref() else {
            return Ok(None);
        };
        let pending = Mat::from_fn(busy.len(), self.space.dim(), |i, k| busy[i].coords()[k]);
        let context = AcquisitionContext {
            model,
            observed: self.data.x.as_ref(),
            costs: self.data.y.as_ref(),
            pending: pending.as_ref(),
            reference: self.config.reference_point.as_deref(),
        };
        let acquisition = self.acquisition.build(context, rng)?;
        Ok(maximize(
            acquisition.as_ref(),
            &self.space,
            exclude,
            &self.config.maximize,
            rng,
        )
        .map(|maximum| maximum.point))
    }
}

impl<M: TargetModel> Strategy for ModelBased<M> {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(&self.space, batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        self.data = self.log.target_data();
        debug_assert_eq!(self.data.num_objectives(), self.objectives);
        self.refit(rng);
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        choose_batch(&self.space, &self.log, q, pending, |occupied| {
            let placed = self.log.len() + occupied.busy.len();
            self.design_point(placed, &occupied.taken).or_else(|| {
                self.model_point(&occupied.busy, &occupied.known, rng)
                    .unwrap_or_else(|error| {
                        tracing::warn!(model = self.model.name(), %error, "no acquisition function, exploring instead");
                        None
                    })
                    .or_else(|| exploratory_point(&self.space, &occupied.taken, rng))
            })
        })
    }
}
