//! What a method has to say about its target task.

use rand::Rng;
use warmfront_gp::DifferentiableSurrogate;

use crate::{MetaError, TargetData};

/// A belief about the target task's costs, renewed at every observation.
///
/// Implementors keep what is worth keeping between fits (fitted meta-models, the last
/// hyper-parameters, cached meta predictions at the target's points); the surrogate that
/// [`fit`](Self::fit) returns is immutable and owns what it needs.
pub trait TargetModel: Send {
    /// Short name of the method, as reports show it.
    fn name(&self) -> &str;

    /// How many observations the model needs before it can propose; 0 if its prior suffices.
    fn min_observations(&self) -> usize;

    /// Fits to all observations of the target so far. The inputs of one call are a prefix of the
    /// next call's.
    ///
    /// # Errors
    /// If no usable posterior can be computed.
    fn fit(
        &mut self,
        data: &TargetData,
        rng: &mut dyn Rng,
    ) -> Result<Box<dyn DifferentiableSurrogate>, MetaError>;
}
