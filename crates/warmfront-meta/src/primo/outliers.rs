//! Costs so bad that their size says nothing more.

use warmfront_linalg::Mat;

/// Brings costs that can no longer count closer to those that can, keeping their order.
///
/// Beyond a threshold `t`, `y` becomes `t + s·ln(1 + (y − t)/s)`, where `s` is the distance of the
/// threshold from the best cost. With several objectives the threshold is the reference point: no
/// point beyond it has hypervolume, so neither the front nor any improvement changes. With one it is
/// the median, which no improvement reaches. What changes is the scale on which the surrogate sees
/// the costs that matter: one diverged training run would otherwise make all others look alike.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compression(Vec<Option<Tail>>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Tail {
    from: f64,
    scale: f64,
}

impl Compression {
    /// No compression of `m` objectives.
    pub(super) fn none(m: usize) -> Self {
        Self(vec![None; m])
    }

    /// From the full evaluations `y` (n×m, finite, n ≥ 1) and the reference point, if it is known.
    pub(super) fn new(y: &Mat<f64>, reference: Option<&[f64]>) -> Self {
        let m = y.ncols();
        let tail = |o: usize| {
            let mut column = y.col_as_slice(o).to_vec();
            column.sort_by(f64::total_cmp);
            let (best, worst) = (*column.first()?, *column.last()?);
            let from = match reference {
                Some(reference) => *reference.get(o)?,
                None => column[(column.len() - 1) / 2],
            };
            // Where every cost is beyond the threshold, the best sets the scale all the same.
            let to_best = (0.5 * from - 0.5 * best).abs();
            let scale = if to_best > 0.0 {
                2.0 * to_best
            } else {
                worst - best
            };
            (scale > 0.0 && scale.is_finite() && from.is_finite()).then_some(Tail { from, scale })
        };
        Self((0..m).map(tail).collect())
    }

    /// The cost of objective `o` as the surrogate sees it.
    pub(super) fn apply(&self, o: usize, cost: f64) -> f64 {
        match self.0.get(o).copied().flatten() {
            Some(Tail { from, scale }) if cost > from => {
                // Divided before the difference, which could overflow.
                let excess = cost / scale - from / scale;
                let compressed = from + scale * excess.ln_1p();
                if compressed.is_finite() {
                    compressed
                } else {
                    cost
                }
            }
            _ => cost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(costs: &[f64]) -> Mat<f64> {
        Mat::from_fn(costs.len(), 1, |i, _| costs[i])
    }

    #[test]
    fn what_counts_is_untouched_and_the_order_stays() {
        let costs = [0.1, 0.4, 0.9, 35.0, 1e6];
        let compression = Compression::new(&column(&costs), Some(&[1.0]));
        let seen = costs.map(|cost| compression.apply(0, cost));
        assert_eq!(seen[..3], costs[..3]);
        assert!(seen.is_sorted() && seen[3] > 1.0);
        let expected = 1.0 + 0.9 * (1.0_f64 + 34.0 / 0.9).ln();
        assert!((seen[3] - expected).abs() < 1e-12, "{}", seen[3]);
        assert!(seen[4] < 15.0);
    }

    #[test]
    fn one_objective_keeps_its_better_half() {
        let costs = [5.0, 1.0, 2.0, 900.0, 3.0];
        let compression = Compression::new(&column(&costs), None);
        let unchanged = costs.map(|cost| compression.apply(0, cost) >= cost);
        assert_eq!(unchanged, [false, true, true, false, true]);
    }

    #[test]
    fn ugly_costs_stay_finite() {
        for costs in [
            vec![1.0],
            vec![2.0, 2.0],
            vec![-1e308, 1e308],
            vec![1e-320, 2e-320],
            vec![0.0, f64::MAX],
        ] {
            for reference in [None, Some(&[1.5][..]), Some(&[-1e308][..])] {
                let compression = Compression::new(&column(&costs), reference);
                for &cost in &costs {
                    assert!(compression.apply(0, cost).is_finite(), "{costs:?}");
                }
            }
        }
    }
}
