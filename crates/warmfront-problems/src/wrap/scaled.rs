use rand::Rng;
use warmfront_core::{Candidate, Costs, Outcome};

use super::forward;
use crate::{Known, Optimum, Problem, ProblemError};

/// A problem whose costs are multiplied by positive factors, for example to other units.
#[derive(Debug, Clone)]
pub struct Scaled<P> {
    inner: P,
    factors: Vec<f64>,
    reference: Vec<f64>,
    optimum: Option<Known<Optimum>>,
}

impl<P: Problem> Scaled<P> {
    /// Multiplies the costs by these factors (length m); noise is multiplied with them.
    ///
    /// # Panics
    /// If there is not one finite factor > 0 per objective.
    #[must_use]
    #[track_caller]
    pub fn new(inner: P, factors: &[f64]) -> Self {
        assert_eq!(
            factors.len(),
            inner.objectives().len(),
            "one factor per objective"
        );
        assert!(
            factors.iter().all(|f| f.is_finite() && *f > 0.0),
            "factors must be finite and positive, got {factors:?}"
        );
        let reference = multiplied(inner.reference_point().value, factors);
        let optimum = inner.optimum().map(|known| {
            known.map(|best| Optimum {
                cost: best.cost * factors[0],
                ..best.clone()
            })
        });
        Self {
            inner,
            factors: factors.to_vec(),
            reference,
            optimum,
        }
    }

    fn scale(&self, outcome: Outcome) -> Outcome {
        let Outcome::Complete(costs) = outcome else {
            return outcome;
        };
        let scaled: Vec<Option<f64>> = costs
            .values()
            .iter()
            .zip(&self.factors)
            .map(|(cost, factor)| cost.map(|cost| cost * factor))
            .collect();
        match Costs::new(scaled) {
            Ok(costs) => Outcome::Complete(costs),
            Err(error) => Outcome::failed(error.to_string()),
        }
    }
}

fn multiplied(values: &[f64], factors: &[f64]) -> Vec<f64> {
    values
        .iter()
        .zip(factors)
        .map(|(value, factor)| value * factor)
        .collect()
}

impl<P: Problem> Problem for Scaled<P> {
    forward!(name, space, objectives, cost);

    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        Ok(self.scale(self.inner.evaluate(candidate, rng)?))
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        Some(self.scale(self.inner.noise_free(candidate)?))
    }

    fn evaluate_batch(
        &self,
        candidates: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Outcome>, ProblemError> {
        let outcomes = self.inner.evaluate_batch(candidates, rng)?;
        Ok(outcomes
            .into_iter()
            .map(|outcome| self.scale(outcome))
            .collect())
    }

    fn noise_free_batch(&self, candidates: &[Candidate]) -> Vec<Option<Outcome>> {
        let outcomes = self.inner.noise_free_batch(candidates);
        outcomes
            .into_iter()
            .map(|outcome| Some(self.scale(outcome?)))
            .collect()
    }

    fn reference_point(&self) -> Known<&[f64]> {
        Known::new(&self.reference, self.inner.reference_point().provenance)
    }

    fn max_hypervolume(&self) -> Option<Known<f64>> {
        let volume = self.factors.iter().product::<f64>();
        Some(self.inner.max_hypervolume()?.map(|value| value * volume))
    }

    fn optimum(&self) -> Option<Known<&Optimum>> {
        self.optimum
            .as_ref()
            .map(|known| Known::new(&known.value, known.provenance))
    }

    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        let scale = |front: Vec<Vec<f64>>| {
            front
                .iter()
                .map(|costs| multiplied(costs, &self.factors))
                .collect()
        };
        Some(self.inner.front(points)?.map(scale))
    }
}
