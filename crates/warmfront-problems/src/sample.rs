//! Random numbers, designs and reference points shared by the problems.

use rand::{Rng, RngExt};
use warmfront_core::{
    Candidate, Observation, Outcome, Purpose, SearchSpace, Seed, TaskRecord, TrialId, UnitPoint,
};
use warmfront_math::distribution::open_uniform;
use warmfront_math::sobol::Sobol;
use warmfront_pareto::Points;

use crate::problem::Problem;

/// How inputs are placed in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Design {
    /// Independent and uniform in the unit cube.
    #[default]
    Uniform,
    /// A scrambled Sobol sequence; independent points in spaces of more dimensions than the
    /// sequence has direction numbers for ([`MAX_DIM`](warmfront_math::sobol::MAX_DIM)).
    Sobol,
}

pub(crate) fn uniform_in(low: f64, high: f64, rng: &mut (impl Rng + ?Sized)) -> f64 {
    low + (high - low) * open_uniform(rng)
}

/// A permutation of `0..n`, of which only the first `k` entries are shuffled.
pub(crate) fn permutation(n: usize, k: usize, rng: &mut (impl Rng + ?Sized)) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in 0..k.min(n.saturating_sub(1)) {
        let j = rng.random_range(i as u64..n as u64) as usize;
        order.swap(i, j);
    }
    order
}

/// `n` points of `space`, canonical; of a table `n` distinct rows, or all of them.
pub fn design_points(
    space: &SearchSpace,
    n: usize,
    design: Design,
    rng: &mut dyn Rng,
) -> Vec<UnitPoint> {
    if let Some(rows) = space.table() {
        let order = permutation(rows.len(), n, rng);
        return order
            .into_iter()
            .take(n)
            .map(|row| rows[row].clone())
            .collect();
    }
    let dim = space.dim();
    let mut points = Vec::with_capacity(n);
    let mut coords = vec![0.0; dim];
    let mut sobol = match design {
        Design::Uniform => None,
        Design::Sobol => Sobol::scrambled(dim, rng).ok(),
    };
    for _ in 0..n {
        match &mut sobol {
            Some(sobol) => sobol.next_into(&mut coords),
            None => coords
                .iter_mut()
                .for_each(|coord| *coord = open_uniform(rng)),
        }
        let point = UnitPoint::new(coords.clone()).expect("designs lie in the unit cube");
        points.push(space.canonical(&point));
    }
    points
}

/// Evaluates `n` inputs of a problem, with noise, as the record of a meta-task.
///
/// Inputs that cannot be evaluated are recorded as [`Outcome::Failed`]. Trials count from 0.
pub fn sample_record(
    problem: &dyn Problem,
    n: usize,
    design: Design,
    rng: &mut dyn Rng,
) -> TaskRecord {
    let candidates: Vec<Candidate> = design_points(problem.space(), n, design, rng)
        .into_iter()
        .map(Candidate::at)
        .collect();
    let outcomes = problem
        .evaluate_batch(&candidates, rng)
        .unwrap_or_else(|error| vec![Outcome::failed(error.to_string()); candidates.len()]);
    let observations = candidates
        .into_iter()
        .zip(outcomes)
        .zip(0..)
        .map(|((candidate, outcome), trial)| Observation {
            trial: TrialId(trial),
            candidate,
            outcome,
        })
        .collect();
    TaskRecord {
        descriptor: None,
        observations,
    }
}

/// A reference point in cost space from a dense noise-free sample: for each objective the worst
/// value on the sample's front plus a tenth of the front's range; with a single objective, where
/// the front is one point, the worst value of the sample.
///
/// The sample is a scrambled Sobol sequence with a fixed seed, or all rows of a table. An objective
/// that is constant on the front gets a margin of a tenth of its magnitude, or of 1.
///
/// # Panics
/// If no point of the sample can be evaluated.
#[must_use]
pub fn reference_from_sample(problem: &dyn Problem, points: usize) -> Vec<f64> {
    let mut rng = Seed(0x7265_6665_7265_6e63).stream(Purpose::Init, 0);
    let sample = match problem.space().table() {
        Some(rows) => rows.to_vec(),
        None => design_points(problem.space(), points, Design::Sobol, &mut rng),
    };
    let costs = complete_costs(problem, sample);
    assert!(
        !costs.is_empty(),
        "no point of `{}` could be evaluated",
        problem.name()
    );
    reference_of(&costs)
}

/// The reference point of a sample's costs, see [`reference_from_sample`].
pub(crate) fn reference_of(costs: &[Vec<f64>]) -> Vec<f64> {
    let m = costs[0].len();
    let worst_of = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
    if m == 1 {
        return vec![worst_of(&mut costs.iter().map(|cost| cost[0]))];
    }
    let front = non_dominated(costs);
    (0..m)
        .map(|o| {
            let values = front.iter().map(|&row| costs[row][o]);
            let worst = worst_of(&mut values.clone());
            let range = worst - values.fold(f64::INFINITY, f64::min);
            let scale = if range > 0.0 {
                range
            } else {
                worst.abs().max(1.0)
            };
            worst + 0.1 * scale
        })
        .collect()
}

/// Indices, ascending, of the cost vectors that none other dominates; of equal ones the first.
pub(crate) fn non_dominated(costs: &[Vec<f64>]) -> Vec<usize> {
    let Some(first) = costs.first() else {
        return Vec::new();
    };
    let values = costs.concat();
    let points = Points::new(&values, first.len()).expect("costs are finite");
    warmfront_pareto::non_dominated(points)
}

/// The complete noise-free costs of those of `points` that have them.
pub(crate) fn complete_costs(problem: &dyn Problem, points: Vec<UnitPoint>) -> Vec<Vec<f64>> {
    let candidates: Vec<Candidate> = points.into_iter().map(Candidate::at).collect();
    let outcomes = problem.noise_free_batch(&candidates);
    outcomes
        .iter()
        .flatten()
        .filter_map(|outcome| outcome.costs()?.complete())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unbeaten_points_stay_and_duplicates_once() {
        let costs = [
            [1.0, 2.0],
            [2.0, 1.0],
            [2.0, 2.0],
            [1.0, 2.0],
            [0.0, 3.0],
            [3.0, 3.0],
        ];
        let costs = costs.map(|cost| cost.to_vec());
        assert_eq!(non_dominated(&costs), [0, 1, 4]);
        assert_eq!(non_dominated(&[]), [0usize; 0]);
    }

    #[test]
    fn extreme_magnitudes_do_not_confuse_the_front() {
        let costs = [vec![1e300, 1.0], vec![1e300, 0.5], vec![1e300, 0.75]];
        assert_eq!(non_dominated(&costs), [1]);
    }
}
