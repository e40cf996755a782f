//! Finding the point of a search space with the largest utility.
//!
//! Finite spaces (tables, and products of few discrete values) are searched exhaustively. Elsewhere
//! a scrambled Sobol sequence and perturbations of good observed points are scored, local searches
//! start from the best that are apart and from a random selection of the rest, further ones start
//! one parameter away from the best end points so far, and the best end point that is canonical and
//! not excluded wins.

mod finite;
mod local;
mod moves;
mod starts;

use std::collections::HashSet;

use rand::Rng;
use rayon::prelude::*;
use warmfront_core::{SearchSpace, UnitPoint};
use warmfront_linalg::Mat;

use crate::AcquisitionFunction;

/// Rows scored in one call. Fixed, because a model may round differently in another batch.
const BATCH: usize = 128;

/// Points closer than this in every coordinate are the same point.
const SAME: f64 = 1e-9;

/// One local search in this many starts from a move, in [`ROUNDS`] rounds: each moves away from all
/// that was found before it.
const MOVED: usize = 3;
const ROUNDS: usize = 2;

/// How often to draw another point when everything found is excluded.
const ATTEMPTS: usize = 1000;

/// How hard to search for the maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct MaximizeConfig {
    /// Points of a scrambled Sobol sequence that are scored first.
    pub raw_samples: usize,
    /// Further points scored first: perturbations of the acquisition function's
    /// [`incumbents`](AcquisitionFunction::incumbents).
    pub around_best: usize,
    /// How many local searches there are. Two thirds start from the points scored first, the others
    /// from moves of one parameter away from the best end points so far, which are scored too: at
    /// most half as many as the points scored first.
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
            around_best: 256,
            restarts: 24,
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
    /// Whether the point is one of the excluded ones: only in a space with finitely many
    /// configurations that is not a table, when none else was found.
    pub repeated: bool,
}

/// Returns the canonical point of `space` with the largest utility found that is not among
/// `exclude`.
///
/// `exclude` holds what has been evaluated or is pending; its points need not be canonical. Utilities
/// that are NaN count as −∞. Returns `None` only if `space` is a table and every row is excluded.
///
/// # Panics
/// If an excluded point, or the acquisition function, is of another dimension than the space.
///
/// # Examples
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use warmfront_acq::{AcquisitionFunction, MaximizeConfig, maximize};
/// use warmfront_core::SearchSpace;
/// use warmfront_linalg::MatRef;
///
/// struct Hill;
/// impl AcquisitionFunction for Hill {
///     fn utility(&self, x: MatRef<'_, f64>) -> f64 {
///         -(x[(0, 0)] - 0.3).powi(2)
///     }
/// }
///
/// let space = SearchSpace::unit_cube(1);
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let top = maximize(&Hill, &space, &[], &MaximizeConfig::default(), &mut rng)
///     .expect("the space is no table");
/// assert!((top.point.coords()[0] - 0.3).abs() < 1e-3);
/// ```
#[track_caller]
pub fn maximize(
    acqf: &dyn AcquisitionFunction,
    space: &SearchSpace,
    exclude: &[UnitPoint],
    config: &MaximizeConfig,
    rng: &mut dyn Rng,
) -> Option<Maximum> {
    let search = Search {
        acqf,
        space,
        config,
        visited: exclude.iter().map(|p| key(&space.canonical(p))).collect(),
        exclude,
    };
    if let Some(rows) = space.table() {
        return finite::best_row(&search, rows);
    }
    if let Some(points) = space.enumerate(finite::ENUMERABLE) {
        return Some(finite::best_point(&search, points));
    }
    Some(search.run(rng))
}

/// A canonical point and its utility.
type Found = (UnitPoint, f64);

/// One search and everything it needs to know.
struct Search<'a> {
    acqf: &'a dyn AcquisitionFunction,
    space: &'a SearchSpace,
    config: &'a MaximizeConfig,
    visited: HashSet<Vec<u64>>,
    exclude: &'a [UnitPoint],
}

