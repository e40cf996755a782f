//! Problems in closed form whose evaluations come at budgets from 1 to 100.
//!
//! All charge `k/100` of a full evaluation for the budget `k`, in proportion to the budget as
//! epochs of a training are: that is the protocol of the PriMO experiments, where continuing a
//! configuration pays the difference.
//!
//! # References
//! Mallik et al. 2023, *PriorBand* (MF-Hartmann, from mf-prior-bench); Irshad, Karsch, Döpp 2021,
//! *Leveraging trust for joint multi-objective and multi-fidelity optimization* (MOMF); the
//! fidelities of ZDT from momfpriors, the benchmark collection of PriMO (arXiv 2511.08371).

mod hartmann;
mod momf;
mod zdt;

pub use hartmann::{MfHartmann, MfHartmannKind};
pub use momf::{MomfBraninCurrin, MomfPark};
pub use zdt::MfZdt;

use warmfront_core::FidelityRange;

/// The largest budget of all problems here.
const FULL: u32 = 100;

fn budgets(name: &str) -> FidelityRange {
    FidelityRange::integer(name, 1, FULL).expect("0 < 1 < 100")
}

/// The fidelity in (0, 1] that formulas know as `s`.
fn share(budget: f64) -> f64 {
    budget / f64::from(FULL)
}

/// [`Problem`](crate::Problem) of a type around a [`Synthetic`](crate::Synthetic) in its field
/// `inner`.
macro_rules! synthetic_problem {
    ($type:ty) => {
        impl $crate::Problem for $type {
            $crate::wrap::forward!(name, space, objectives, evaluate, noise_free, cost, known);
        }

        impl $type {
            /// The formula as a problem of its own, for what [`Synthetic`](crate::Synthetic) adds:
            /// noise, values in natural units and at any budget.
            #[must_use]
            pub fn into_synthetic(self) -> $crate::Synthetic {
                self.inner
            }
        }
    };
}
use synthetic_problem;

#[cfg(test)]
mod tests;
