//! A reference point from data.

use crate::{ParetoError, Points, non_dominated};

/// Share of the range by which the inferred reference lies beyond the nadir.
const MARGIN: f64 = 0.1;

/// A reference point a little worse than the worst of the front.
///
/// For each objective `k`, with `nadir` and `ideal` the largest and smallest
/// value on the non-dominated front of the finite points,
///
/// `r_k = nadir_k + 0.1 · range_k`,  `range_k = nadir_k − ideal_k`.
///
/// Where the front has no extent (a single point, say), the range is that of
/// all finite points in this objective; where that is zero too, it is
/// `|nadir_k|`, or 1 if the nadir is zero. The result is finite and above the
/// front in every objective, so that each point of the front contributes
/// (except for a nadir of `f64::MAX`, which nothing finite exceeds).
///
/// # Errors
///
/// [`ParetoError::NoPoints`] if no point is finite in all objectives.
///
/// # References
///
/// H. Ishibuchi, R. Imada, Y. Setoguchi, Y. Nojima (2018), *How to specify a
/// reference point in hypervolume calculation for fair performance comparison*,
/// Evolutionary Computation 26; the margin of 0.1 is customary in Bayesian
/// optimisation.
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{Points, reference};
///
/// let points = Points::new(&[0.0, 10.0, 5.0, 0.0, 9.0, 30.0], 2)?;
/// assert_eq!(reference::infer(points)?, [5.5, 11.0]);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
pub fn infer(points: Points<'_>) -> Result<Vec<f64>, ParetoError> {
    let m = points.objectives();
    let finite: Vec<f64> = points
        .rows()
        .filter(|p| p.iter().all(|v| v.is_finite()))
        .flatten()
        .copied()
        .collect();
    if finite.is_empty() {
        return Err(ParetoError::NoPoints);
    }
    let finite = Points::new(&finite, m)?;
    let front = non_dominated(finite);
    let extent = |rows: &mut dyn Iterator<Item = usize>, k: usize| {
        rows.map(|i| finite.row(i)[k])
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                (lo.min(v), hi.max(v))
            })
    };
    Ok((0..m)
        .map(|k| {
            let (ideal, nadir) = extent(&mut front.iter().copied(), k);
            let (least, most) = extent(&mut (0..finite.len()), k);
            // Scaled before the difference, which could overflow.
            let margin = [
                MARGIN * nadir - MARGIN * ideal,
                MARGIN * most - MARGIN * least,
                MARGIN * nadir.abs(),
            ]
            .into_iter()
            .find(|&margin| margin > 0.0)
            .unwrap_or(MARGIN);
            // A range of few units in the last place would be rounded away.
            (nadir + margin).max(nadir.next_up()).min(f64::MAX)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(data: &[f64], m: usize) -> Vec<f64> {
        infer(Points::new(data, m).unwrap()).unwrap()
    }

    #[test]
    fn degenerate_fronts_get_a_margin() {
        assert_eq!(inferred(&[2.0, 0.0], 2), [2.2, 0.1]);
        // One non-dominated point, but the other points tell the scale.
        assert_eq!(inferred(&[0.0, 0.0, 10.0, 20.0], 2), [1.0, 2.0]);
        assert_eq!(inferred(&[-4.0], 1), [-3.6]);
    }

    #[test]
    fn extremes_stay_finite_and_above() {
        for data in [
            [1e300, -1e300, -1e300, 1e300],
            [1e-300, 2e-300, 2e-300, 1e-300],
            [f64::MAX, 0.0, f64::MIN, 1.0],
            [1.0, 2.0, 1.0 + f64::EPSILON, 1.0],
        ] {
            let r = inferred(&data, 2);
            for k in 0..2 {
                assert!(r[k].is_finite());
                let nadir = data[k].max(data[k + 2]);
                assert!(r[k] > nadir || nadir >= f64::MAX);
            }
        }
    }

    #[test]
    fn infinite_points_are_left_out() {
        assert_eq!(
            inferred(&[f64::NEG_INFINITY, 0.0, 0.0, 1.0, 1.0, 0.0], 2),
            inferred(&[0.0, 1.0, 1.0, 0.0], 2)
        );
        let none = Points::new(&[f64::INFINITY, 0.0], 2).unwrap();
        assert_eq!(infer(none), Err(ParetoError::NoPoints));
    }
}
