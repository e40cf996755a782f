//! Quasi-random search.

use std::num::NonZeroUsize;

use rand::Rng;
use warmfront_core::{
    Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError, UnitPoint,
};
use warmfront_math::sobol::Sobol;

use crate::data::{TrialLog, check_pending};
use crate::initial_design::initial_design;
use crate::{FailurePolicy, MetaError};

/// Walks one scrambled Sobol sequence; a table is walked in one random order.
///
/// The position in the sequence is the number of trials told and pending, so nothing but the
/// sequence itself has to be remembered.
#[derive(Debug, Clone)]
pub struct SobolSearch {
    space: SearchSpace,
    sequence: Sobol,
    rows: Vec<UnitPoint>,
    log: TrialLog,
}

impl SobolSearch {
    /// Searches `space` along a sequence scrambled by `rng`.
    ///
    /// # Errors
    /// If the space has more dimensions than Sobol points are tabulated for.
    pub fn new(
        space: &SearchSpace,
        objectives: &Objectives,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetaError> {
        let rows = space
            .table()
            .map_or_else(Vec::new, |rows| initial_design(space, rows.len(), rng));
        Ok(Self {
            space: space.clone(),
            sequence: Sobol::scrambled(space.dim(), rng)?,
            rows,
            log: TrialLog::new(space.dim(), objectives.len(), FailurePolicy::Ignore),
        })
    }
}

impl Strategy for SobolSearch {
    fn name(&self) -> &str {
        "sobol"
    }

    fn tell(&mut self, batch: &[Observation], _rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(&self.space, batch)
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        _rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        check_pending(&self.space, pending)?;
        let start = self.log.len() + pending.len();
        if self.space.table().is_some() {
            return self
                .rows
                .get(start..start + q.get())
                .map(|rows| rows.iter().cloned().map(Candidate::at).collect())
                .ok_or(StrategyError::Exhausted {
                    requested: q.get(),
                    available: self.rows.len().saturating_sub(start),
                });
        }
        let mut sequence = self.sequence.clone();
        sequence.skip(start as u64);
        let mut coords = vec![0.0; self.space.dim()];
        Ok((0..q.get())
            .map(|_| {
                sequence.next_into(&mut coords);
                Candidate::at(self.space.canonical(&UnitPoint::clamped(coords.as_slice())))
            })
            .collect())
    }
}
