//! Points turned into distances below the reference.

use crate::Points;

/// The gains `r − p` of the points below the reference, in decreasing order of
/// the last objective, each objective scaled to about one.
///
/// In gains, larger is better, and the dominated region of a point is the box
/// between the origin and the point.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gains {
    unsorted: Vec<f64>,
    /// Last gain, place in `unsorted`, row of the point.
    order: Vec<(f64, usize, usize)>,
    sorted: Vec<f64>,
    exponent: i64,
}

impl Gains {
    /// Takes the points in; returns `false` if a gain is infinite.
    pub(crate) fn load(&mut self, points: Points<'_>, reference: &[f64]) -> bool {
        let m = reference.len();
        self.unsorted.clear();
        self.order.clear();
        self.sorted.clear();
        for (i, p) in points.rows().enumerate() {
            if p.iter().zip(reference).all(|(p, r)| p < r) {
                let key = reference[m - 1] - p[m - 1];
                self.order.push((key, self.unsorted.len(), i));
                self.unsorted
                    .extend(reference.iter().zip(p).map(|(r, p)| r - p));
            }
        }
        let Some(exponent) = scale_to_one(&mut self.unsorted, m) else {
            return false;
        };
        self.exponent = exponent;
        self.order
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for &(_, at, _) in &self.order {
            self.sorted.extend_from_slice(&self.unsorted[at..at + m]);
        }
        true
    }

    /// The scaled gains, row-major.
    pub(crate) fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// Row of the point from which the `i`-th sorted gains come.
    pub(crate) fn row_of(&self, i: usize) -> usize {
        self.order[i].2
    }

    /// A volume of scaled gains in the units of the points.
    pub(crate) fn unscale(&self, volume: f64) -> f64 {
        times_power_of_two(volume, self.exponent)
    }
}

/// Divides each column by a power of two so that its largest entry is about
/// one, for differences of volumes must not overflow. Returns the sum of the
/// exponents, or `None` if an entry is infinite.
pub(crate) fn scale_to_one(rows: &mut [f64], m: usize) -> Option<i64> {
    let mut sum = 0;
    for k in 0..m {
        let largest = rows.iter().skip(k).step_by(m).copied().fold(0.0, f64::max);
        if largest.is_infinite() {
            return None;
        }
        // The biased exponent field of a positive number.
        let exponent = (largest.to_bits() >> 52) as i32 - 1023;
        if exponent.abs() > 1 {
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
            exponent += scale_to_one(std::slice::from_mut(&mut side), 1).unwrap_or(0);
            exponent += scale_to_one(std::slice::from_mut(&mut volume), 1).unwrap_or(0);
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
