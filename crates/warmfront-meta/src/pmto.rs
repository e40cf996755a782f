//! Parametric multi-task optimisation: solving a whole box of tasks at once.
//!
//! # References
//! Wei, Liu, Gupta, Tan, Ong 2026, *(θ_l, θ_u)-Parametric Multi-Task Optimization*, IEEE TEVC 30(3)
//! (arXiv 2503.08394).

mod criterion;
mod evolution;
mod information;

pub use criterion::DeterminantalCriterion;
pub use evolution::{
    EvolutionConfig, maximize_in_box, polynomial_mutation, simulated_binary_crossover,
};
pub use information::{InformationGains, greedy_information_gain, information_gain};
