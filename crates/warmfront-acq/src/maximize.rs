//! Finding the point of a search space with the largest utility.

/// How hard to search for the maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct MaximizeConfig {
    /// Points of a scrambled Sobol sequence that are scored first.
    pub raw_samples: usize,
    /// Further points scored first: perturbations of the acquisition function's
    /// [`incumbents`](crate::AcquisitionFunction::incumbents).
    pub around_best: usize,
    /// How many of those points a local search starts from.
    pub restarts: usize,
    /// Iterations of each local search.
    pub max_iterations: usize,
    /// Whether to use several threads. The result does not depend on it.
    pub parallel: bool,
}

impl Default for MaximizeConfig {
    fn default() -> Self {
        Self {
            raw_samples: 512,
            around_best: 64,
            restarts: 6,
            max_iterations: 60,
            parallel: false,
        }
    }
}
