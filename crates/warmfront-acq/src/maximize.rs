//! Finding the point of a search space with the largest utility.

use rand::Rng;
use warmfront_core::{SearchSpace, UnitPoint};
use warmfront_linalg::Mat;

use crate::AcquisitionFunction;

/// How hard to search for the maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct MaximizeConfig {
    /// Points of a scrambled Sobol sequence that are scored first.
    pub raw_samples: usize,
    /// Further points scored first: perturbations of the acquisition function's
    /// [`incumbents`](AcquisitionFunction::incumbents).
    pub around_best: usize,
    /// How many of those points a local search starts from.
    pub restarts: usize,
    /// Iterations of each local search.
    pub max_iterations: usize,
    /// Whether to use several threads. The result does not depend on it.
    pub parallel: bool,
}

impl Default for MaximizeConfig {
    fn default() -> Self {
        Self {
            raw_samples: 512,
            around_best: 64,
            restarts: 6,
            max_iterations: 60,
            parallel: false,
        }
    }
}

/// The best point found.
#[derive(Debug, Clone, PartialEq)]
pub struct Maximum {
    /// The point, canonical in its search space.
    pub point: UnitPoint,
    /// Its utility; −∞ if the model gave no finite utility anywhere.
    pub utility: f64,
    /// Whether the point is one of the excluded ones. Only in a space with finitely many
    /// configurations, all of them excluded, that is not a table.
    pub repeated: bool,
}

/// Returns the point of `space` with the largest utility that is not among `exclude`.
///
/// Returns `None` only if `space` is a table and every row is excluded.
#[track_caller]
pub fn maximize(
    acqf: &dyn AcquisitionFunction,
    space: &SearchSpace,
    exclude: &[UnitPoint],
    config: &MaximizeConfig,
    rng: &mut dyn Rng,
) -> Option<Maximum> {
    let points: Vec<UnitPoint> = match space.table() {
        Some(rows) => rows.to_vec(),
        None => (0..config.raw_samples.max(1))
            .map(|_| space.sample(rng))
            .collect(),
    };
    let x = Mat::from_fn(points.len(), space.dim(), |i, j| points[i].coords()[j]);
    let utilities = acqf.utilities(x.as_ref());
    let mut best: Option<Maximum> = None;
    for (point, utility) in points.into_iter().zip(utilities) {
        let utility = if utility.is_nan() {
            f64::NEG_INFINITY
        } else {
            utility
        };
        if !exclude.contains(&point) && best.as_ref().is_none_or(|b| utility > b.utility) {
            best = Some(Maximum {
                point,
                utility,
                repeated: false,
            });
        }
    }
    best
}
