//! Models of the costs of all tasks, and their fits.

use rand::{Rng, RngExt};
use warmfront_gp::{
    Dataset, ExactGp, HyperPrior, Hyperparameters, KernelKind, MapConfig, ParameterSpec,
    Standardization, draw_starts, fit_map_from,
};
use warmfront_linalg::Mat;
use warmfront_math::lbfgsb::LbfgsbConfig;

use super::alignment::{Alignment, UnifiedGp, align};
use super::archive::Archive;
use super::config::{ForwardFit, ForwardModel, LONGEST, Lengthscales};
use super::coregionalized::Coregionalized;
use super::likelihood::TiedLikelihood;
use super::published::{Optimizer, fit_published};
use super::task_model::TaskModel;
use super::view::{TaskView, UnifiedView};
use crate::MetaError;
use warmfront_core::UnitPoint;

/// A process with what its next fit starts from.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    pub(super) unified: UnifiedGp,
    /// Unconstrained parameters of a published fit.
    pub(super) raw: Vec<f64>,
    /// Evaluations at the last fit of hyperparameters.
    pub(super) fitted_at: usize,
}

/// The model of one round.
#[derive(Debug, Clone, Default)]
pub(super) enum Forward {
    /// None, or not yet.
    #[default]
    Nothing,
    Unified(Fitted),
    /// By task; `None` for tasks without evaluations.
    PerTask(Vec<Option<Fitted>>),
    Coregionalized(Coregionalized),
}

impl Forward {
    /// The process over solutions and tasks, if that is what this is.
    pub(super) fn unified(&self) -> Option<&UnifiedGp> {
        match self {
            Self::Unified(fitted) => Some(&fitted.unified),
            _ => None,
        }
    }

