//! Exact hypervolume.

mod exclusive;
mod four;
mod gains;
mod masked;
mod orders;
mod terrace;
mod three;
mod two;
mod wfg;

pub(crate) use gains::{Gains, box_volume};
pub(crate) use masked::Masked;
pub(crate) use three::Stairs;
pub(crate) use wfg::Wfg;

use crate::Points;

/// Volume of the region that `points` dominate below `reference`.
///
/// The region is the set of vectors `y < r` with `p ≤ y` for some point `p`.
/// Points that are not below the reference in every objective contribute
/// nothing. The result is exact up to rounding. It is `∞` if the region is
/// unbounded or its volume overflows, and NaN if a coordinate of the reference
/// is NaN.
///
/// Time: O(n log n) for two objectives; for three the same but for moves within
/// a short sorted array; O(n²) for four. Beyond, it is exponential in the
/// number of objectives in the worst case.
///
/// Allocates its working memory; use a [`HypervolumeWorkspace`] for many calls.
///
/// # Panics
///
/// If the reference has another number of objectives than the points.
///
/// # References
///
/// N. Beume, C. M. Fonseca, M. López-Ibáñez, L. Paquete, J. Vahrenhold (2009),
/// IEEE TEVC 13 (three objectives). A. P. Guerreiro, C. M. Fonseca (2018),
/// *Computing and updating hypervolume contributions in up to four dimensions*,
/// IEEE TEVC 22 (four: a sum of three-dimensional contributions). L. While, L.
/// Bradstreet, L. Barone (2012), *A fast way of calculating exact hypervolumes*,
/// IEEE TEVC 16 (more: limited sets).
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{Points, hypervolume};
///
/// let front = Points::new(&[1.0, 2.0, 2.0, 1.0], 2)?;
/// assert_eq!(hypervolume(front, &[3.0, 3.0]), 3.0);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
#[track_caller]
pub fn hypervolume(points: Points<'_>, reference: &[f64]) -> f64 {
    HypervolumeWorkspace::new().hypervolume(points, reference)
}

/// Working memory for [`hypervolume`], reused between calls.
#[derive(Debug, Clone, Default)]
pub struct HypervolumeWorkspace {
    two: two::Sweep,
    three: three::Sweep,
    gains: Gains,
    four: four::Four,
    masked: Masked,
    wfg: Wfg,
}

impl HypervolumeWorkspace {
    /// An empty workspace; memory is taken when first needed and then kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Same as [`hypervolume`].
    ///
    /// # Panics
    ///
    /// If the reference has another number of objectives than the points.
    #[track_caller]
    pub fn hypervolume(&mut self, points: Points<'_>, reference: &[f64]) -> f64 {
        points.assert_objectives(reference.len(), "the reference point");
        if reference.iter().any(|r| r.is_nan()) {
            return f64::NAN;
        }
        let m = reference.len();
        match reference {
            [r] => points
                .as_slice()
                .iter()
                .fold(0.0, |v, p| f64::max(v, r - p)),
            &[r0, r1] => self.two.volume(points, [r0, r1]),
            &[r0, r1, r2] => self.three.volume(points, [r0, r1, r2]),
            _ => {
                if !self.gains.load(points, reference) {
                    return f64::INFINITY;
                }
                self.gains.sort();
                let rows = self.gains.rows();
                let volume = self.masked.volume(rows, m).unwrap_or_else(|| {
                    if m == 4 {
                        self.four.volume(rows.as_chunks::<4>().0, 1)
                    } else {
                        self.wfg.volume(rows, m)
                    }
                });
                self.gains.unscale(volume)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxDecomposition;

    /// Volumes that are ordinary numbers, of boxes whose faces are not.
    #[test]
    fn units_far_apart_do_not_hide_the_volume() {
        let scales = [
            [1e200, 1e200, 1e-200],
            [1e-200, 1e-200, 1e300],
            [1e-160, 1e-160, 1e300],
            [1e-300, 1e300, 1e100],
        ];
        let front = [1.0, 2.0, 0.5, 2.0, 1.0, 0.5, 1.5, 1.5, 0.25, 0.5, 2.5, 2.0];
        let unit = hypervolume(Points::new(&front, 3).unwrap(), &[3.0; 3]);
        for scale in scales {
            let expected = scale[0] * scale[2] * scale[1] * unit;
            let data: Vec<f64> = front
                .chunks_exact(3)
                .flat_map(|p| p.iter().zip(scale).map(|(p, s)| p * s))
                .collect();
            let reference = scale.map(|s| 3.0 * s);
            let points = Points::new(&data, 3).unwrap();
            let boxes = BoxDecomposition::from_points(points, &reference).unwrap();
            let first = Points::new(&data[..3], 3).unwrap();
            let (others, own) = (Points::new(&data[3..], 3).unwrap(), &data[..3]);
            let without = BoxDecomposition::from_points(others, &reference).unwrap();
            let gain = hypervolume(points, &reference) - hypervolume(others, &reference);
            for (what, found, expected) in [
                ("sweep", hypervolume(points, &reference), expected),
                ("boxes", boxes.hypervolume(), expected),
                (
                    "one point",
                    hypervolume(first, &reference),
                    expected / unit * 5.0,
                ),
                (
                    "gain",
                    crate::hypervolume_improvement(others, own, &reference),
                    gain,
                ),
                ("gain of boxes", without.hypervolume_improvement(own), gain),
            ] {
                assert!(
                    (found / expected - 1.0).abs() < 1e-12,
                    "{what} {scale:?}: {found}, expected {expected}"
                );
            }
        }
    }
}
