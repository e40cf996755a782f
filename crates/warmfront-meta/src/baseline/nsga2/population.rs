//! Who is better than whom, and who survives.

use std::cmp::Ordering;

use warmfront_pareto::{Points, non_dominated_sort};

/// An evaluated configuration and its standing in the population.
#[derive(Debug, Clone)]
pub(super) struct Individual {
    /// Position in the log.
    pub(super) row: usize,
    /// All costs; `None` if one is missing.
    pub(super) costs: Option<Vec<f64>>,
    pub(super) rank: usize,
    pub(super) crowding: f64,
}

impl Individual {
    pub(super) fn better_than(&self, other: &Self) -> bool {
        self.compare(other).is_lt()
    }

    /// The crowded comparison: lower rank first, then the more isolated.
    fn compare(&self, other: &Self) -> Ordering {
        let by_crowding = other.crowding.total_cmp(&self.crowding);
        self.rank.cmp(&other.rank).then(by_crowding)
    }
}

/// Ranks by fronts and, within them, measures the crowding distance.
pub(super) fn rank_and_crowd(
    rows: Vec<(usize, Option<Vec<f64>>)>,
    objectives: usize,
) -> Vec<Individual> {
    let flat: Vec<f64> = rows
        .iter()
        .filter_map(|(_, costs)| costs.as_deref())
        .flatten()
        .copied()
        .collect();
    let points = Points::new(&flat, objectives).expect("costs are finite");
    let mut ranks = non_dominated_sort(points).into_iter();
    let mut all: Vec<Individual> = rows
        .into_iter()
        .map(|(row, costs)| Individual {
            row,
            // Behind every front, whatever is told later.
            rank: match &costs {
                Some(_) => ranks.next().expect("one rank per complete row"),
                None => usize::MAX,
            },
            costs,
            crowding: 0.0,
        })
        .collect();
    // Stable: among equals whoever was told first.
    all.sort_by_key(|individual| individual.rank);
    for front in all.chunk_by_mut(|a, b| a.rank == b.rank) {
        crowd(front, objectives);
    }
    all.sort_by(Individual::compare);
    all
}

/// The best `size`, with the crowding that is left when the others have gone.
pub(super) fn survivors(
    mut sorted: Vec<Individual>,
    size: usize,
    objectives: usize,
) -> Vec<Individual> {
    sorted.truncate(size);
    let rows = sorted
        .into_iter()
        .map(|individual| (individual.row, individual.costs))
        .collect();
    rank_and_crowd(rows, objectives)
}

/// Sums over the objectives the gap between the two neighbours, as a share of the front's range.
fn crowd(front: &mut [Individual], objectives: usize) {
    // Halved, so that a difference of two finite costs is finite.
    let half = |individual: &Individual, o: usize| individual.costs.as_ref().map(|c| 0.5 * c[o]);
    for o in 0..objectives {
        let mut order: Vec<(f64, usize)> = front
            .iter()
            .enumerate()
            .filter_map(|(i, individual)| Some((half(individual, o)?, i)))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (Some(&(low, first)), Some(&(high, last))) = (order.first(), order.last()) else {
            return;
        };
        front[first].crowding = f64::INFINITY;
        front[last].crowding = f64::INFINITY;
        let range = high - low;
        if range > 0.0 {
            for around in order.windows(3) {
                front[around[1].1].crowding += (around[2].0 - around[0].0) / range;
            }
        }
    }
}