/// The bits of a point, to look it up; both zeros are the same.
fn key(point: &UnitPoint) -> Vec<u64> {
    point.coords().iter().map(|c| (c + 0.0).to_bits()).collect()
}

/// The largest difference between coordinates of two points.
fn farthest(a: &UnitPoint, b: &UnitPoint) -> f64 {
    let pairs = a.coords().iter().zip(b.coords());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

impl Search<'_> {
    /// Utilities of `points`, NaN as −∞.
    fn utilities(&self, points: &[UnitPoint]) -> Vec<f64> {
        let d = self.space.dim();
        let score = |batch: &[UnitPoint]| {
            let x = Mat::from_fn(batch.len(), d, |i, j| batch[i].coords()[j]);
            let mut utilities = self.acqf.utilities(x.as_ref());
            for utility in &mut utilities {
                if utility.is_nan() {
                    *utility = f64::NEG_INFINITY;
                }
            }
            utilities
        };
        if self.config.parallel {
            let batches: Vec<_> = points.par_chunks(BATCH).map(score).collect();
            batches.concat()
        } else {
            points.chunks(BATCH).flat_map(score).collect()
        }
    }

    /// Whether `point` (canonical) is one of the excluded points, or so near to one that evaluating
    /// it could teach nothing new.
    fn is_excluded(&self, point: &UnitPoint) -> bool {
        self.visited.contains(&key(point))
            || self.exclude.iter().any(|e| farthest(e, point) <= SAME)
    }

    fn canonical(&self, coords: Vec<f64>) -> UnitPoint {
        let point = UnitPoint::clamped(coords);
        if self.space.is_box() {
            point
        } else {
            self.space.canonical(&point)
        }
    }

    /// Where local searches from `starts` end.
    fn climb(&self, starts: &[Found]) -> Vec<Found> {
        let climb = |(point, utility): &Found| local::climb(self, point, *utility);
        if self.config.parallel {
            starts.par_iter().map(climb).collect()
        } else {
            starts.iter().map(climb).collect()
        }
    }

    fn run(&self, rng: &mut dyn Rng) -> Maximum {
        let raw = starts::raw_points(self, rng);
        let utilities = self.utilities(&raw);
        let moved = self.config.restarts / MOVED;
        let chosen = starts::choose(&raw, &utilities, self.config.restarts - moved, rng);
        let first: Vec<Found> = chosen
            .iter()
            .map(|&i| (raw[i].clone(), utilities[i]))
            .collect();
        let mut found = self.climb(&first);
        for round in 0..ROUNDS {
            let count = (moved + round) / ROUNDS;
            if count > 0 {
                let next = moves::propose(self, &found, count, rng);
                found.extend(self.climb(&next));
            }
        }
        let evaluated = found.len();
        found.extend(raw.into_iter().zip(utilities));
        tracing::trace!(
            restarts = evaluated,
            best = found[..evaluated]
                .iter()
                .map(|f| f.1)
                .fold(f64::NEG_INFINITY, f64::max),
            best_raw = found[evaluated..]
                .iter()
                .map(|f| f.1)
                .fold(f64::NEG_INFINITY, f64::max),
            "searched"
        );
        // Stable: among equals the end point of the first local search wins.
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        let new = |(point, utility): (UnitPoint, f64)| Maximum {
            point,
            utility,
            repeated: false,
        };
        if let Some(at) = found.iter().position(|(point, _)| !self.is_excluded(point)) {
            return new(found.swap_remove(at));
        }
        for _ in 0..ATTEMPTS {
            let point = self.space.sample(rng);
            if !self.is_excluded(&point) {
                let utility = self.utilities(std::slice::from_ref(&point))[0];
                return new((point, utility));
            }
        }
        let point = self.space.sample(rng);
        let (point, utility) = found
            .into_iter()
            .next()
            .unwrap_or((point, f64::NEG_INFINITY));
        Maximum {
            point,
            utility,
            repeated: true,
        }
    }
}
