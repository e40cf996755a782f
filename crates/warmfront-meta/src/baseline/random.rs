//! Uniform random search.

use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use warmfront_core::{
    Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError, UnitPoint,
};

use crate::FailurePolicy;
use crate::data::{TrialLog, check_pending};

/// Draws every candidate uniformly from the cube, or a free row of the table.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Objectives, SearchSpace, Strategy};
/// use warmfront_meta::baseline::RandomSearch;
///
/// let strategy = RandomSearch::new(&SearchSpace::unit_cube(2), &Objectives::minimize_all(1));
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// assert_eq!(strategy.ask(NonZeroUsize::new(3).unwrap(), &[], &mut rng)?.len(), 3);
/// # Ok::<(), warmfront_core::StrategyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RandomSearch {
    space: SearchSpace,
    log: TrialLog,
}

impl RandomSearch {
    /// Searches `space`.
    #[must_use]
    pub fn new(space: &SearchSpace, objectives: &Objectives) -> Self {
        Self {
            space: space.clone(),
            log: TrialLog::new(space.dim(), objectives.len(), FailurePolicy::Ignore),
        }
    }
}

impl Strategy for RandomSearch {
    fn name(&self) -> &str {
        "random"
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
        if let Some(rows) = self.space.table() {
            let taken: std::collections::HashSet<_> = self
                .log
                .points()
                .cloned()
                .chain(pending.iter().map(|c| self.space.canonical(&c.point)))
                .collect();
            let mut free: Vec<&UnitPoint> =
                rows.iter().filter(|row| !taken.contains(*row)).collect();
            if free.len() < q.get() {
                return Err(StrategyError::Exhausted {
                    requested: q.get(),
                    available: free.len(),
                });
            }
            return Ok((0..q.get())
                .map(|_| free.swap_remove(rng.random_range(0..free.len() as u64) as usize))
                .map(|row| Candidate::at(row.clone()))
                .collect());
        }
        Ok((0..q.get())
            .map(|_| Candidate::at(self.space.sample(rng)))
            .collect())
    }
}
