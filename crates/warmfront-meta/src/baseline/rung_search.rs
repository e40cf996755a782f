//! Successive halving and HyperBand as strategies: a scheduler that says who gets how much budget,
//! and a source of new configurations.

mod hyperband;
mod moasha;
mod prior_band;
mod source;

use std::num::NonZeroUsize;

use rand::Rng;
use warmfront_core::{
    Beliefs, Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError,
};

use super::prior_random::check_beliefs;
use crate::MetaError;
use crate::data::check_pending;
use crate::multi_fidelity::{Action, FidelityLog, Scheduler};

pub use hyperband::{HyperBandConfig, HyperBandSearch, PromotionWeights};
pub use moasha::{MoAsha, MoAshaConfig};
pub use prior_band::{PriorBandConfig, PriorBandShares};
pub use source::NewConfigurations;

/// A search that pays for cheap evaluations first: [`MoAsha`] or [`HyperBandSearch`].
///
/// Every candidate is evaluated at the fidelity of a rung; in a space without fidelities there is
/// one rung, of full evaluations. What to do next follows from what was told and what is pending,
/// so that a run can be replayed and workers may finish in any order. New configurations are
/// neither told nor pending, as long as there are others.
#[derive(Debug, Clone)]
pub struct RungSearch<S> {
    name: &'static str,
    space: SearchSpace,
    beliefs: Beliefs,
    scheduler: S,
    source: NewConfigurations,
    log: FidelityLog,
}

impl<S: Scheduler> RungSearch<S> {
    fn new(
        name: &'static str,
        space: &SearchSpace,
        objectives: &Objectives,
        beliefs: Beliefs,
        scheduler: S,
        source: NewConfigurations,
    ) -> Result<Self, MetaError> {
        check_beliefs(space, &beliefs, objectives)?;
        source.check()?;
        Ok(Self {
            name,
            space: space.clone(),
            beliefs,
            scheduler,
            source,
            log: FidelityLog::new(space, objectives.len()),
        })
    }

    /// Everything told so far, at every fidelity.
    pub fn log(&self) -> &FidelityLog {
        &self.log
    }

    /// Who decides what gets how much budget.
    pub fn scheduler(&self) -> &S {
        &self.scheduler
    }
}

impl<S: Scheduler + Send> Strategy for RungSearch<S> {
    fn name(&self) -> &str {
        self.name
    }

    fn tell(&mut self, batch: &[Observation], _rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(batch)
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        check_pending(&self.space, pending)?;
        let rungs = self.scheduler.rungs();
        let mut busy = pending.to_vec();
        for _ in 0..q.get() {
            let action = self.scheduler.next(&self.log, &busy, rng);
            let fidelity = rungs.fidelity(action.rung());
            let point = match action {
                Action::Promote { point, .. } => point,
                Action::Start { rung } => {
                    let source = self
                        .source
                        .prepare(&self.beliefs, &self.log, rungs, rung, rng);
                    self.log
                        .fresh_point(&busy, &mut |rng| source.draw(rng), rng)
                        .ok_or(StrategyError::Exhausted {
                            requested: q.get(),
                            available: busy.len() - pending.len(),
                        })?
                }
            };
            busy.push(Candidate::at(point).with_fidelity(fidelity));
        }
        Ok(busy.split_off(pending.len()))
    }
}

#[cfg(test)]
mod tests;
