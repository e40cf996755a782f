//! What came of a trial.

use std::fmt;

use crate::{Candidate, Costs, ObservationFault, StrategyError};

/// The number of a trial, unique within a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub u64);

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an evaluation gave: costs, or a failure, which is data like any other.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The evaluation ended; single costs may be missing.
    Complete(Costs),
    /// The evaluation crashed, timed out or was refused.
    Failed {
        /// Why, for people to read.
        reason: Box<str>,
    },
}

impl Outcome {
    /// A failure with its reason.
    pub fn failed(reason: impl Into<Box<str>>) -> Self {
        Self::Failed {
            reason: reason.into(),
        }
    }

    /// The costs, unless the evaluation failed.
    #[must_use]
    pub fn costs(&self) -> Option<&Costs> {
        match self {
            Self::Complete(costs) => Some(costs),
            Self::Failed { .. } => None,
        }
    }
}

/// One evaluated candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The trial it belongs to.
    pub trial: TrialId,
    /// What was evaluated.
    pub candidate: Candidate,
    /// What came of it.
    pub outcome: Outcome,
}

impl Observation {
    /// Checks that the point has `dim` coordinates and that costs, if any, are `objectives` many.
    ///
    /// # Errors
    /// [`StrategyError::InvalidObservation`] naming the trial and both numbers.
    pub fn check(&self, dim: usize, objectives: usize) -> Result<(), StrategyError> {
        let invalid = |fault| {
            Err(StrategyError::InvalidObservation {
                trial: self.trial,
                fault,
            })
        };
        let found = self.candidate.point.dim();
        if found != dim {
            return invalid(ObservationFault::Dimension {
                expected: dim,
                found,
            });
        }
        match self.outcome.costs() {
            Some(costs) if costs.len() != objectives => invalid(ObservationFault::Objectives {
                expected: objectives,
                found: costs.len(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnitPoint;

    #[test]
    fn check_finds_wrong_shapes_and_accepts_failures() {
        let point = UnitPoint::new([0.5, 0.5]).expect("inside");
        let with = |outcome| Observation {
            trial: TrialId(3),
            candidate: Candidate::at(point.clone()),
            outcome,
        };
        let costs = Costs::from_values(vec![1.0, 2.0]).expect("finite");
        assert!(with(Outcome::Complete(costs.clone())).check(2, 2).is_ok());
        assert!(with(Outcome::failed("out of memory")).check(2, 2).is_ok());
        let message = |r: Result<(), StrategyError>| {
            let error = r.expect_err("invalid");
            std::error::Error::source(&error)
                .expect("has a cause")
                .to_string()
        };
        assert_eq!(
            message(with(Outcome::Complete(costs.clone())).check(2, 3)),
            "the outcome has 2 costs, expected 3"
        );
        assert_eq!(
            message(with(Outcome::Complete(costs)).check(4, 2)),
            "the point has 2 coordinates, expected 4"
        );
    }
}
