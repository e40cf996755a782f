//! What a strategy proposes.

use crate::{SpaceError, UnitPoint};

/// The fraction of the full budget an evaluation gets, in `(0, 1]`.
///
/// What the budget means (epochs, training-set size, …) is known to the search space's
/// [`FidelityRange`](crate::FidelityRange).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fidelity(f64);

impl Fidelity {
    /// The full budget.
    pub const FULL: Self = Self(1.0);

    /// Makes a fidelity from a fraction of the full budget.
    ///
    /// # Errors
    /// If `value` is not in `(0, 1]`.
    pub fn new(value: f64) -> Result<Self, SpaceError> {
        if value > 0.0 && value <= 1.0 {
            Ok(Self(value))
        } else {
            Err(SpaceError::Fidelity { value })
        }
    }

    /// The fraction, in `(0, 1]`.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

impl Default for Fidelity {
    fn default() -> Self {
        Self::FULL
    }
}

/// A point to evaluate, with the fidelity and the task to evaluate it at.
///
/// ```
/// use warmfront_core::{Candidate, Fidelity, UnitPoint};
///
/// let point = UnitPoint::new([0.5, 0.25])?;
/// let cheap = Candidate::at(point).with_fidelity(Fidelity::new(0.1)?);
/// assert_eq!(cheap.point.coords(), [0.5, 0.25]);
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Where to evaluate, in the encoded search space.
    pub point: UnitPoint,
    /// How much of the full budget to spend; `None` is the full budget.
    pub fidelity: Option<Fidelity>,
    /// Which task to evaluate, for strategies that search over tasks too.
    pub task: Option<UnitPoint>,
}

impl Candidate {
    /// A full-fidelity candidate of the only task.
    #[must_use]
    pub fn at(point: UnitPoint) -> Self {
        Self {
            point,
            fidelity: None,
            task: None,
        }
    }

    /// The same candidate at another fidelity.
    #[must_use]
    pub fn with_fidelity(self, fidelity: Fidelity) -> Self {
        Self {
            fidelity: Some(fidelity),
            ..self
        }
    }

    /// The same candidate for another task.
    #[must_use]
    pub fn with_task(self, task: UnitPoint) -> Self {
        Self {
            task: Some(task),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fidelities_lie_above_zero_and_up_to_one() {
        let check =
            |value: f64, valid: bool| assert_eq!(Fidelity::new(value).is_ok(), valid, "{value}");
        check(0.0, false);
        check(-0.1, false);
        check(f64::MIN_POSITIVE, true);
        check(1.0, true);
        check(1.0 + f64::EPSILON, false);
        check(f64::NAN, false);
        check(f64::INFINITY, false);
    }
}
