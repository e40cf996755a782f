//! Fitted meta-models as bytes.
//!
//! Only hyperparameters are saved. Loading takes the data again, checks that it and the
//! configuration are those of the fit, and conditions the models on it: one factorisation per
//! mode, to the last bit what was saved.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use warmfront_codec::{Kind, WireMatrix};
use warmfront_core::MetaDataset;
use warmfront_gp::{FitReport, MultiOutputGp, MultiOutputParams, OutcomeScaling};

use super::meta::{MetaModels, UsableTasks, usable_tasks};
use super::{DropReason, SmogConfig};
use crate::MetaError;

const KIND: Kind = Kind::new("smog-meta", 1);

#[derive(Serialize, Deserialize)]
struct CacheV1 {
    fingerprint: u64,
    /// Positions of the tasks, which may be fewer than the data has.
    tasks: Vec<TaskV1>,
}

#[derive(Serialize, Deserialize)]
struct TaskV1 {
    position: u64,
    /// A column: lengthscales, variance, ρ, noise.
    hyperparameters: WireMatrix,
    converged: bool,
    evaluations: u64,
}

impl MetaModels {
    /// Writes the models to `writer`, in a checked envelope.
    ///
    /// # Errors
    /// [`MetaError::Codec`] if writing fails.
    pub fn save(&self, writer: impl Write) -> Result<(), MetaError> {
        let tasks = self
            .report
            .used
            .iter()
            .zip(&self.tasks)
            .map(|(&position, task)| {
                let params = task.gp.params();
                let mut column = params.lengthscales.clone();
                column.extend([
                    params.variance,
                    params.coregion.rho().unwrap_or(0.0),
                    params.noise[0],
                ]);
                Ok(TaskV1 {
                    position: position as u64,
                    hyperparameters: WireMatrix::new(column.len(), 1, column)?,
                    converged: task.report.converged,
                    evaluations: task.report.evaluations as u64,
                })
            })
            .collect::<Result<Vec<_>, MetaError>>()?;
        let cache = CacheV1 {
            fingerprint: self.fingerprint,
            tasks,
        };
        Ok(warmfront_codec::save(writer, KIND, &cache)?)
    }

    /// Reads models that were fitted to `meta` with `config`.
    ///
    /// # Errors
    /// [`MetaError::Codec`] if the bytes are damaged or of another kind or version,
    /// [`MetaError::StaleCache`] if the models belong to other data or another configuration, and
    /// those of [`fit_meta`](super::fit_meta).
    pub fn load(
        reader: impl Read,
        meta: &MetaDataset,
        dim: usize,
        objectives: usize,
        config: &SmogConfig,
    ) -> Result<Self, MetaError> {
        let cache: CacheV1 = warmfront_codec::load(reader, KIND)?;
        let UsableTasks {
            data,
            mut report,
            fingerprint,
        } = usable_tasks(meta, dim, objectives, 0..objectives, config)?;
        let stale = MetaError::StaleCache {
            expected: fingerprint.value(),
            found: cache.fingerprint,
        };
        if cache.fingerprint != fingerprint.value() {
            return Err(stale);
        }
        let mut models = Self::none(dim, objectives);
        models.fingerprint = cache.fingerprint;
        let mut saved = cache.tasks.into_iter().peekable();
        for (position, data) in data {
            let Some(task) = saved.next_if(|task| task.position == position as u64) else {
                report.dropped.push((position, DropReason::Failed));
                continue;
            };
            let Some(params) = params(task.hyperparameters.data(), dim, objectives, config) else {
                return Err(stale);
            };
            let scaling = OutcomeScaling::standardize(&data);
            let gp = MultiOutputGp::condition(&data, scaling, params)?;
            let mut fit = FitReport::default();
            fit.log_marginal_likelihood = gp.log_marginal_likelihood();
            fit.jitter = gp.jitter();
            fit.converged = task.converged;
            fit.evaluations = usize::try_from(task.evaluations).unwrap_or(usize::MAX);
            report.used.push(position);
            report.factors += gp.num_factors();
            models.push(gp, fit, &data);
        }
        if saved.next().is_some() {
            return Err(stale);
        }
        models.report = report;
        Ok(models)
    }
}

/// Hyperparameters from a saved column; `None` if they cannot be some.
fn params(
    column: &[f64],
    dim: usize,
    objectives: usize,
    config: &SmogConfig,
) -> Option<MultiOutputParams> {
    let (lengthscales, rest) = column.split_at_checked(dim)?;
    let &[variance, rho, noise] = rest else {
        return None;
    };
    let positive = lengthscales
        .iter()
        .chain([&variance, &noise])
        .all(|&v| v > 0.0);
    let lowest = if objectives > 1 {
        -1.0 / (objectives - 1) as f64
    } else {
        -1.0
    };
    (positive && rho > lowest && rho < 1.0).then(|| {
        MultiOutputParams::equicorrelated(
            config.kernel,
            lengthscales.to_vec(),
            variance,
            rho,
            noise,
        )
    })
}
