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
/// Time: O(n log n) for two objectives, and close to O(n) for most data; for
/// three the same but for moves within a short sorted array; O(n²) for four.
/// Beyond, it is exponential in the number of objectives in the worst case.
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
/// IEEE TEVC 16 (more: limited sets; here they are sets of bits, for four to
/// eight objectives).
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
    /// Large, and not needed for two or three objectives.
    masked: Option<Box<Masked>>,
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
                let volume = self
                    .masked
                    .get_or_insert_default()
                    .volume(rows, m)
                    .unwrap_or_else(|| {
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
pub(crate) mod tests {
    use super::*;
    use crate::BoxDecomposition;

    /// `n` points of `m` costs in the unit cube: mutually non-dominated where
    /// `flat`, and on a grid of so many `levels` unless these are zero.
    pub(crate) fn front(m: usize, n: usize, levels: u32, flat: bool) -> Vec<f64> {
        // A small linear congruential generator: the tests need spread, not quality.
        let mut state = (m * 1000 + n) as u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut data: Vec<f64> = (0..n * m).map(|_| uniform()).collect();
        if flat {
            for row in data.chunks_exact_mut(m) {
                row.iter_mut().for_each(|v| *v = -(1.0 - *v).ln());
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|v| *v /= sum);
            }
        }
        if levels > 0 {
            let levels = f64::from(levels);
            data.iter_mut()
                .for_each(|v| *v = (*v * levels).floor() / levels);
        }
        data
    }

    /// The bit sets against recursions that share nothing with them.
    #[test]
    fn sets_of_bits_give_the_volume_of_the_plain_recursions() {
        let cells = [
            (4, [1, 2, 40, 64, 65, 200, 300, 700]),
            (5, [1, 3, 30, 64, 70, 129, 150, 260]),
            (6, [1, 4, 20, 40, 64, 65, 70, 80]),
            (7, [1, 5, 10, 20, 30, 40, 50, 66]),
            (8, [1, 2, 3, 4, 5, 6, 20, 30]),
        ];
        for (m, sizes) in cells {
            for n in sizes {
                for (levels, flat) in [(0, true), (0, false), (6, true), (4, false)] {
                    let data = front(m, n, levels, flat);
                    let mut gains = Gains::default();
                    assert!(gains.load(Points::new(&data, m).unwrap(), &vec![1.1; m]));
                    gains.sort();
                    let rows = gains.rows();
                    let what = format!("{n} points, {m} objectives, {levels} levels");
                    let expected = if m == 4 {
                        four::Four::default().volume(rows.as_chunks::<4>().0, 1)
                    } else {
                        Wfg::default().volume(rows, m)
                    };
                    let found = Masked::default().volume(rows, m).unwrap();
                    assert!(
                        (found / expected - 1.0).abs() < 1e-13,
                        "{what}: {found}, not {expected}"
                    );
                    if m < 5 || m == 5 && n <= 256 || m < 8 && n < 50 {
                        let alone = Masked::default().contributions(rows, m).unwrap();
                        Wfg::default().contributions(rows, m, |i, expected| {
                            assert!(
                                (alone[i] - expected).abs() < 1e-13,
                                "{what}: {}, not {expected}",
                                alone[i]
                            );
                        });
                    }
                }
            }
        }
    }

    /// More points inside one box than a terrace has room for.
    #[test]
    fn a_point_above_many_gains_the_rest_of_its_box() {
        for n in [60, 61, 62, 63, 64, 100, 200] {
            let mut rows: Vec<f64> = Vec::new();
            for (i, p) in front(3, n, 0, true).chunks_exact(3).enumerate() {
                rows.extend(p.iter().map(|v| 1.0 - v));
                rows.push(2.0 - i as f64 / n as f64);
            }
            rows.extend([1.5, 1.25, 2.0, 0.5]);
            let expected = four::Four::default().volume(rows.as_chunks::<4>().0, 1);
            let found = Masked::default().volume(&rows, 4).unwrap();
            assert!(
                (found / expected - 1.0).abs() < 1e-13,
                "{found}, not {expected}"
            );
        }
    }

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
