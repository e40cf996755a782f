//! Points turned into distances below the reference.

use crate::Points;
use crate::order::Sorter;

/// The gains `r − p` of the points below the reference, each objective scaled
/// to about one.
///
/// In gains, larger is better, and the dominated region of a point is the box
/// between the origin and the point.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gains {
    rows: Vec<f64>,
    /// The point of each row.
    sources: Vec<usize>,
    /// Largest gain in each objective, before it was scaled.
    largest: Vec<f64>,
    order: Sorter<u32>,
    spare: Vec<f64>,
    spare_sources: Vec<usize>,
    exponent: i64,
}

impl Gains {
    /// Takes the points in; returns `false` if a gain is infinite.
    pub(crate) fn load(&mut self, points: Points<'_>, reference: &[f64]) -> bool {
        let m = reference.len();
        self.rows.clear();
        self.rows.reserve(points.as_slice().len());
        self.sources.clear();
        self.sources.reserve(points.len());
        self.largest.clear();
        self.largest.resize(m, 0.0);
        for (i, p) in points.rows().enumerate() {
            if p.iter().zip(reference).all(|(p, r)| p < r) {
                self.sources.push(i);
                for ((r, p), largest) in reference.iter().zip(p).zip(&mut self.largest) {
                    let gain = r - p;
                    self.rows.push(gain);
                    *largest = if gain > *largest { gain } else { *largest };
                }
            }
        }
        let exponent = scale_to_one(&mut self.rows, &self.largest);
        self.exponent = exponent.unwrap_or(0);
        exponent.is_some()
    }

    /// The scaled gains, row-major.
    pub(crate) fn rows(&self) -> &[f64] {
        &self.rows
    }

    /// The point from which the `i`-th row comes.
    pub(crate) fn source(&self, i: usize) -> usize {
        self.sources[i]
    }

    /// Puts the rows into decreasing order of the last objective.
    pub(crate) fn sort(&mut self) {
        let m = self.largest.len();
        let keys = self.rows.iter().skip(m - 1).step_by(m).map(|gain| -gain);
        let order = self.order.sort(keys.zip(0..), Ord::cmp);
        self.spare.clear();
        self.spare.extend_from_slice(&self.rows);
        self.spare_sources.clear();
        for ((_, from), to) in order.iter().zip(self.rows.chunks_exact_mut(m)) {
            let from = *from as usize;
            self.spare_sources.push(self.sources[from]);
            for (to, from) in to.iter_mut().zip(&self.spare[from * m..(from + 1) * m]) {
                *to = *from;
            }
        }
        std::mem::swap(&mut self.sources, &mut self.spare_sources);
    }

    /// A volume of scaled gains in the units of the points.
    pub(crate) fn unscale(&self, volume: f64) -> f64 {
        times_power_of_two(volume, self.exponent)
    }
}

/// The exponent of a positive number, to divide by where it is not about one
/// already; `None` if the number is infinite.
fn exponent(largest: f64) -> Option<i32> {
    if largest.is_infinite() {
        return None;
    }
    // The biased exponent field of a positive number.
    let exponent = (largest.to_bits() >> 52) as i32 - 1023;
    Some(if exponent.abs() > 1 { exponent } else { 0 })
}

/// Divides each column by a power of two so that its `largest` entry is about
/// one, for differences of volumes must not overflow. Returns the sum of the
/// exponents, or `None` if an entry is infinite.
pub(crate) fn scale_to_one(rows: &mut [f64], largest: &[f64]) -> Option<i64> {
    let mut sum = 0;
    let m = largest.len();
    for (k, largest) in largest.iter().enumerate() {
        let exponent = exponent(*largest)?;
        if exponent != 0 {
            let factor = 2f64.powi(-exponent);
            for entry in rows.iter_mut().skip(k).step_by(m) {
                *entry *= factor;
            }
            sum += i64::from(exponent);
        }
    }
    Some(sum)
}

/// The product of the sides of a box, where only the whole may leave the range
/// of numbers and not the product of some: zero unless all are positive.
pub(crate) fn box_volume(sides: impl Iterator<Item = f64>) -> f64 {
    let (mut volume, mut exponent) = (1.0, 0);
    let mut infinite = false;
    for mut side in sides {
        if side > 0.0 {
            infinite |= side.is_infinite();
            for factor in [&mut side, &mut volume] {
                let largest = [*factor];
                exponent += scale_to_one(std::slice::from_mut(factor), &largest).unwrap_or(0);
            }
            volume *= side;
        } else {
            return 0.0;
        }
    }
    if infinite {
        return f64::INFINITY;
    }
    times_power_of_two(volume, exponent)
}

/// `value · 2^exponent`.
pub(crate) fn times_power_of_two(mut value: f64, mut exponent: i64) -> f64 {
    while exponent != 0 && value > 0.0 && value.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        value *= 2f64.powi(step as i32);
        exponent -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_as_large_as_it_is_whatever_the_order_of_its_sides() {
        for (sides, volume) in [
            ([1e200, 1e200, 1e-200], 1e200),
            ([1e-200, 1e-200, 1e300], 1e-100),
            ([5e-324, 1e300, 1e20], 5e-324 * 1e300 * 1e20),
            ([3.0, 5.0, 7.0], 105.0),
            ([1e200, 1e200, 1e200], f64::INFINITY),
            ([1e-200, 1e-200, 1e-200], 0.0),
            ([f64::INFINITY, 1e-300, 1e-300], f64::INFINITY),
            ([f64::INFINITY, 0.0, 1.0], 0.0),
            ([2.0, -1.0, -1.0], 0.0),
        ] {
            for turn in 0..3 {
                let mut sides = sides;
                sides.rotate_left(turn);
                let found = box_volume(sides.into_iter());
                let error = if volume.is_infinite() || volume <= 0.0 {
                    f64::from(found.to_bits() != volume.to_bits())
                } else {
                    (found / volume - 1.0).abs()
                };
                assert!(error < 1e-14, "{sides:?}: {found}, expected {volume}");
            }
        }
    }
}
