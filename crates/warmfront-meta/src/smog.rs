//! SMOG: a multi-output prior for the target from the models of earlier tasks.
//!
//! Every meta-task has a multi-output Gaussian process of its own, fitted once. The target's
//! objective `o` is `Σ_m w_mo f_mo + residual_o`: conditioned on all meta-data, its prior mean is the
//! weighted sum of the meta-posterior means and its prior covariance the weighted sum of the
//! meta-posterior covariances plus that of the residual. Weights and residual are fitted to the
//! target's data at every observation; meta-models never again.
//!
//! # References
//! *SMOG: Scalable Meta-Learning for Multi-Objective Bayesian Optimization*, arXiv 2601.22131 (the
//! model); P. Tighineanu et al., *Scalable Meta-Learning with Gaussian Processes*, AISTATS 2024
//! (its single-objective form, ScaML-GP, and all priors but that of ρ).
//!
//! # Where this is a reconstruction
//! - Base kernel, priors, bounds, restarts and normalisation are those of ScaML-GP, with a noise
//!   bound of 1. Weights of restarts are drawn from their prior and divided by the number of tasks.
//! - Before the first observation, costs are standardised with the statistics of the meta-data, so
//!   that a proposal does not depend on units.
//! - ρ, output scale and noise: one of each per meta-task and one for the residual; one output scale
//!   for all objectives, which are standardised. Parameters are searched as logarithms instead of
//!   through a sigmoid, from a cold start beside the warm one, with a relaxed tolerance for the target.
//! - Pruning leaves out single (task, objective) pairs, and only their function: their level stays.

mod anchored;
mod cache;
mod config;
mod fingerprint;
mod meta;
mod model;
mod normalize;
mod objective;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rand::Rng;
use rayon::prelude::*;
use warmfront_core::MetaDataset;
use warmfront_gp::{
    DifferentiableSurrogate, FitReport, GpError, Independent, PreparedAnchors, draw_starts,
    fit_map_from,
};
use warmfront_linalg::{Mat, MatRef};
use warmfront_math::distribution::standard_normal;

pub use config::{SmogConfig, WeightScope, WeightSign, WeightSpace};
pub use meta::{DropReason, MetaModel, MetaModels, MetaReport, fit_meta};
pub use model::{Residual, SmogModel, SmogParams};

use crate::{MetaError, TargetData, TargetModel};
use normalize::{Normalization, pooled};
use objective::TargetObjective;

impl SmogConfig {
    /// Fits the meta-models (unless [`use_meta`](Self::use_meta) is off) and returns the model of a
    /// target with `dim` inputs and `objectives` objectives.
    ///
    /// # Errors
    /// If an observation has the wrong number of coordinates or costs.
    pub fn build(
        &self,
        dim: usize,
        objectives: usize,
        meta: &MetaDataset,
        rng: &mut dyn Rng,
    ) -> Result<Smog, MetaError> {
        let models = if self.use_meta {
            fit_meta(meta, dim, objectives, self, rng)?
        } else {
            MetaModels::none(dim, objectives)
        };
        Ok(Smog::new(Arc::new(models), self.clone()))
    }
}

/// How the last fit of the target went.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SmogReport {
    /// The search for hyperparameters.
    pub fit: FitReport,
    /// Cholesky factors computed, all of the size of the target's data.
    pub factors: usize,
    /// Target points whose meta-posteriors had to be computed, rather than being known from the
    /// fit before.
    pub new_points: usize,
}

/// The method's state from one observation to the next.
#[derive(Debug, Clone)]
pub struct Smog {
    meta: Arc<MetaModels>,
    config: SmogConfig,
    x: Mat<f64>,
    prepared: Vec<Arc<PreparedAnchors>>,
    last: Option<Vec<f64>>,
    report: SmogReport,
}

impl Smog {
    /// A target task to be modelled with meta-models fitted before.
    ///
    /// Without any usable task the model always has a residual.
    pub fn new(meta: Arc<MetaModels>, mut config: SmogConfig) -> Self {
        let meta = if config.use_meta {
            meta
        } else {
            Arc::new(MetaModels::none(meta.input_dim(), meta.num_objectives()))
        };
        config.residual |= meta.is_empty();
        let x = Mat::zeros(0, meta.input_dim());
        let prepared = prepare(&meta, &[], x.as_ref());
        Self {
            meta,
            config,
            x,
            prepared,
            last: None,
            report: SmogReport::default(),
        }
    }

