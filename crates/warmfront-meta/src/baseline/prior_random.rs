//! Random search that believes an expert.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use warmfront_core::{
    Beliefs, Candidate, Objectives, Observation, SearchSpace, SpaceError, Strategy, StrategyError,
    UnitPoint,
};

use crate::data::{TrialLog, check_pending};
use crate::initial_design::exploratory_point;
use crate::{FailurePolicy, MetaError};

/// How often a configuration is drawn anew because it is taken.
const ATTEMPTS: usize = 64;

/// Fails unless the beliefs are about as many objectives as there are, and about `space`.
pub(super) fn check_beliefs(
    space: &SearchSpace,
    beliefs: &Beliefs,
    objectives: &Objectives,
) -> Result<(), MetaError> {
    if beliefs.len() != objectives.len() {
        return Err(MetaError::Setting {
            what: "the number of objectives the beliefs are about",
            value: beliefs.len() as f64,
            expected: "the number of objectives",
        });
    }
    match beliefs
        .iter()
        .position(|belief| belief.space().parameters() != space.parameters())
    {
        Some(index) => Err(StrategyError::model(SpaceError::BeliefSpace { index }).into()),
        None => Ok(()),
    }
}

/// A draw from the belief about an objective, of those with a belief all alike; uniform without
/// beliefs.
pub(super) fn believed_point(
    space: &SearchSpace,
    beliefs: &Beliefs,
    rng: &mut dyn Rng,
) -> UnitPoint {
    let count = beliefs.iter().count() as u64;
    if count == 0 {
        return space.sample(rng);
    }
    let chosen = rng.random_range(0..count) as usize;
    match beliefs.iter().nth(chosen) {
        Some(belief) => belief.sample(rng),
        None => space.sample(rng),
    }
}

/// The first of some draws of [`believed_point`] that is not taken; a space-filling point if all
/// are, `None` if a table is used up.
pub(super) fn free_believed_point(
    space: &SearchSpace,
    beliefs: &Beliefs,
    taken: &HashSet<UnitPoint>,
    rng: &mut dyn Rng,
) -> Option<UnitPoint> {
    (0..ATTEMPTS)
        .map(|_| believed_point(space, beliefs, rng))
        .find(|point| !taken.contains(point))
        .or_else(|| exploratory_point(space, taken, rng))
}

/// Draws every candidate from the belief about a uniformly chosen objective; no configuration
/// twice, as long as there is another.
///
/// Only objectives that have a belief are chosen; without any, candidates are uniform. The
/// published runs drew numbers from a normal of deviation ¼ in the *hyper-parameter's* unit, which
/// is nearly the centre for wide ranges and nearly uniform for narrow ones; here the belief itself
/// is drawn from.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Belief, Beliefs, Objectives, SearchSpace, Strategy};
/// use warmfront_meta::baseline::PriorRandomSearch;
///
/// let space = SearchSpace::unit_cube(1);
/// let belief = Belief::uniform(&space, 1).with("x0", 0.8, 0.99)?;
/// let beliefs = Beliefs::new(2, vec![belief])?;
/// let strategy = PriorRandomSearch::new(&space, &Objectives::minimize_all(2), beliefs)?;
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let first = strategy.ask(NonZeroUsize::MIN, &[], &mut rng)?;
/// assert!((first[0].point.coords()[0] - 0.8).abs() < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// arXiv 2511.08371 (a baseline of PriMO).
#[derive(Debug, Clone)]
pub struct PriorRandomSearch {
    space: SearchSpace,
    beliefs: Beliefs,
    log: TrialLog,
}

impl PriorRandomSearch {
    /// Searches `space`.
    ///
    /// # Errors
    /// [`MetaError::Setting`] if the beliefs are about another number of objectives,
    /// [`MetaError::Strategy`] if about another space.
    pub fn new(
        space: &SearchSpace,
        objectives: &Objectives,
        beliefs: Beliefs,
    ) -> Result<Self, MetaError> {
        check_beliefs(space, &beliefs, objectives)?;
        Ok(Self {
            space: space.clone(),
            beliefs,
            log: TrialLog::new(space.dim(), objectives.len(), FailurePolicy::Ignore),
        })
    }
}

impl Strategy for PriorRandomSearch {
    fn name(&self) -> &str {
        "random-prior"
    }

    fn tell(&mut self, batch: &[Observation], _rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(&self.space, batch)
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        check_pending(&self.space, pending)?;
        let mut taken: HashSet<UnitPoint> = self.log.points().cloned().collect();
        taken.extend(pending.iter().map(|c| self.space.canonical(&c.point)));
        let mut picks = Vec::with_capacity(q.get());
        for _ in 0..q.get() {
            let point = free_believed_point(&self.space, &self.beliefs, &taken, rng).ok_or(
                StrategyError::Exhausted {
                    requested: q.get(),
                    available: picks.len(),
                },
            )?;
            taken.insert(point.clone());
            picks.push(Candidate::at(point));
        }
        Ok(picks)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_core::Belief;

    use super::*;

    #[test]
    fn every_belief_has_its_turn() {
        let space = SearchSpace::unit_cube(1);
        let belief = |objective, centre: f64| {
            Belief::uniform(&space, objective)
                .with("x0", centre, 0.99)
                .unwrap()
        };
        // Nothing is believed about the second objective: it is not drawn for.
        let beliefs = Beliefs::new(3, vec![belief(0, 0.2), belief(2, 0.8)]).unwrap();
        let objectives = Objectives::minimize_all(3);
        let strategy = PriorRandomSearch::new(&space, &objectives, beliefs.clone()).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let count = NonZeroUsize::new(400).unwrap();
        let draws = strategy.ask(count, &[], &mut rng).unwrap();
        let near = |centre: f64| {
            let is_near = |c: &&Candidate| (c.point.coords()[0] - centre).abs() < 0.1;
            draws.iter().filter(is_near).count()
        };
        assert_eq!(near(0.2) + near(0.8), 400);
        assert!((150..=250).contains(&near(0.2)), "{}", near(0.2));
        let two = Objectives::minimize_all(2);
        assert!(PriorRandomSearch::new(&space, &two, beliefs.clone()).is_err());
        let elsewhere = SearchSpace::unit_cube(2);
        assert!(PriorRandomSearch::new(&elsewhere, &objectives, beliefs).is_err());
    }
}
