//! Where new configurations come from.

use rand::{Rng, RngExt};
use warmfront_core::{Beliefs, SearchSpace, UnitPoint};

use super::prior_band::{PriorBandConfig, PriorBandDraw};
use crate::MetaError;
use crate::baseline::prior_random::believed_point;
use crate::multi_fidelity::{FidelityLog, Rungs};

/// Where the new configurations of a [`RungSearch`](super::RungSearch) come from.
#[derive(Debug, Clone, PartialEq)]
pub enum NewConfigurations {
    /// Uniform draws.
    Uniform,
    /// With probability `share` a draw from the belief about a random objective, else uniform.
    Beliefs {
        /// The probability, in `[0, 1]`.
        share: f64,
    },
    /// Uniform draws, draws from a belief, and mutants of the incumbent, in shares that follow the
    /// rung and the evidence.
    PriorBand(PriorBandConfig),
}

impl NewConfigurations {
    pub(super) fn check(&self) -> Result<(), MetaError> {
        match self {
            Self::Uniform => Ok(()),
            Self::Beliefs { share } if (0.0..=1.0).contains(share) => Ok(()),
            Self::Beliefs { share } => Err(MetaError::Setting {
                what: "the share of configurations from beliefs",
                value: *share,
                expected: "a probability",
            }),
            Self::PriorBand(config) => config.check(),
        }
    }

    /// Gets ready to draw for a rung.
    pub(super) fn prepare<'a>(
        &self,
        beliefs: &'a Beliefs,
        log: &'a FidelityLog,
        rungs: &Rungs,
        rung: usize,
        rng: &mut dyn Rng,
    ) -> Draw<'a> {
        match self {
            Self::Uniform => Draw::Uniform(log.space()),
            Self::Beliefs { share } => Draw::Beliefs {
                space: log.space(),
                beliefs,
                share: *share,
            },
            Self::PriorBand(config) => {
                Draw::PriorBand(Box::new(config.prepare(beliefs, log, rungs, rung, rng)))
            }
        }
    }
}

/// A source for one new configuration.
pub(super) enum Draw<'a> {
    Uniform(&'a SearchSpace),
    Beliefs {
        space: &'a SearchSpace,
        beliefs: &'a Beliefs,
        share: f64,
    },
    PriorBand(Box<PriorBandDraw>),
}

impl Draw<'_> {
    pub(super) fn draw(&self, rng: &mut dyn Rng) -> UnitPoint {
        match self {
            Self::Uniform(space) => space.sample(rng),
            Self::Beliefs {
                space,
                beliefs,
                share,
            } => {
                if rng.random::<f64>() < *share {
                    believed_point(space, beliefs, rng)
                } else {
                    space.sample(rng)
                }
            }
            Self::PriorBand(draw) => draw.draw(rng),
        }
    }
}