    /// The models of the meta-tasks.
    pub fn meta(&self) -> &Arc<MetaModels> {
        &self.meta
    }

    /// The configuration.
    pub fn config(&self) -> &SmogConfig {
        &self.config
    }

    /// How the last fit went.
    pub fn report(&self) -> &SmogReport {
        &self.report
    }

    /// Fits weights, residual and noise to the target's costs `y` (`n×O`) at `x` (`n×d`).
    ///
    /// The residual and the noise start where the last fit ended, the weights at `1/M`; further
    /// searches start from draws of the priors. Without data the prior is returned, with weights
    /// `1/M` and the initial residual.
    ///
    /// # Errors
    /// [`GpError::NotFinite`] with the row of a bad value, or if the covariance of the target's
    /// data resists the largest jitter.
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn fit_target(
        &mut self,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        rng: &mut dyn Rng,
    ) -> Result<SmogModel, MetaError> {
        let (n, d, m) = (x.nrows(), self.meta.input_dim(), self.meta.num_objectives());
        assert!(
            x.ncols() == d && y.nrows() == n && y.ncols() == m,
            "{n}×{} points with {}×{} costs, expected {d} inputs and {m} objectives",
            x.ncols(),
            y.nrows(),
            y.ncols()
        );
        check_finite("inputs", x)?;
        check_finite("outcomes", y)?;
        let new_points = self.extend(x);

        let y = y.to_owned();
        let normalization = Normalization::new(&self.meta, pooled(&self.meta, &y), &self.config);
        let prepared = self.prepared.iter().map(Arc::as_ref);
        let objective = TargetObjective::new(&self.config, &normalization, &self.x, &y, prepared);
        let specs = objective.specs();
        let weights_at = objective.noise_at() + 1;
        let warm = self.last.as_ref().map(|last| {
            let mut start: Vec<f64> = specs.iter().map(|spec| spec.initial).collect();
            start[..weights_at].copy_from_slice(&last[..weights_at]);
            start
        });
        let initial = || {
            warm.clone()
                .unwrap_or_else(|| specs.iter().map(|spec| spec.initial).collect())
        };
        let (values, fit) = if n == 0 {
            (initial(), FitReport::without_data())
        } else {
            let config = &self.config.target_fit;
            let mut starts = draw_starts(&specs, warm.as_deref(), config.restarts, rng);
            let tasks = self.meta.len().max(1) as f64;
            let drawn = starts.len() - config.restarts;
            for start in &mut starts[drawn..] {
                for weight in &mut start[weights_at..] {
                    *weight = match self.config.sign {
                        WeightSign::NonNegative => (*weight / tasks).max(1e-10),
                        WeightSign::Signed => standard_normal(rng) / tasks,
                    };
                }
            }
            match fit_map_from(&specs, &objective, &starts, config) {
                Ok(fit) => (fit.values, fit.report),
                Err(error) => {
                    tracing::warn!(%error, "hyperparameters of the target kept");
                    (initial(), FitReport::default())
                }
            }
        };
        let model = SmogModel::assemble(
            &self.meta,
            &self.prepared,
            &normalization,
            self.x.as_ref(),
            y.as_ref(),
            objective.params(&values),
            &self.config,
        )?;
        self.report = SmogReport {
            factors: fit.evaluations + usize::from(n > 0),
            fit,
            new_points,
        };
        if n > 0 {
            self.last = Some(values);
        }
        Ok(model)
    }

    /// Brings the meta-posteriors at the target's points up to date; returns how many were new.
    fn extend(&mut self, x: MatRef<'_, f64>) -> usize {
        let known = self.x.nrows();
        let prefix = known <= x.nrows()
            && (0..x.ncols())
                .all(|k| (0..known).all(|i| x[(i, k)].to_bits() == self.x[(i, k)].to_bits()));
        if prefix {
            let new = x.subrows(known, x.nrows() - known);
            if new.nrows() > 0 {
                self.prepared = prepare(&self.meta, &self.prepared, new);
            }
        } else {
            self.prepared = prepare(&self.meta, &[], x);
        }
        self.x = x.to_owned();
        if prefix { x.nrows() - known } else { x.nrows() }
    }
}