    /// The costs of one task of the pool (`index`) or of the box.
    pub(super) fn view<'a>(
        &'a self,
        index: Option<usize>,
        task: &'a [f64],
    ) -> Option<Box<dyn TaskView + 'a>> {
        match self {
            Self::Nothing => None,
            Self::Unified(fitted) => Some(Box::new(UnifiedView::new(&fitted.unified, task))),
            Self::PerTask(models) => {
                let fitted = models.get(index?)?.as_ref()?;
                Some(Box::new(UnifiedView::plain(&fitted.unified.gp, &[])))
            }
            Self::Coregionalized(model) => {
                let index = index.filter(|&t| t < model.num_tasks())?;
                Some(Box::new(model.view(index)))
            }
        }
    }

    /// The model of one task with its own mean believed at points that are being evaluated.
    ///
    /// `None` where that cannot be had: coregionalised models are not extended.
    pub(super) fn believing(
        &self,
        index: Option<usize>,
        task: &[f64],
        busy: &[&UnitPoint],
    ) -> Option<Self> {
        let extended = |fitted: &Fitted, task: &[f64]| {
            let mut own = fitted.clone();
            let dim = busy.first().map_or(0, |point| point.dim());
            let points = Mat::from_fn(busy.len(), dim, |i, k| busy[i].coords()[k]);
            let view = UnifiedView::new(&own.unified, task);
            let (rows, means) = (view.joint(points.as_ref()), view.means(points.as_ref()));
            own.unified.gp = own.unified.gp.condition_on(rows.as_ref(), &means).ok()?;
            Some(own)
        };
        match self {
            Self::Unified(fitted) => extended(fitted, task).map(Self::Unified),
            Self::PerTask(models) => {
                let index = index?;
                let mut all = vec![None; index];
                all.push(Some(extended(models.get(index)?.as_ref()?, &[])?));
                Some(Self::PerTask(all))
            }
            Self::Nothing | Self::Coregionalized(_) => None,
        }
    }

    /// Brings the model up to date with the archive, which holds at least one cost.
    ///
    /// Returns whether hyperparameters were fitted. `inverse` is the last task model, if there is
    /// one: a unified process may be fitted in coordinates aligned by it.
    pub(super) fn update(
        &mut self,
        archive: &Archive,
        model: ForwardModel,
        fit: &ForwardFit,
        inverse: Option<&TaskModel>,
        force: bool,
        rng: &mut dyn Rng,
    ) -> Result<bool, MetaError> {
        let costs = archive.costs();
        let v = archive.dim();
        let of: Vec<usize> = archive.rows().iter().map(|row| row.task).collect();
        match model {
            ForwardModel::Random => Ok(false),
            ForwardModel::Unified(tied) => {
                let groups = groups(tied, archive);
                let last = match std::mem::take(self) {
                    Self::Unified(fitted) => Some(fitted),
                    _ => None,
                };
                let (fitted, refitted) = match last {
                    Some(fitted) if !force => {
                        grow(fitted, archive, &costs, &of, &groups, fit, inverse, rng)?
                    }
                    last => {
                        let rows: Vec<usize> = (0..archive.len()).collect();
                        let x = archive.joint(&rows);
                        (
                            fit_process(
                                x,
                                &costs,
                                &of,
                                v,
                                &groups,
                                fit,
                                last.as_ref(),
                                inverse,
                                rng,
                            )?,
                            true,
                        )
                    }
                };
                *self = Self::Unified(fitted);
                Ok(refitted)
            }
            ForwardModel::PerTask => {
                let mut last = match std::mem::take(self) {
                    Self::PerTask(models) => models,
                    _ => Vec::new(),
                };
                last.resize_with(archive.tasks().len(), || None);
                let groups = vec![0; archive.dim()];
                for (task, slot) in archive.tasks().iter().zip(&mut last) {
                    if task.best.is_none() {
                        *slot = None;
                        continue;
                    }
                    let y: Vec<f64> = task.rows.iter().map(|&row| costs[row]).collect();
                    let x = archive.solutions(&task.rows);
                    let own = vec![0; y.len()];
                    *slot = Some(fit_process(
                        x,
                        &y,
                        &own,
                        v,
                        &groups,
                        fit,
                        slot.as_ref(),
                        None,
                        rng,
                    )?);
                }
                *self = Self::PerTask(last);
                Ok(true)
            }
            ForwardModel::Coregionalized { rank } => {
                let rows: Vec<usize> = (0..archive.len()).collect();
                let last = match std::mem::take(self) {
                    Self::Coregionalized(model) => Some(model),
                    _ => None,
                };
                let x = archive.solutions(&rows);
                let tasks = archive.tasks().len();
                let current = last.as_ref().filter(|last| {
                    !force
                        && last.num_tasks() == tasks
                        && !is_due(fit, last.fitted_at(), rows.len())
                });
                let (model, refitted) = match current {
                    Some(last) => (last.extended(x.as_ref(), &costs, &of)?, false),
                    None => {
                        let (shape, last) = ((tasks, rank), last.as_ref());
                        let all = usize::MAX;
                        let fitted =
                            Coregionalized::fit(x, &costs, &of, shape, fit, all, last, rng)?;
                        (fitted, true)
                    }
                };
                *self = Self::Coregionalized(model);
                Ok(refitted)
            }
        }
    }
}

fn groups(tied: Lengthscales, archive: &Archive) -> Vec<usize> {
    let v = archive.dim();
    (0..v + archive.task_dim())
        .map(|k| match tied {
            Lengthscales::Shared => 0,
            Lengthscales::Ard => k,
        })
        .collect()
}

/// Whether the evaluations have grown by enough since the last fit for another.
fn is_due(fit: &ForwardFit, fitted_at: usize, evaluations: usize) -> bool {
    let (ForwardFit::Map { growth, .. } | ForwardFit::Published { growth, .. }) = fit;
    evaluations as f64 >= growth * fitted_at as f64
}

