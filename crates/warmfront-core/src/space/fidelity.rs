//! Budgets in the user's unit.

use crate::{Fidelity, Scale, SpaceError, Value};

/// The budgets an evaluation can get, in the user's unit (epochs, rows, …).
///
/// A [`Fidelity`] is the fraction of the largest budget. The [scale](Self::with_scale) says which
/// budgets are alike; it is logarithmic unless said otherwise.
///
/// ```
/// use warmfront_core::{Fidelity, FidelityRange};
///
/// let epochs = FidelityRange::integer("epoch", 1, 52)?;
/// assert_eq!(epochs.budget(Fidelity::new(0.25)?), 13.0);
/// assert_eq!(epochs.fidelity(26.0)?.value(), 0.5);
/// assert_eq!(epochs.coordinate(Fidelity::FULL), 1.0);
/// assert_eq!(epochs.budget(epochs.at(0.5)), 7.0);
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FidelityRange {
    name: Box<str>,
    low: f64,
    high: f64,
    whole: bool,
    scale: Scale,
}

impl FidelityRange {
    /// A range of real budgets.
    ///
    /// # Errors
    /// If not `0 < low < high < ∞`.
    pub fn real(name: impl Into<Box<str>>, low: f64, high: f64) -> Result<Self, SpaceError> {
        let name = name.into();
        if !(low < high && low.is_finite() && high.is_finite()) {
            return Err(SpaceError::EmptyRange {
                name: name.into(),
                low,
                high,
            });
        }
        if low <= 0.0 {
            return Err(SpaceError::NonPositiveBudget {
                name: name.into(),
                low,
            });
        }
        Ok(Self {
            name,
            low,
            high,
            whole: false,
            scale: Scale::Log,
        })
    }

    /// A range of whole budgets.
    ///
    /// # Errors
    /// If not `0 < low < high`.
    pub fn integer(name: impl Into<Box<str>>, low: u32, high: u32) -> Result<Self, SpaceError> {
        Ok(Self {
            whole: true,
            ..Self::real(name, low.into(), high.into())?
        })
    }