/// The meta-posteriors at points `x` appended to those known, or at `x` alone if none are.
fn prepare(
    meta: &MetaModels,
    known: &[Arc<PreparedAnchors>],
    x: MatRef<'_, f64>,
) -> Vec<Arc<PreparedAnchors>> {
    (0..meta.len())
        .into_par_iter()
        .map(|t| {
            let gp = &meta.tasks()[t].gp;
            Arc::new(match known.get(t) {
                Some(known) => gp.extend(known, x),
                None => gp.prepare(x),
            })
        })
        .collect()
}

fn check_finite(what: &'static str, values: MatRef<'_, f64>) -> Result<(), GpError> {
    for row in 0..values.nrows() {
        for column in 0..values.ncols() {
            let value = values[(row, column)];
            if !value.is_finite() {
                return Err(GpError::NotFinite {
                    what,
                    row,
                    column,
                    value,
                });
            }
        }
    }
    Ok(())
}

impl TargetModel for Smog {
    fn name(&self) -> &str {
        if self.config.use_meta {
            "SMOG"
        } else {
            "MO-GP"
        }
    }

    fn min_observations(&self) -> usize {
        // Without meta-data the prior is the same everywhere.
        usize::from(self.meta.is_empty())
    }

    fn fit(
        &mut self,
        data: &TargetData,
        rng: &mut dyn Rng,
    ) -> Result<Box<dyn DifferentiableSurrogate>, MetaError> {
        Ok(Box::new(self.fit_target(
            data.x.as_ref(),
            data.y.as_ref(),
            rng,
        )?))
    }
}

/// One single-objective SMOG, that is one ScaML-GP, per objective: meta-models, weights, residual
/// and noise are all separate.
#[derive(Debug, Clone)]
pub struct IndependentScaml {
    models: Vec<Smog>,
}

impl IndependentScaml {
    /// Fits the meta-models of each objective.
    ///
    /// # Errors
    /// If an observation has the wrong number of coordinates or costs.
    ///
    /// # Panics
    /// If there is no objective.
    #[track_caller]
    pub fn build(
        config: &SmogConfig,
        dim: usize,
        objectives: usize,
        meta: &MetaDataset,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetaError> {
        assert!(objectives > 0, "expected at least one objective, got none");
        let models = (0..objectives)
            .map(|o| {
                let models = meta::fit_columns(meta, dim, objectives, o..o + 1, config, rng)?;
                Ok(Smog::new(Arc::new(models), config.clone()))
            })
            .collect::<Result<_, MetaError>>()?;
        Ok(Self { models })
    }

    /// The models, one per objective.
    pub fn models(&self) -> &[Smog] {
        &self.models
    }

    /// Fits each model to its column of `y` (`n×O`) at `x` (`n×d`).
    ///
    /// # Errors
    /// Those of [`Smog::fit_target`].
    ///
    /// # Panics
    /// Those of [`Smog::fit_target`].
    #[track_caller]
    pub fn fit_target(
        &mut self,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        rng: &mut dyn Rng,
    ) -> Result<Independent<SmogModel>, MetaError> {
        assert!(
            y.ncols() == self.models.len(),
            "{} costs for {} objectives",
            y.ncols(),
            self.models.len()
        );
        let fitted = self
            .models
            .iter_mut()
            .enumerate()
            .map(|(o, model)| model.fit_target(x, y.subcols(o, 1), rng))
            .collect::<Result<_, MetaError>>()?;
        Ok(Independent::new(fitted))
    }
}

impl TargetModel for IndependentScaml {
    fn name(&self) -> &str {
        "independent ScaML-GP"
    }

    fn min_observations(&self) -> usize {
        usize::from(self.models.iter().all(|model| model.meta().is_empty()))
    }

    fn fit(
        &mut self,
        data: &TargetData,
        rng: &mut dyn Rng,
    ) -> Result<Box<dyn DifferentiableSurrogate>, MetaError> {
        Ok(Box::new(self.fit_target(
            data.x.as_ref(),
            data.y.as_ref(),
            rng,
        )?))
    }
}
