//! Shift and scale of outcomes.

/// The affine map between outcomes and standardised outcomes `(y − shift)/scale`.
///
/// Nothing overflows for finite outcomes of any size: moments are taken of outcomes divided
/// by the largest of them. Constant outcomes, and a single one, get scale 1. Outcomes that were
/// not among those that set the scale are clamped to ±1e140 scales.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standardization {
    shift: f64,
    scale: f64,
}

/// Variances in data units are capped here: the square of a scale of 1e300 is not representable.
const LARGEST_VARIANCE: f64 = 1e300;

/// Standardised outcomes are clamped to this, so that their products stay finite: an outcome far
/// from those that set the scale may be any number of scales away.
const LARGEST_STANDARDIZED: f64 = 1e140;

impl Standardization {
    /// Leaves outcomes as they are.
    pub const IDENTITY: Self = Self {
        shift: 0.0,
        scale: 1.0,
    };

    /// A map with the given shift and scale.
    ///
    /// # Panics
    /// If the shift is not finite or the scale not finite and positive.
    #[track_caller]
    pub fn new(shift: f64, scale: f64) -> Self {
        assert!(
            shift.is_finite() && scale.is_finite() && scale > 0.0,
            "expected a finite shift and a positive scale, got {shift} and {scale}"
        );
        Self { shift, scale }
    }

    /// Mean and sample standard deviation (divisor `n − 1`) of finite outcomes.
    pub fn of(y: &[f64]) -> Self {
        let largest = y.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
        if y.is_empty() || largest <= 0.0 {
            return Self::IDENTITY;
        }
        let n = y.len() as f64;
        let origin = y[0] / largest;
        let mean = origin + y.iter().map(|v| (v / largest - origin) / n).sum::<f64>();
        let shift = mean * largest;
        if y.len() < 2 {
            return Self { shift, scale: 1.0 };
        }
        let sum: f64 = y.iter().map(|v| (v / largest - mean).powi(2)).sum();
        let deviation = (sum / (n - 1.0)).sqrt();
        let scale = deviation * largest;
        // Differences at the level of rounding carry no information. Those of huge outcomes are
        // still no small numbers.
        if deviation <= 4.0 * f64::EPSILON || scale <= f64::MIN_POSITIVE {
            return Self {
                shift,
                scale: scale.max(1.0),
            };
        }
        Self { shift, scale }
    }

    /// What is subtracted.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// What the difference is divided by.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Outcome to standardised outcome, within ±1e140.
    pub fn apply(&self, y: f64) -> f64 {
        // Dividing first avoids the overflow of a difference of huge numbers.
        let z = if self.scale > 1.0 {
            y / self.scale - self.shift / self.scale
        } else {
            (y - self.shift) / self.scale
        };
        z.clamp(-LARGEST_STANDARDIZED, LARGEST_STANDARDIZED)
    }

    /// Standardised mean to mean in data units, kept finite.
    pub fn restore(&self, z: f64) -> f64 {
        (self.scale * z + self.shift).clamp(-f64::MAX, f64::MAX)
    }

    /// What a standardised variance is multiplied with, kept finite and positive.
    pub fn variance_factor(&self) -> f64 {
        (self.scale * self.scale).clamp(f64::MIN_POSITIVE, LARGEST_VARIANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_outcomes_get_mean_zero_and_variance_one() {
        let y = [1.0, 2.0, 4.0, 9.0];
        let s = Standardization::of(&y);
        assert!((s.shift() - 4.0).abs() < 1e-14);
        assert!((s.scale().powi(2) - 38.0 / 3.0).abs() < 1e-12);
        let back = s.restore(s.apply(7.5));
        assert!((back - 7.5).abs() < 1e-13);
        assert!((s.variance_factor() - s.scale().powi(2)).abs() < 1e-12);
    }

    #[test]
    fn degenerate_and_extreme_outcomes_stay_finite() {
        let cases: [&[f64]; 11] = [
            &[],
            &[3.0],
            &[0.0, 0.0],
            &[1e300, 1e300, 1e300],
            &[1e308, -1e308, 1.7e308],
            &[1e-300, 2e-300, -1e-300],
            &[5e-324, 0.0],
            &[0.0, 1.0, 1e9],
            &[0.1 + 0.2, 0.3],
            &[1e300, 1e300 * (1.0 + f64::EPSILON)],
            &[-1e17, -1e17, -1e17 * (1.0 + f64::EPSILON)],
        ];
        for y in cases {
            let s = Standardization::of(y);
            assert!(
                s.scale() > 0.0 && s.scale().is_finite() && s.shift().is_finite(),
                "{y:?}"
            );
            assert!(s.variance_factor() > 0.0 && s.variance_factor().is_finite());
            for &v in y {
                let z = s.apply(v);
                assert!(z.abs() <= 10.0, "{y:?} gives {z}");
                assert!(s.restore(z).is_finite());
                assert!(s.restore(1e3 * z).is_finite());
            }
        }
    }

    #[test]
    fn outcomes_far_from_the_first_ones_stay_representable() {
        let cases: [&[f64]; 4] = [&[1e-300, 2e-300, -1e-300], &[3.0], &[1e308], &[1.0, 2.0]];
        for y in cases {
            let s = Standardization::of(y);
            for later in [1e10, -1e10, f64::MAX, -f64::MAX] {
                let z = s.apply(later);
                assert!(z.abs() <= 1e140, "{y:?}, then {later}: {z}");
                assert!((z * z).is_finite() && s.restore(z).is_finite());
            }
        }
    }
}