    /// The same range on another scale.
    #[must_use]
    pub fn with_scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// Which budgets are alike: those of equal ratios or of equal differences.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// What the budget is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The smallest budget.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The largest budget, which is fidelity 1.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Whether budgets are whole numbers.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.whole
    }

    /// The smallest fidelity.
    #[must_use]
    pub fn lowest(&self) -> Fidelity {
        self.fraction(self.low)
    }

    /// The budget of a fidelity: rounded if whole, at least [`low`](Self::low).
    #[must_use]
    pub fn budget(&self, fidelity: Fidelity) -> f64 {
        let budget = fidelity.value() * self.high;
        let budget = if self.whole { budget.round() } else { budget };
        budget.clamp(self.low, self.high)
    }

    /// The fidelity of a budget.
    ///
    /// # Errors
    /// If the budget is outside the range, or a fraction where budgets are whole.
    pub fn fidelity(&self, budget: f64) -> Result<Fidelity, SpaceError> {
        let name = || self.name.to_string();
        if !(self.low..=self.high).contains(&budget) {
            return Err(SpaceError::OutOfRange {
                name: name(),
                value: budget.into(),
                low: Value::Real(self.low),
                high: Value::Real(self.high),
            });
        }
        if self.whole && budget.fract() > 0.0 {
            let expected = "a whole number";
            return Err(SpaceError::WrongKind {
                name: name(),
                expected,
                value: budget.into(),
            });
        }
        Ok(self.fraction(budget))
    }

    /// Where a fidelity's budget lies on the scale: 0 at the smallest, 1 at the full budget.
    #[must_use]
    pub fn coordinate(&self, fidelity: Fidelity) -> f64 {
        let budget = self.budget(fidelity);
        let (low, high, at) = match self.scale {
            Scale::Linear => (self.low, self.high, budget),
            Scale::Log => (self.low.ln(), self.high.ln(), budget.ln()),
        };
        if budget >= self.high {
            1.0
        } else if high > low {
            ((at - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            // Bounds that are neighbours may share a logarithm.
            0.0
        }
    }

    /// The fidelity at a coordinate of the scale, which is clamped to `[0, 1]`: the smallest budget
    /// at 0, the full one at 1, rounded in between if whole.
    #[must_use]
    pub fn at(&self, coordinate: f64) -> Fidelity {
        if coordinate >= 1.0 {
            return Fidelity::FULL;
        }
        // Not `clamp`, which would keep NaN.
        let coordinate = coordinate.max(0.0);
        let budget = match self.scale {
            Scale::Linear => self.low + coordinate * (self.high - self.low),
            Scale::Log => {
                let (low, high) = (self.low.ln(), self.high.ln());
                (low + coordinate * (high - low)).exp()
            }
        };
        let budget = if self.whole { budget.round() } else { budget };
        self.fraction(budget.clamp(self.low, self.high))
    }

    fn fraction(&self, budget: f64) -> Fidelity {
        // The least positive number guards against underflow of extreme ranges.
        let fraction = (budget / self.high).max(f64::MIN_POSITIVE);
        Fidelity::new(fraction).expect("0 < budget <= high")
    }
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::assert_close;

    use super::*;

    #[test]
    fn whole_budgets_round_trip() {
        let epochs = FidelityRange::integer("epoch", 1, 52).expect("valid");
        for budget in 1..=52 {
            let budget = f64::from(budget);
            let fidelity = epochs.fidelity(budget).expect("in range");
            assert_eq!(epochs.budget(fidelity).to_bits(), budget.to_bits());
        }
        assert!(epochs.fidelity(0.0).is_err());
        let above = epochs.fidelity(53.0).expect_err("above the largest");
        assert_eq!(above.to_string(), "`epoch` is 53, outside [1, 52]");
        assert!(epochs.fidelity(1.5).is_err());
        assert!(epochs.fidelity(f64::NAN).is_err());
        assert_eq!(
            epochs.budget(Fidelity::new(1e-9).expect("valid")).to_bits(),
            1.0_f64.to_bits()
        );
    }

    #[test]
    fn ranges_are_checked() {
        let check = |low, high, message: &str| {
            let error = FidelityRange::real("rows", low, high).expect_err("invalid");
            assert_eq!(error.to_string(), message);
        };
        check(0.0, 1.0, "the fidelity `rows` needs budgets above 0, got 0");
        check(
            2.0,
            1.0,
            "`rows` needs finite bounds with low < high, got [2, 1]",
        );
        check(
            1.0,
            f64::INFINITY,
            "`rows` needs finite bounds with low < high, got [1, inf]",
        );
        assert!(
            FidelityRange::real("rows", 1e-300, 1e300)
                .expect("valid")
                .lowest()
                .value()
                > 0.0
        );
    }

    #[test]
    fn scales_go_from_the_smallest_to_the_full_budget() {
        let check = |range: &FidelityRange, coordinate: f64, budget: f64| {
            let what = format!("{range:?} at {coordinate}");
            let fidelity = range.at(coordinate);
            assert_close(range.budget(fidelity), budget, 1e-12, 0.0, &what);
            let back = range.coordinate(fidelity);
            assert_close(back, coordinate.clamp(0.0, 1.0), 0.0, 1e-12, &what);
        };
        let log = FidelityRange::real("rows", 1.0, 81.0).expect("valid");
        assert_eq!(log.scale(), Scale::Log);
        for (coordinate, budget) in [
            (-1.0, 1.0),
            (0.0, 1.0),
            (0.25, 3.0),
            (0.5, 9.0),
            (2.0, 81.0),
        ] {
            check(&log, coordinate, budget);
        }
        let linear = log.clone().with_scale(Scale::Linear);
        for (coordinate, budget) in [(0.0, 1.0), (0.25, 21.0), (0.5, 41.0), (1.0, 81.0)] {
            check(&linear, coordinate, budget);
        }
        assert_eq!(log.at(1.0), Fidelity::FULL);
        assert_eq!(log.at(f64::NAN), log.lowest());
        // A fidelity below the smallest budget gets the smallest.
        let least = Fidelity::new(1e-6).expect("valid");
        assert_close(log.coordinate(least), 0.0, 0.0, 0.0, "below");
    }

    #[test]
    fn whole_budgets_round_trip_over_the_scale() {
        for scale in [Scale::Log, Scale::Linear] {
            let epochs = FidelityRange::integer("epoch", 1, 52)
                .expect("valid")
                .with_scale(scale);
            let mut last = -1.0;
            for budget in 1..=52 {
                let fidelity = epochs.fidelity(f64::from(budget)).expect("in range");
                let coordinate = epochs.coordinate(fidelity);
                assert!(coordinate > last);
                assert_eq!(epochs.at(coordinate), fidelity);
                last = coordinate;
            }
            assert_eq!(last.to_bits(), 1.0_f64.to_bits());
            // Nothing between whole budgets is reachable.
            let between = epochs.budget(epochs.at(0.123));
            assert_eq!(between.to_bits(), between.round().to_bits());
        }
    }

    #[test]
    fn neighbouring_bounds_do_not_divide_by_zero() {
        let low = 1e300_f64;
        let range = FidelityRange::real("rows", low, low.next_up()).expect("valid");
        assert_close(range.coordinate(range.lowest()), 0.0, 0.0, 0.0, "low");
        assert_close(range.coordinate(Fidelity::FULL), 1.0, 0.0, 0.0, "full");
        assert!(range.at(0.5).value() > 0.0);
    }
}
