//! Distances of an approximation from a reference set.

use crate::Points;

/// Points of the approximation compared at a time: independent minima that the
/// compiler can keep in vector registers.
const LANES: usize = 8;

/// Inverted generational distance: the mean, over the reference set, of the
/// Euclidean distance to the nearest point.
///
/// `∞` if there are no points.
///
/// # Panics
///
/// If the numbers of objectives differ or the reference set is empty.
///
/// # References
///
/// C. A. Coello Coello, M. Reyes Sierra (2004), MICAI 2004, with the exponent
/// inside the distance only (the mean of distances).
#[track_caller]
pub fn igd(points: Points<'_>, reference_set: Points<'_>) -> f64 {
    mean_distance(points, reference_set, |a, r| a - r)
}

/// IGD⁺: as [`igd`], but only coordinates in which the point is worse than the
/// reference count. It never prefers a dominated set.
///
/// `∞` if there are no points.
///
/// ```
/// use warmfront_pareto::{Points, igd_plus};
///
/// let front = Points::new(&[0.0, 1.0, 1.0, 0.0], 2)?;
/// let found = Points::new(&[0.0, 2.0], 2)?;
/// assert_eq!(igd_plus(found, front), 1.5);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
///
/// # Panics
///
/// If the numbers of objectives differ or the reference set is empty.
///
/// # References
///
/// H. Ishibuchi, H. Masuda, Y. Tanigaki, Y. Nojima (2015), *Modified distance
/// calculation in generational distance and inverted generational distance*,
/// EMO 2015, eq. 18.
#[track_caller]
pub fn igd_plus(points: Points<'_>, reference_set: Points<'_>) -> f64 {
    mean_distance(points, reference_set, |a, r| {
        let d = a - r;
        if d > 0.0 { d } else { 0.0 }
    })
}

/// Additive ε: the smallest ε such that every point of the reference set is
/// weakly dominated by a point moved down by ε in all objectives.
///
/// `∞` if there are no points.
///
/// ```
/// use warmfront_pareto::{Points, additive_epsilon};
///
/// let front = Points::new(&[0.0, 1.0, 1.0, 0.0], 2)?;
/// let found = Points::new(&[0.5, 1.0, 1.0, 0.25], 2)?;
/// assert_eq!(additive_epsilon(found, front), 0.5);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
///
/// # Panics
///
/// If the numbers of objectives differ or the reference set is empty.
///
/// # References
///
/// E. Zitzler, L. Thiele, M. Laumanns, C. M. Fonseca, V. Grunert da Fonseca
/// (2003), *Performance assessment of multiobjective optimizers*, IEEE TEVC 7.
#[track_caller]
pub fn additive_epsilon(points: Points<'_>, reference_set: Points<'_>) -> f64 {
    check(points, reference_set);
    let blocks = Blocks::new(points);
    let mut worst = f64::NEG_INFINITY;
    for r in reference_set.rows() {
        // Only the reference point that is worst off matters: one that is at
        // least as well off as another needs no exact value.
        let nearest = blocks.least(f64::NEG_INFINITY, r, worst, |sum, a, r| {
            let d = a - r;
            if d > sum { d } else { sum }
        });
        if nearest > worst {
            worst = nearest;
        }
    }
    worst
}

#[track_caller]
fn check(points: Points<'_>, reference_set: Points<'_>) {
    reference_set.assert_objectives(points.objectives(), "a point");
    assert!(!reference_set.is_empty(), "the reference set is empty");
}

#[track_caller]
fn mean_distance(
    points: Points<'_>,
    reference_set: Points<'_>,
    excess: impl Fn(f64, f64) -> f64 + Copy,
) -> f64 {
    check(points, reference_set);
    let blocks = Blocks::new(points);
    let sum: f64 = reference_set
        .rows()
        .map(|r| {
            blocks
                .least(0.0, r, f64::NEG_INFINITY, |sum, a, r| {
                    let d = excess(a, r);
                    sum + d * d
                })
                .sqrt()
        })
        .sum();
    sum / reference_set.len() as f64
}

/// Points in groups of [`LANES`], objective by objective within a group; the
/// last group is filled with +∞, which is never nearest.
struct Blocks {
    data: Vec<[f64; LANES]>,
    m: usize,
}

impl Blocks {
    fn new(points: Points<'_>) -> Self {
        let m = points.objectives();
        let mut data = vec![[f64::INFINITY; LANES]; points.len().div_ceil(LANES) * m];
        for (i, p) in points.rows().enumerate() {
            for (k, v) in p.iter().enumerate() {
                data[i / LANES * m + k][i % LANES] = *v;
            }
        }
        Self { data, m }
    }

    /// The least, over the points, of `start` folded with all coordinates. A
    /// distance that is not a number (∞ − ∞) is not the least. Any value of at
    /// most `enough` may be returned for the least.
    fn least(
        &self,
        start: f64,
        r: &[f64],
        enough: f64,
        fold: impl Fn(f64, f64, f64) -> f64,
    ) -> f64 {
        let mut least = [f64::INFINITY; LANES];
        for block in self.data.chunks_exact(self.m) {
            let mut sum = [start; LANES];
            for (column, r) in block.iter().zip(r) {
                for lane in 0..LANES {
                    sum[lane] = fold(sum[lane], column[lane], *r);
                }
            }
            for lane in 0..LANES {
                least[lane] = if sum[lane] < least[lane] {
                    sum[lane]
                } else {
                    least[lane]
                };
            }
            if least.iter().fold(false, |any, &l| any | (l <= enough)) {
                break;
            }
        }
        least.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(data: &[f64]) -> Points<'_> {
        Points::new(data, 2).unwrap()
    }

    #[test]
    fn a_set_has_no_distance_from_itself() {
        let data: Vec<f64> = (0..26).map(|i| f64::from(i * i % 11)).collect();
        let p = points(&data);
        for distance in [igd(p, p), igd_plus(p, p), additive_epsilon(p, p)] {
            assert!(distance.abs() < 1e-300);
        }
    }

    #[test]
    fn distances_by_hand() {
        let reference = [0.0, 0.0, 4.0, 0.0];
        let found = [3.0, 4.0, 1.0, -1.0];
        let (found, reference) = (points(&found), points(&reference));
        // Nearest: (1, −1) in both cases, at √2 and √10.
        assert!((igd(found, reference) - (2f64.sqrt() + 10f64.sqrt()) / 2.0).abs() < 1e-15);
        assert!((igd_plus(found, reference) - 0.5).abs() < 1e-15);
        assert!((additive_epsilon(found, reference) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_set_that_dominates_the_reference_has_negative_epsilon() {
        let eps = additive_epsilon(points(&[-1.0, -2.0]), points(&[0.0, 0.0, 1.0, 1.0]));
        assert!((eps + 1.0).abs() < 1e-15);
    }

    #[test]
    fn no_points_are_infinitely_far() {
        let none = points(&[]);
        let reference = points(&[0.0, 0.0]);
        for distance in [
            igd(none, reference),
            igd_plus(none, reference),
            additive_epsilon(none, reference),
        ] {
            assert!(distance.is_infinite() && distance > 0.0);
        }
    }
}
