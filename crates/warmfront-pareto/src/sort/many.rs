//! Ranks where the points that dominate another are found as a set of bits.

use std::cmp::Ordering;

use crate::Points;
use crate::front::{compare_rows, same};
use crate::order::Sorter;

/// Most blocks of one objective, so that its sets take O(n) memory.
const BLOCKS: usize = 128;

/// The points by one objective. Points are named by their place in
/// lexicographic order.
struct Objective {
    by_cost: Vec<u32>,
    /// For each point, how many have at most its cost.
    covered: Vec<u32>,
    /// For each block of `by_cost` the set of all points before it.
    before: Vec<u64>,
}

impl Objective {
    fn new(costs: &[f64], block: usize, words: usize, sorter: &mut Sorter<u32>) -> Self {
        let items = costs.iter().copied().zip(0..);
        let by_cost: Vec<u32> = sorter
            .sort(items, |_, _| Ordering::Equal)
            .iter()
            .map(|(_, i)| *i)
            .collect();
        let mut covered = vec![0; costs.len()];
        let mut end = by_cost.len();
        for (r, &i) in by_cost.iter().enumerate().rev() {
            let tied = by_cost.get(r + 1);
            if tied.is_none_or(|&next| costs[i as usize] < costs[next as usize]) {
                end = r + 1;
            }
            covered[i as usize] = end as u32;
        }
        let mut before = Vec::with_capacity((by_cost.len() / block + 2) * words);
        let mut set = vec![0u64; words];
        for points in by_cost.chunks(block) {
            before.extend_from_slice(&set);
            for &i in points {
                set[i as usize / 64] |= 1 << (i % 64);
            }
        }
        before.extend_from_slice(&set);
        Self {
            by_cost,
            covered,
            before,
        }
    }
}

/// Ranks of the points, see [`super::non_dominated_sort`].
pub(super) fn ranks(points: Points<'_>) -> Vec<usize> {
    let (n, m) = (points.len(), points.objectives());
    let words = n.div_ceil(64);
    let block = n.div_ceil(BLOCKS).max(32);
    let mut sorter = Sorter::default();
    let first = points.rows().map(|p| p[0]);
    let order: Vec<u32> = sorter
        .sort(first.zip(0..), |a, b| {
            compare_rows(points.row(*a as usize), points.row(*b as usize))
        })
        .iter()
        .map(|(_, i)| *i)
        .collect();
    let row = |i: usize| points.row(order[i] as usize);
    // The first objective needs no set: the order settles it.
    let mut costs = Vec::with_capacity(n);
    let objectives: Vec<Objective> = (1..m)
        .map(|k| {
            costs.clear();
            costs.extend((0..n).map(|i| row(i)[k]));
            Objective::new(&costs, block, words, &mut sorter)
        })
        .collect();
    let mut ranks = vec![0; n];
    let mut fronts: Vec<Vec<u64>> = Vec::new();
    let (mut set, mut other) = (vec![0; words], vec![0; words]);
    for i in 0..n {
        if i > 0 && same(row(i - 1), row(i)) {
            ranks[order[i] as usize] = ranks[order[i - 1] as usize];
            continue;
        }
        // Only points before this one can dominate it.
        let words = i / 64 + 1;
        set[..words].fill(!0);
        for objective in &objectives {
            let covered = objective.covered[i] as usize;
            let at = covered / block;
            let before = &objective.before[at * set.len()..][..words];
            for ((to, from), before) in other.iter_mut().zip(&set).zip(before) {
                *to = from & before;
            }
            for &j in &objective.by_cost[at * block..covered] {
                let word = j as usize / 64;
                if word < words {
                    other[word] |= set[word] & 1 << (j % 64);
                }
            }
            std::mem::swap(&mut set, &mut other);
        }
        // A front dominates whatever the front after it dominates.
        let rank = fronts.partition_point(|front| {
            let shared = front.iter().zip(&set[..words]);
            shared.fold(0, |any, (a, b)| any | (a & b)) != 0
        });
        if rank == fronts.len() {
            fronts.push(Vec::new());
        }
        // The points of a front come in order: no word beyond the last is kept.
        fronts[rank].resize(words, 0);
        fronts[rank][i / 64] |= 1 << (i % 64);
        ranks[order[i] as usize] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypervolume::tests::front;
    use crate::{Duplicates, non_dominated_mask};

    #[test]
    fn ranks_are_layers_of_non_dominated_points() {
        for (m, n, levels) in [
            (4, 1, 0),
            (4, 70, 0),
            (4, 300, 0),
            (5, 300, 3),
            (6, 200, 2),
            (3, 5000, 40),
        ] {
            let data = front(m, n, levels, false);
            let ranks = ranks(Points::new(&data, m).unwrap());
            let mut left: Vec<usize> = (0..n).collect();
            for rank in 0.. {
                if left.is_empty() {
                    break;
                }
                let rows: Vec<f64> = left
                    .iter()
                    .flat_map(|&i| &data[i * m..(i + 1) * m])
                    .copied()
                    .collect();
                let mask = non_dominated_mask(Points::new(&rows, m).unwrap(), Duplicates::KeepAll);
                for (&i, first) in left.iter().zip(&mask) {
                    assert_eq!(
                        ranks[i] == rank,
                        *first,
                        "point {i} of {n} with {m} objectives"
                    );
                }
                let mut first = mask.iter();
                left.retain(|_| !first.next().unwrap());
            }
        }
    }
}
