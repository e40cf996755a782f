//! The beliefs about all objectives.

use crate::{Belief, SpaceError};

/// What an expert believes about each objective of a problem: one [`Belief`] or nothing.
///
/// ```
/// use warmfront_core::{Belief, Beliefs, SearchSpace};
///
/// let space = SearchSpace::unit_cube(2);
/// let error = Belief::uniform(&space, 0).with("x0", 0.25, 0.75)?;
/// let beliefs = Beliefs::new(2, vec![error])?;
/// assert!(beliefs.get(0).is_some());
/// assert!(beliefs.get(1).is_none());
/// assert!(Beliefs::none(2).is_empty());
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Beliefs(Vec<Option<Belief>>);

impl Beliefs {
    /// Nothing about any of `objectives` objectives.
    #[must_use]
    pub fn none(objectives: usize) -> Self {
        Self(vec![None; objectives])
    }

    /// Sorts beliefs by the objective they are about, of which there are `objectives`.
    ///
    /// # Errors
    /// If a belief is about an objective that does not exist or that an earlier belief is about, or
    /// about another space than the earlier ones.
    pub fn new(objectives: usize, beliefs: Vec<Belief>) -> Result<Self, SpaceError> {
        let mut slots = vec![None; objectives];
        for (index, belief) in beliefs.iter().enumerate() {
            let objective = belief.objective();
            if belief.space() != beliefs[0].space() {
                return Err(SpaceError::BeliefSpace { index });
            }
            match slots.get_mut(objective) {
                None => {
                    return Err(SpaceError::BeliefObjective {
                        objective,
                        objectives,
                    });
                }
                Some(Some(_)) => return Err(SpaceError::RepeatedBelief { objective }),
                Some(slot) => *slot = Some(belief.clone()),
            }
        }
        Ok(Self(slots))
    }

    /// Number of objectives, with and without a belief.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no belief about any objective.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The belief about an objective.
    #[must_use]
    pub fn get(&self, objective: usize) -> Option<&Belief> {
        self.0.get(objective)?.as_ref()
    }

    /// The beliefs there are, by objective.
    pub fn iter(&self) -> impl Iterator<Item = &Belief> {
        self.0.iter().flatten()
    }
}