/// Adds the rows that are new, or fits again where the schedule says so.
fn grow(
    fitted: Fitted,
    archive: &Archive,
    costs: &[f64],
    of: &[usize],
    groups: &[usize],
    fit: &ForwardFit,
    inverse: Option<&TaskModel>,
    rng: &mut dyn Rng,
) -> Result<(Fitted, bool), MetaError> {
    let known = fitted.unified.gp.x().nrows();
    let (n, v) = (archive.len(), archive.dim());
    if !is_due(fit, fitted.fitted_at, n) {
        let new: Vec<usize> = (known..n).collect();
        let mut z = archive.joint(&new);
        if let Some(alignment) = &fitted.unified.alignment {
            align(&mut z, &of[known..], v, alignment);
        }
        let grown = fitted.unified.gp.condition_on(z.as_ref(), &costs[known..]);
        if let Ok(gp) = grown {
            let unified = UnifiedGp {
                gp,
                ..fitted.unified
            };
            return Ok((Fitted { unified, ..fitted }, false));
        }
    }
    let rows: Vec<usize> = (0..n).collect();
    let x = archive.joint(&rows);
    Ok((
        fit_process(x, costs, of, v, groups, fit, Some(&fitted), inverse, rng)?,
        true,
    ))
}

/// Fits hyperparameters and conditions on all rows of `x` (`n×d`), which belong to the tasks `of`.
pub(super) fn fit_process(
    mut x: Mat<f64>,
    y: &[f64],
    of: &[usize],
    solutions: usize,
    groups: &[usize],
    fit: &ForwardFit,
    last: Option<&Fitted>,
    inverse: Option<&TaskModel>,
    rng: &mut dyn Rng,
) -> Result<Fitted, MetaError> {
    let mut alignment = None;
    let (hyper, raw, standardization) = match fit {
        ForwardFit::Published {
            optimizer,
            warm_start,
            ..
        } => {
            let warm = last.filter(|_| *warm_start).map(|last| last.raw.as_slice());
            let (hyper, raw) = published(&x, y, groups, optimizer, warm)?;
            (hyper, raw, Standardization::IDENTITY)
        }
        ForwardFit::Map {
            restarts,
            subset,
            evaluations,
            finest,
            aligned,
            ..
        } => {
            let standardization = Standardization::of(y);
            let rows = sample_tasks(of, *subset, rng);
            let part = |x: &Mat<f64>| Mat::from_fn(rows.len(), x.ncols(), |i, k| x[(rows[i], k)]);
            let z: Vec<f64> = rows.iter().map(|&i| standardization.apply(y[i])).collect();
            let config = MapConfig {
                restarts: *restarts,
                lbfgsb: LbfgsbConfig {
                    max_evaluations: (*evaluations).max(1),
                    f_tolerance: 1e-5,
                    gradient_tolerance: 1e-4,
                    ..LbfgsbConfig::default()
                },
            };
            let warm = |aligned: bool| {
                last.filter(|last| last.unified.alignment.is_some() == aligned)
                    .map(|last| last.unified.gp.hyperparameters())
            };
            let least = lower_bounds(groups, solutions, *finest);
            let (mut hyper, plain) = map(&part(&x), &z, groups, &least, &config, warm(false), rng)?;
            if let (Some(finest), Some(inverse)) = (aligned, inverse) {
                let by = Alignment::of(inverse);
                let mut moved = x.clone();
                align(&mut moved, of, solutions, &by);
                let least = lower_bounds(groups, solutions, *finest);
                let own = part(&moved);
                let (better, evidence) = map(&own, &z, groups, &least, &config, warm(true), rng)?;
                if evidence > plain {
                    (hyper, x, alignment) = (better, moved, Some(by));
                }
            }
            (hyper, Vec::new(), standardization)
        }
    };
    let outcomes = Mat::from_fn(y.len(), 1, |i, _| y[i]);
    let fitted_at = y.len();
    let data = Dataset::new(x, outcomes)?;
    let gp = ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &hyper, standardization)?;
    let unified = UnifiedGp { gp, alignment };
    Ok(Fitted {
        unified,
        raw,
        fitted_at,
    })
}

/// The published fit with its unconstrained parameters.
pub(super) fn published(
    x: &Mat<f64>,
    y: &[f64],
    groups: &[usize],
    optimizer: &Optimizer,
    warm: Option<&[f64]>,
) -> Result<(Hyperparameters, Vec<f64>), MetaError> {
    let likelihood = TiedLikelihood::new(x.as_ref(), y, groups, &[]);
    let end = fit_published(&likelihood, optimizer, warm)?;
    let count = likelihood.lengthscales();
    let hyper = Hyperparameters {
        lengthscales: likelihood.expand(&end.values),
        outputscale: end.values[count],
        noise: end.values[count + 1],
        mean: end.mean,
    };
    Ok((hyper, end.raw))
}

