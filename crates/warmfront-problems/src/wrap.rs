//! Problems around problems: noise, moved inputs, scaled or negated outputs, failures.

mod failing;
mod negated;
mod noisy;
mod scaled;
mod shifted;

pub use failing::Failing;
pub use negated::Negated;
pub use noisy::Noisy;
pub use scaled::Scaled;
pub use shifted::Shifted;

/// Forwards the methods of [`Problem`](crate::Problem) that a wrapper leaves alone to its field
/// `inner`.
macro_rules! forward {
    (name) => {
        fn name(&self) -> &str {
            self.inner.name()
        }
    };
    (space) => {
        fn space(&self) -> &warmfront_core::SearchSpace {
            self.inner.space()
        }
    };
    (objectives) => {
        fn objectives(&self) -> &warmfront_core::Objectives {
            self.inner.objectives()
        }
    };
    (noise_free) => {
        fn noise_free(
            &self,
            candidate: &warmfront_core::Candidate,
        ) -> Option<warmfront_core::Outcome> {
            self.inner.noise_free(candidate)
        }
        fn noise_free_batch(
            &self,
            candidates: &[warmfront_core::Candidate],
        ) -> Vec<Option<warmfront_core::Outcome>> {
            self.inner.noise_free_batch(candidates)
        }
    };
    (evaluate) => {
        fn evaluate(
            &self,
            candidate: &warmfront_core::Candidate,
            rng: &mut dyn rand::Rng,
        ) -> Result<warmfront_core::Outcome, crate::ProblemError> {
            self.inner.evaluate(candidate, rng)
        }
        fn evaluate_batch(
            &self,
            candidates: &[warmfront_core::Candidate],
            rng: &mut dyn rand::Rng,
        ) -> Result<Vec<warmfront_core::Outcome>, crate::ProblemError> {
            self.inner.evaluate_batch(candidates, rng)
        }
    };
    (cost) => {
        fn cost(&self, fidelity: Option<&warmfront_core::Fidelity>) -> f64 {
            self.inner.cost(fidelity)
        }
    };
    (reference) => {
        fn reference_point(&self) -> crate::Known<&[f64]> {
            self.inner.reference_point()
        }
    };
    (known) => {
        $crate::wrap::forward!(reference);
        fn max_hypervolume(&self) -> Option<crate::Known<f64>> {
            self.inner.max_hypervolume()
        }
        fn optimum(&self) -> Option<crate::Known<&crate::Optimum>> {
            self.inner.optimum()
        }
        fn front(&self, points: usize) -> Option<crate::Known<Vec<Vec<f64>>>> {
            self.inner.front(points)
        }
    };
    ($($part:ident),+) => { $($crate::wrap::forward!($part);)+ };
}
pub(crate) use forward;
