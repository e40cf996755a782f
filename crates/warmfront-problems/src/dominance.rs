//! Just enough of Pareto dominance for reference points and the front search.
//!
//! `warmfront-pareto` has the real thing; this crate stays below it.

/// Whether `a` is nowhere worse than `b` and somewhere better (costs).
pub(crate) fn dominates(a: &[f64], b: &[f64]) -> bool {
    let mut better = false;
    for (a, b) in a.iter().zip(b) {
        if a > b {
            return false;
        }
        better |= a < b;
    }
    better
}

/// Indices, ascending, of the cost vectors that none other dominates; of equal ones the first.
pub(crate) fn non_dominated(costs: &[Vec<f64>]) -> Vec<usize> {
    // In order of the sum nobody can be dominated by a later one, except by rounding in the sum,
    // against which the lexicographic order of equal sums and the second check guard.
    let mut order: Vec<usize> = (0..costs.len()).collect();
    let sums: Vec<f64> = costs.iter().map(|cost| cost.iter().sum()).collect();
    order.sort_by(|&a, &b| {
        sums[a].total_cmp(&sums[b]).then_with(|| {
            let pairs = costs[a].iter().zip(&costs[b]);
            pairs
                .map(|(x, y)| x.total_cmp(y))
                .find(|c| c.is_ne())
                .unwrap_or(a.cmp(&b))
        })
    });
    let mut front: Vec<usize> = Vec::new();
    for row in order {
        let beaten = |&kept: &usize| {
            dominates(&costs[kept], &costs[row])
                || costs[kept]
                    .iter()
                    .zip(&costs[row])
                    .all(|(a, b)| a.total_cmp(b).is_eq())
        };
        if !front.iter().any(beaten) {
            front.retain(|&kept| !dominates(&costs[row], &costs[kept]));
            front.push(row);
        }
    }
    front.sort_unstable();
    front
}

/// Distance of each member of `front` to its neighbours along each objective, scaled by the
/// objective's range; infinite at the ends (Deb et al. 2002).
pub(crate) fn crowding(costs: &[Vec<f64>], front: &[usize]) -> Vec<f64> {
    let mut distance = vec![0.0; front.len()];
    let Some(&first) = front.first() else {
        return distance;
    };
    let mut order: Vec<usize> = (0..front.len()).collect();
    for o in 0..costs[first].len() {
        let value = |position: usize| costs[front[position]][o];
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
        let (low, high) = (order[0], order[order.len() - 1]);
        let range = value(high) - value(low);
        distance[low] = f64::INFINITY;
        distance[high] = f64::INFINITY;
        if range > 0.0 {
            for triple in order.windows(3) {
                distance[triple[1]] += (value(triple[2]) - value(triple[0])) / range;
            }
        }
    }
    distance
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
        let costs: Vec<Vec<f64>> = costs.iter().map(|cost| cost.to_vec()).collect();
        assert_eq!(non_dominated(&costs), [0, 1, 4]);
        assert_eq!(non_dominated(&[]), [0usize; 0]);
    }

    #[test]
    fn extreme_magnitudes_do_not_confuse_the_order_by_sums() {
        let costs = vec![vec![1e300, 1.0], vec![1e300, 0.5], vec![1e300, 0.75]];
        assert_eq!(non_dominated(&costs), [1]);
    }
}