/// Hyperparameters of largest posterior density, and their log marginal likelihood.
fn map(
    x: &Mat<f64>,
    z: &[f64],
    groups: &[usize],
    finest: &[f64],
    config: &MapConfig,
    warm: Option<Hyperparameters>,
    rng: &mut dyn Rng,
) -> Result<(Hyperparameters, f64), MetaError> {
    let likelihood = TiedLikelihood::new(x.as_ref(), z, groups, &[]);
    let count = likelihood.lengthscales();
    let prior = HyperPrior::dimension_scaled_lengthscale(groups.len());
    let wide = |mu, sigma, low, high| {
        ParameterSpec::positive(HyperPrior::LogNormal { mu, sigma }, low, high)
    };
    let mut parameters: Vec<ParameterSpec> = finest
        .iter()
        .map(|&low| ParameterSpec::positive(prior, low, LONGEST))
        .collect();
    parameters.push(wide(1.0, 2.0, 1e-2, 1e4).starting_at(1.0));
    parameters.push(wide(-6.0, 3.0, 1e-6, 1.0).starting_at(1e-3));
    let warm = warm.map(|h| {
        let mut own = vec![1.0; count];
        for (&group, &l) in groups.iter().zip(&h.lengthscales) {
            own[group] = l;
        }
        own.extend([h.outputscale, h.noise]);
        own
    });
    let mut starts = match &warm {
        // Near a fit to most of the data another start from scratch would not pay.
        Some(own) if z.len() > 400 && config.restarts == 0 => vec![own.clone()],
        own => draw_starts(&parameters, own.as_deref(), config.restarts, rng),
    };
    // What is noise from afar may be detail up close: an optimum of its own.
    let mut detailed = vec![0.2; count];
    detailed.extend([1.0, 1e-4]);
    starts.push(detailed);
    let end = fit_map_from(&parameters, &likelihood, &starts, config)?;
    let hyper = Hyperparameters {
        lengthscales: likelihood.expand(&end.values),
        outputscale: end.values[count],
        noise: end.values[count + 1],
        mean: likelihood.best_mean(&end.values)?,
    };
    Ok((hyper, end.report.log_marginal_likelihood))
}

/// Least lengthscale of each group: of a solution `finest`, of a task 0.03.
fn lower_bounds(groups: &[usize], solutions: usize, finest: f64) -> Vec<f64> {
    let count = groups.iter().max().map_or(0, |g| g + 1);
    let mut bounds = vec![f64::INFINITY; count];
    for (k, &group) in groups.iter().enumerate() {
        let own = if k < solutions { finest } else { 0.03 };
        bounds[group] = own.min(bounds[group]);
    }
    bounds
}

/// About `count` rows, all those of randomly chosen tasks: only rows of one task are close enough
/// to each other to tell noise from detail.
fn sample_tasks(of: &[usize], count: usize, rng: &mut dyn Rng) -> Vec<usize> {
    if of.len() <= count {
        return (0..of.len()).collect();
    }
    let tasks = of.iter().max().map_or(0, |t| t + 1);
    let mut rows = Vec::with_capacity(count);
    for task in shuffled(tasks, rng) {
        let mut own: Vec<usize> = (0..of.len()).filter(|&i| of[i] == task).collect();
        if rows.len() + own.len() > count {
            let order = shuffled(own.len(), rng);
            own = order.into_iter().map(|i| own[i]).collect();
            own.truncate(count - rows.len());
        }
        rows.append(&mut own);
    }
    rows.sort_unstable();
    rows
}

/// The numbers below `n` in random order.
pub(super) fn shuffled(n: usize, rng: &mut dyn Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        // u64, not usize: the draw is the same on every platform.
        order.swap(i, rng.random_range(0..=i as u64) as usize);
    }
    order
}
