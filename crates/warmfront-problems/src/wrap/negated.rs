use warmfront_core::{Direction, Objective, Objectives};

use super::forward;
use crate::Problem;

/// The same problem stated the other way round: each objective is replaced by its negative, and
/// minimised becomes maximised.
///
/// Costs stay the same, so a strategy must behave the same; what changes is what
/// [`Objectives::to_raw`] shows a user.
#[derive(Debug, Clone)]
pub struct Negated<P> {
    inner: P,
    objectives: Objectives,
}

impl<P: Problem> Negated<P> {
    /// Turns all objectives round.
    #[must_use]
    pub fn new(inner: P) -> Self {
        let flipped = |objective: &Objective| Objective {
            name: objective.name.clone(),
            direction: match objective.direction {
                Direction::Minimize => Direction::Maximize,
                Direction::Maximize => Direction::Minimize,
            },
        };
        let objectives = Objectives::new(inner.objectives().iter().map(flipped))
            .expect("the names are those of valid objectives");
        Self { inner, objectives }
    }
}

impl<P: Problem> Problem for Negated<P> {
    forward!(name, space, evaluate, noise_free, cost, known);

    fn objectives(&self) -> &Objectives {
        &self.objectives
    }
}
