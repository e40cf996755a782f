//! The contract between a study and what decides where to evaluate next.

use std::num::NonZeroUsize;

use rand::Rng;

use crate::{Candidate, Observation, StrategyError};

/// Decides where to evaluate next.
///
/// A strategy learns in [`tell`](Self::tell) and only there: [`ask`](Self::ask) cannot change it,
/// so asking twice with the same generator gives the same answer. Both draw only from the generator
/// they are given. Failed evaluations are observations like any other and must be accepted.
pub trait Strategy: Send {
    /// A short name for tables and logs.
    fn name(&self) -> &str;

    /// Learns from new observations. Each observation is told once.
    ///
    /// # Errors
    /// If an observation does not fit the problem, or the model fails.
    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError>;

    /// Proposes `q` candidates to evaluate together, while `pending` are still being evaluated.
    ///
    /// # Errors
    /// If no unvisited configuration is left, or the model fails.
    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Belief, Costs, MetaDataset, ObjectiveError, Objectives, Outcome, Purpose, SearchSpace,
        Seed, SpaceError, UnitPoint,
    };

    struct Random {
        space: SearchSpace,
        told: usize,
    }

    impl Strategy for Random {
        fn name(&self) -> &str {
            "random"
        }

        fn tell(&mut self, batch: &[Observation], _: &mut dyn Rng) -> Result<(), StrategyError> {
            batch
                .iter()
                .try_for_each(|observation| observation.check(self.space.dim(), 1))?;
            self.told += batch.len();
            Ok(())
        }

        fn ask(
            &self,
            q: NonZeroUsize,
            _: &[Candidate],
            rng: &mut dyn Rng,
        ) -> Result<Vec<Candidate>, StrategyError> {
            Ok((0..q.get())
                .map(|_| Candidate::at(self.space.sample(rng)))
                .collect())
        }
    }

    #[test]
    fn strategies_work_behind_a_box() {
        let mut strategy: Box<dyn Strategy> = Box::new(Random {
            space: SearchSpace::unit_cube(2),
            told: 0,
        });
        let q = NonZeroUsize::new(3).expect("not zero");
        let ask = |strategy: &dyn Strategy| {
            strategy
                .ask(q, &[], &mut Seed(1).stream(Purpose::Ask, 0))
                .expect("never exhausted")
        };
        let batch = ask(&*strategy);
        assert_eq!(batch.len(), 3);
        assert_eq!(batch, ask(&*strategy));
        let observations: Vec<_> = (0..)
            .zip(batch)
            .map(|(trial, candidate)| Observation {
                trial: crate::TrialId(trial),
                candidate,
                outcome: Outcome::failed("not run"),
            })
            .collect();
        let mut rng = Seed(1).stream(Purpose::Tell, 0);
        strategy
            .tell(&observations, &mut rng)
            .expect("failures are accepted");
        assert_eq!(strategy.name(), "random");
    }

    #[test]
    fn types_cross_threads() {
        fn check<T: Send + Sync>() {}
        check::<SearchSpace>();
        check::<UnitPoint>();
        check::<Objectives>();
        check::<Costs>();
        check::<Candidate>();
        check::<Observation>();
        check::<MetaDataset>();
        check::<Belief>();
        check::<Seed>();
        check::<SpaceError>();
        check::<ObjectiveError>();
        check::<StrategyError>();
    }
}
