//! From the units of the meta-tasks to the standardised space of the target.

use warmfront_gp::{OutcomeScaling, Standardization};
use warmfront_linalg::Mat;

use super::meta::MetaModels;
use super::{SmogConfig, WeightSpace};

/// How a weight `w_mo` acts once target and meta-tasks are standardised.
///
/// With target `(y − a_o)/b_o` and meta-task `f_mo = level_mo + spread_mo·g_mo`, the prior mean
/// `(Σ_m w_mo f_mo − a_o)/b_o` is `Σ_m w_mo·factor_mo·g_mo + constant_o(w)`.
#[derive(Debug, Clone)]
pub(super) struct Normalization {
    pub(super) target: OutcomeScaling,
    /// `spread_mo / b_o`, `M×O`.
    pub(super) factor: Mat<f64>,
    /// `(level_mo − a_o) / b_o`, `M×O`.
    level: Mat<f64>,
    /// `a_o / b_o`.
    base: Vec<f64>,
    /// `spread_mo`, `M×O`, by which pruning weighs tasks.
    spread: Mat<f64>,
}

/// Mean and deviation per objective over all costs of meta-tasks and target.
///
/// Without target data this is known all the same, so that a first proposal does not depend on
/// units.
pub(super) fn pooled(meta: &MetaModels, y: &Mat<f64>) -> OutcomeScaling {
    let (offset, scale) = (0..meta.num_objectives())
        .map(|o| {
            let mut all = meta.outcomes[o].clone();
            all.extend_from_slice(y.col_as_slice(o));
            let moments = Standardization::of(&all);
            (moments.shift(), moments.scale())
        })
        .unzip();
    OutcomeScaling { offset, scale }
}

impl Normalization {
    pub(super) fn new(meta: &MetaModels, target: OutcomeScaling, config: &SmogConfig) -> Self {
        let (tasks, m) = (meta.len(), meta.num_objectives());
        let raw = config.weight_space == WeightSpace::Raw;
        let spread = Mat::from_fn(tasks, m, |t, o| meta.tasks[t].spread[o]);
        let ratio = |value: f64, o: usize| value / target.scale[o];
        Self {
            factor: Mat::from_fn(tasks, m, |t, o| match (raw, spread[(t, o)] > 0.0) {
                (_, false) => 0.0,
                (true, true) => ratio(spread[(t, o)], o),
                (false, true) => 1.0,
            }),
            level: Mat::from_fn(tasks, m, |t, o| {
                if raw {
                    target.apply(o, meta.tasks[t].level[o])
                } else {
                    0.0
                }
            }),
            base: (0..m)
                .map(|o| if raw { ratio(target.offset[o], o) } else { 0.0 })
                .collect(),
            spread,
            target,
        }
    }

    /// The part of the prior mean that does not vary with the input, per objective.
    ///
    /// The sum of levels is taken relative to the pooled level: costs far from zero would
    /// otherwise cancel.
    pub(super) fn constant(&self, weights: &Mat<f64>) -> Vec<f64> {
        let tasks = weights.nrows();
        (0..self.base.len())
            .map(|o| {
                if tasks == 0 {
                    return 0.0;
                }
                let sum: f64 = (0..tasks).map(|t| weights[(t, o)]).sum();
                let levels: f64 = (0..tasks)
                    .map(|t| weights[(t, o)] * self.level[(t, o)])
                    .sum();
                levels + (sum - 1.0) * self.base[o]
            })
            .collect()
    }

    /// Derivative of [`constant`](Self::constant) for objective `o` by the weight of task `t`.
    pub(super) fn constant_slope(&self, t: usize, o: usize) -> f64 {
        self.level[(t, o)] + self.base[o]
    }

    /// Weights on the standardised functions, with those zeroed that matter too little to predict with.
    ///
    /// Task `m` counts in objective `o` if `M·|w_mo|σ_mo / Σ_j |w_jo|σ_jo` reaches the threshold.
    pub(super) fn pruned(&self, weights: &Mat<f64>, threshold: f64) -> Mat<f64> {
        let (tasks, m) = (weights.nrows(), weights.ncols());
        let share = |t: usize, o: usize| (weights[(t, o)] * self.factor[(t, o)]).abs();
        let raw_share = |t: usize, o: usize| {
            // In units of the target, so that spreads of any size can be added.
            weights[(t, o)].abs() * (self.spread[(t, o)] / self.target.scale[o])
        };
        Mat::from_fn(tasks, m, |t, o| {
            let total: f64 = (0..tasks).map(|j| raw_share(j, o)).sum();
            let kept = tasks as f64 * raw_share(t, o) >= threshold * total && share(t, o) > 0.0;
            if kept {
                weights[(t, o)] * self.factor[(t, o)]
            } else {
                0.0
            }
        })
    }
}
