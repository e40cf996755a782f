use rand::Rng;
use warmfront_core::{Candidate, Costs, Outcome};
use warmfront_math::distribution::standard_normal;

use super::forward;
use crate::{Problem, ProblemError};

/// A problem with independent Gaussian noise added to each cost.
#[derive(Debug, Clone)]
pub struct Noisy<P> {
    inner: P,
    std: Vec<f64>,
}

impl<P: Problem> Noisy<P> {
    /// Adds noise of these standard deviations (length m), on top of noise the problem may have.
    ///
    /// # Panics
    /// If there is not one finite standard deviation ≥ 0 per objective.
    #[must_use]
    #[track_caller]
    pub fn new(inner: P, std: &[f64]) -> Self {
        assert_eq!(
            std.len(),
            inner.objectives().len(),
            "one standard deviation per objective"
        );
        assert!(
            std.iter().all(|s| s.is_finite() && *s >= 0.0),
            "standard deviations must be finite and not negative, got {std:?}"
        );
        Self {
            inner,
            std: std.to_vec(),
        }
    }

    fn disturb(&self, outcome: Outcome, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        let Outcome::Complete(costs) = outcome else {
            return Ok(outcome);
        };
        // A missing cost uses up its noise, so that the other objectives' does not depend on it.
        let noisy: Vec<Option<f64>> = costs
            .values()
            .iter()
            .zip(&self.std)
            .map(|(cost, std)| {
                let noise = if *std > 0.0 {
                    std * standard_normal(rng)
                } else {
                    0.0
                };
                cost.map(|cost| cost + noise)
            })
            .collect();
        Ok(Outcome::Complete(Costs::new(noisy)?))
    }
}

impl<P: Problem> Problem for Noisy<P> {
    forward!(name, space, objectives, noise_free, cost, known);

    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        let outcome = self.inner.evaluate(candidate, rng)?;
        self.disturb(outcome, rng)
    }

    fn evaluate_batch(
        &self,
        candidates: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Outcome>, ProblemError> {
        let outcomes = self.inner.evaluate_batch(candidates, rng)?;
        outcomes
            .into_iter()
            .map(|outcome| self.disturb(outcome, rng))
            .collect()
    }
}
