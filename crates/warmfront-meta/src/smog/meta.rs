//! One model per meta-task, fitted once.

use std::ops::Range;

use rand::Rng;
use rayon::prelude::*;
use warmfront_core::{MetaDataset, Purpose, Seed, TaskRecord};
use warmfront_gp::{FitReport, MultiOutputData, MultiOutputGp};
use warmfront_linalg::Mat;

use super::SmogConfig;
use super::fingerprint::Fingerprint;
use crate::MetaError;

/// A fitted meta-task.
#[derive(Debug, Clone)]
pub struct MetaModel {
    /// Its posterior, in standardised units inside.
    pub gp: MultiOutputGp,
    /// How its fit went.
    pub report: FitReport,
    /// Mean cost of each objective.
    pub level: Vec<f64>,
    /// Standard deviation of each objective's costs; zero where they do not vary.
    pub spread: Vec<f64>,
}

/// Why a meta-task is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// No evaluation of it gave a cost.
    Empty,
    /// In no objective are there two different costs.
    Constant,
    /// Its covariance could not be factorised.
    Failed,
}

/// What became of each meta-task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetaReport {
    /// Positions in the data set of the tasks used.
    pub used: Vec<usize>,
    /// Positions of the others, and why.
    pub dropped: Vec<(usize, DropReason)>,
    /// Positions and objectives that do not vary: only their level is known.
    pub constant: Vec<(usize, usize)>,
    /// Cholesky factors computed for meta-tasks; never more afterwards.
    pub factors: usize,
}

/// All meta-tasks, fitted; immutable and meant to be shared.
#[derive(Debug, Clone)]
pub struct MetaModels {
    pub(super) tasks: Vec<MetaModel>,
    /// Costs of all used tasks, per objective.
    pub(super) outcomes: Vec<Vec<f64>>,
    pub(super) report: MetaReport,
    pub(super) dim: usize,
    pub(super) objectives: usize,
    pub(super) fingerprint: u64,
}

impl MetaModels {
    /// No meta-task at all.
    pub fn none(dim: usize, objectives: usize) -> Self {
        Self {
            tasks: Vec::new(),
            outcomes: vec![Vec::new(); objectives],
            report: MetaReport::default(),
            dim,
            objectives,
            fingerprint: 0,
        }
    }

    /// Combines models that were fitted elsewhere, with the data they were fitted to.
    ///
    /// # Panics
    /// If there are not as many data sets as models.
    #[track_caller]
    pub fn from_parts(
        dim: usize,
        objectives: usize,
        tasks: Vec<MetaModel>,
        data: &[MultiOutputData],
    ) -> Self {
        assert!(
            tasks.len() == data.len(),
            "{} models of {} data sets",
            tasks.len(),
            data.len()
        );
        let mut models = Self::none(dim, objectives);
        for data in data {
            for o in 0..objectives {
                models.outcomes[o].extend(data.outcomes(o));
            }
        }
        models.report.used = (0..tasks.len()).collect();
        models.tasks = tasks;
        models
    }

    /// The models of the tasks used, in the order of the data set.
    pub fn tasks(&self) -> &[MetaModel] {
        &self.tasks
    }

    /// Number of tasks used.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether no task is used.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Number of inputs.
    pub fn input_dim(&self) -> usize {
        self.dim
    }

    /// Number of objectives.
    pub fn num_objectives(&self) -> usize {
        self.objectives
    }

    /// What became of each task.
    pub fn report(&self) -> &MetaReport {
        &self.report
    }

    /// Identifies data and configuration the models were fitted with.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// The costs of a task as the model takes them; failed evaluations are left out.
fn task_data(
    task: &TaskRecord,
    dim: usize,
    columns: Range<usize>,
) -> Result<MultiOutputData, MetaError> {
    let rows: Vec<(&[f64], &[Option<f64>])> = task
        .observations
        .iter()
        .filter_map(|observation| {
            let costs = &observation.outcome.costs()?.values()[columns.clone()];
            costs
                .iter()
                .any(Option::is_some)
                .then(|| (observation.candidate.point.coords(), costs))
        })
        .collect();
    let x = Mat::from_fn(rows.len(), dim, |i, k| rows[i].0[k]);
    let y = Mat::from_fn(rows.len(), columns.len(), |i, o| {
        rows[i].1[o].unwrap_or(0.0)
    });
    let data = MultiOutputData::with_missing(x.as_ref(), y.as_ref(), |i, o| rows[i].1[o].is_some());
    Ok(data?)
}

/// Whether outcomes differ by more than rounding.
fn varies(outcomes: &[f64]) -> bool {
    let (low, high) = outcomes
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &y| {
            (low.min(y), high.max(y))
        });
    // Halved, because the difference of two finite numbers need not be finite.
    let (half, largest) = (0.5 * high - 0.5 * low, 0.5 * high.abs().max(low.abs()));
    outcomes.len() > 1 && half > 16.0 * f64::EPSILON * largest && half > 1e4 * f64::MIN_POSITIVE
}

