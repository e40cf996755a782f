//! Sorting configurations by several objectives.

use rand::{Rng, RngExt};
use warmfront_pareto::{Points, non_dominated_sort};

/// The order in which configurations of a rung are worth continuing.
///
/// With one objective all of them sort by value. Equal ranks keep the order told.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum FrontOrder {
    /// Front by front, and within a front by greedy farthest points: first a random member, then
    /// always the one farthest from those before.
    ///
    /// # References
    /// Schmucker et al. 2021, arXiv 2106.12639 (ε-net).
    #[default]
    EpsilonNet,
    /// As [`EpsilonNet`](Self::EpsilonNet), but the list of ranks within a front is taken for the
    /// list of members: the inverse permutation, as the published implementations have it.
    LegacyEpsilonNet,
    /// By the sum of costs with these weights, smallest first.
    Scalarized(Vec<f64>),
}

impl FrontOrder {
    /// Indices of the rows of `costs`, the most promising first.
    ///
    /// # Panics
    /// If there are weights, but not one per objective.
    #[must_use]
    #[track_caller]
    pub fn order(&self, costs: Points<'_>, rng: &mut dyn Rng) -> Vec<usize> {
        let mut all: Vec<usize> = (0..costs.len()).collect();
        if let Self::Scalarized(weights) = self {
            assert!(
                weights.len() == costs.objectives(),
                "{} weights for {} objectives",
                weights.len(),
                costs.objectives()
            );
            let value =
                |i: usize| -> f64 { costs.row(i).iter().zip(weights).map(|(c, w)| c * w).sum() };
            all.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
            return all;
        }
        if costs.objectives() == 1 {
            all.sort_by(|&a, &b| costs.row(a)[0].total_cmp(&costs.row(b)[0]));
            return all;
        }
        let ranks = non_dominated_sort(costs);
        let fronts = ranks.iter().max().map_or(0, |last| last + 1);
        let mut order = Vec::with_capacity(all.len());
        for rank in 0..fronts {
            let front: Vec<usize> = all.iter().copied().filter(|&i| ranks[i] == rank).collect();
            // u64, not usize: the draw is the same on every platform.
            let seed = rng.random_range(0..front.len() as u64) as usize;
            let net = epsilon_net(
                |a, b| distance(costs.row(front[a]), costs.row(front[b])),
                front.len(),
                seed,
            );
            let net = if *self == Self::LegacyEpsilonNet {
                inverse(&net)
            } else {
                net
            };
            order.extend(net.into_iter().map(|i| front[i]));
        }
        order
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// Farthest-point order of `n` points from `seed` on; the first of equally far ones comes first.
fn epsilon_net(distance: impl Fn(usize, usize) -> f64, n: usize, seed: usize) -> Vec<usize> {
    let mut order = vec![seed];
    let mut nearest: Vec<f64> = (0..n).map(|i| distance(i, seed)).collect();
    let mut open: Vec<usize> = (0..n).filter(|&i| i != seed).collect();
    while !open.is_empty() {
        let mut best = 0;
        for (at, &i) in open.iter().enumerate() {
            if nearest[i] > nearest[open[best]] {
                best = at;
            }
        }
        let next = open.remove(best);
        order.push(next);
        for &i in &open {
            nearest[i] = nearest[i].min(distance(i, next));
        }
    }
    order
}

fn inverse(permutation: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; permutation.len()];
    for (position, &i) in permutation.iter().enumerate() {
        inverse[i] = position;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn farthest_points_first_and_the_published_inverse() {
        // On a line: 1 is the seed, 2 is farthest from it, then 0 halfway, then 3 next to 0.
        let at = [4.0_f64, 0.0, 10.0, 3.0];
        let net = epsilon_net(|a, b| (at[a] - at[b]).abs(), 4, 1);
        assert_eq!(net, [1, 2, 0, 3]);
        assert_eq!(inverse(&net), [2, 0, 1, 3]);
    }

    #[test]
    fn fronts_come_in_order_and_nobody_is_lost() {
        let data = [5.0, 5.0, 0.0, 3.0, 3.0, 0.0, 1.0, 1.0, 9.0, 9.0];
        let points = Points::new(&data, 2).unwrap();
        for seed in 0..20 {
            for order in [FrontOrder::EpsilonNet, FrontOrder::LegacyEpsilonNet] {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let mut sorted = order.order(points, &mut rng);
                assert_eq!(sorted[3..], [0, 4]);
                sorted.sort_unstable();
                assert_eq!(sorted, [0, 1, 2, 3, 4]);
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let weighted = FrontOrder::Scalarized(vec![1.0, 0.1]);
        assert_eq!(weighted.order(points, &mut rng), [1, 3, 2, 0, 4]);
        let single = Points::new(&[3.0, 1.0, 2.0], 1).unwrap();
        assert_eq!(FrontOrder::EpsilonNet.order(single, &mut rng), [1, 2, 0]);
    }
}
