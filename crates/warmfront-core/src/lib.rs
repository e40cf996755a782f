#![doc = include_str!("../README.md")]

mod belief;
mod candidate;
#[cfg(feature = "json")]
mod definition;
mod error;
mod metadata;
mod objective;
mod observation;
mod seed;
mod space;
mod strategy;

pub use belief::{Belief, Beliefs};
pub use candidate::{Candidate, Fidelity};
#[cfg(feature = "json")]
pub use definition::{Definition, DefinitionError};
pub use error::{ObjectiveError, ObservationFault, SpaceError, StrategyError};
pub use metadata::{MetaDataset, TaskRecord};
pub use objective::{Costs, Direction, Objective, Objectives};
pub use observation::{Observation, Outcome, TrialId};
pub use seed::{Purpose, Seed};
pub use space::{
    Condition, Config, Domain, FidelityRange, Parameter, Scale, SearchSpace, SearchSpaceBuilder,
    UnitPoint, Value,
};
pub use strategy::Strategy;