/// Level and spread of each objective, as the scaling of a model fitted to `data` has them.
pub(super) fn moments(gp: &MultiOutputGp, data: &MultiOutputData) -> (Vec<f64>, Vec<f64>) {
    let scaling = gp.scaling();
    let spread = (0..data.num_outputs())
        .map(|o| {
            if varies(&data.outcomes(o)) {
                scaling.scale[o]
            } else {
                0.0
            }
        })
        .collect();
    (scaling.offset.clone(), spread)
}

/// The usable tasks of a data set: position and data, and the report on the others.
pub(super) struct UsableTasks {
    pub(super) data: Vec<(usize, MultiOutputData)>,
    pub(super) report: MetaReport,
    pub(super) fingerprint: Fingerprint,
}

pub(super) fn usable_tasks(
    meta: &MetaDataset,
    dim: usize,
    objectives: usize,
    columns: Range<usize>,
    config: &SmogConfig,
) -> Result<UsableTasks, MetaError> {
    meta.check(dim, objectives)?;
    let objectives = columns.len();
    let mut report = MetaReport::default();
    let mut fingerprint = Fingerprint::new();
    fingerprint.add_config(&config.meta_config());
    fingerprint.add_u64(dim as u64);
    fingerprint.add_u64(objectives as u64);
    let mut data = Vec::with_capacity(meta.len());
    for (position, task) in meta.tasks.iter().enumerate() {
        let task = task_data(task, dim, columns.clone())?;
        fingerprint.add_data(&task);
        let outcomes: Vec<Vec<f64>> = (0..objectives).map(|o| task.outcomes(o)).collect();
        if outcomes.iter().any(|outcomes| varies(outcomes)) {
            let constant = (0..objectives).filter(|&o| !varies(&outcomes[o]));
            report.constant.extend(constant.map(|o| (position, o)));
            data.push((position, task));
        } else {
            let reason = if task.is_empty() {
                DropReason::Empty
            } else {
                DropReason::Constant
            };
            tracing::warn!(task = position, ?reason, "meta-task left out");
            report.dropped.push((position, reason));
        }
    }
    Ok(UsableTasks {
        data,
        report,
        fingerprint,
    })
}

/// Fits every usable meta-task, in parallel.
///
/// Each task's restarts are drawn from a stream of its own, named by one draw from `rng` and the
/// inputs of the task: they depend neither on the number of threads, nor on the order of the tasks,
/// nor on the units of their costs.
/// Tasks without two different costs in any objective are left out and reported.
///
/// # Errors
/// If an observation has the wrong number of coordinates or costs.
pub fn fit_meta(
    meta: &MetaDataset,
    dim: usize,
    objectives: usize,
    config: &SmogConfig,
    rng: &mut dyn Rng,
) -> Result<MetaModels, MetaError> {
    fit_columns(meta, dim, objectives, 0..objectives, config, rng)
}

/// [`fit_meta`] of some of the objectives only.
pub(super) fn fit_columns(
    meta: &MetaDataset,
    dim: usize,
    objectives: usize,
    columns: Range<usize>,
    config: &SmogConfig,
    rng: &mut dyn Rng,
) -> Result<MetaModels, MetaError> {
    let UsableTasks {
        data,
        mut report,
        fingerprint,
    } = usable_tasks(meta, dim, objectives, columns.clone(), config)?;
    let base = rng.next_u64();
    let meta_config = config.meta_config();
    let fitted: Vec<_> = data
        .par_iter()
        .map(|(_, data)| {
            let mut own = Fingerprint::new();
            own.add_inputs(data);
            let mut rng = Seed(base).child(own.value()).stream(Purpose::Init, 0);
            MultiOutputGp::fit(data, &meta_config, &mut rng)
        })
        .collect();
    let mut models = MetaModels::none(dim, columns.len());
    models.fingerprint = fingerprint.value();
    for ((position, data), fitted) in data.into_iter().zip(fitted) {
        match fitted {
            Ok((gp, fit)) => {
                report.used.push(position);
                report.factors += (fit.evaluations + 1) * gp.num_factors();
                models.push(gp, fit, &data);
            }
            Err(error) => {
                tracing::warn!(task = position, %error, "meta-task left out");
                report.dropped.push((position, DropReason::Failed));
            }
        }
    }
    models.report = report;
    Ok(models)
}

impl MetaModels {
    pub(super) fn push(&mut self, gp: MultiOutputGp, report: FitReport, data: &MultiOutputData) {
        let (level, spread) = moments(&gp, data);
        for (o, outcomes) in self.outcomes.iter_mut().enumerate() {
            outcomes.extend(data.outcomes(o));
        }
        self.tasks.push(MetaModel {
            gp,
            report,
            level,
            spread,
        });
    }
}
