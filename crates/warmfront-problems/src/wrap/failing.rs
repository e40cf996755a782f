use std::fmt;
use std::sync::Arc;

use rand::Rng;
use warmfront_core::{Candidate, Outcome};
use warmfront_math::distribution::open_uniform;

use super::forward;
use crate::{Known, Optimum, Problem, ProblemError};

type Region = Arc<dyn Fn(&Candidate) -> bool + Send + Sync>;

/// A problem of which some evaluations fail.
#[derive(Clone)]
pub struct Failing<P> {
    inner: P,
    probability: f64,
    region: Option<Region>,
}

impl<P: Problem> Failing<P> {
    /// Each evaluation fails with this probability, wherever it is.
    ///
    /// # Panics
    /// If `probability` is not in [0, 1].
    #[must_use]
    #[track_caller]
    pub fn at_random(inner: P, probability: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&probability),
            "a probability lies in [0, 1], got {probability}"
        );
        Self {
            inner,
            probability,
            region: None,
        }
    }

    /// Evaluations of the candidates for which `fails` holds fail, always.
    ///
    /// Optimum, front and best hypervolume are then unknown: they may lie where evaluations fail.
    #[must_use]
    pub fn inside(inner: P, fails: impl Fn(&Candidate) -> bool + Send + Sync + 'static) -> Self {
        Self {
            inner,
            probability: 0.0,
            region: Some(Arc::new(fails)),
        }
    }

    /// The problem inside, if it can be evaluated everywhere.
    fn anywhere(&self) -> Option<&P> {
        self.region.is_none().then_some(&self.inner)
    }

    fn refused(&self, candidate: &Candidate) -> Option<Outcome> {
        let region = self.region.as_ref()?;
        region(candidate).then(|| Outcome::failed("the candidate lies in the failing region"))
    }
}

impl<P: fmt::Debug> fmt::Debug for Failing<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failing")
            .field("inner", &self.inner)
            .field("probability", &self.probability)
            .field("region", &self.region.is_some())
            .finish()
    }
}

impl<P: Problem> Problem for Failing<P> {
    forward!(name, space, objectives, cost, reference);

    fn max_hypervolume(&self) -> Option<Known<f64>> {
        self.anywhere()?.max_hypervolume()
    }

    fn optimum(&self) -> Option<Known<&Optimum>> {
        self.anywhere()?.optimum()
    }

    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        self.anywhere()?.front(points)
    }

    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        if let Some(outcome) = self.refused(candidate) {
            return Ok(outcome);
        }
        // Drawn first, so that the evaluation's own noise does not decide about failures.
        if self.probability > 0.0 && open_uniform(rng) < self.probability {
            return Ok(Outcome::failed("the evaluation failed at random"));
        }
        self.inner.evaluate(candidate, rng)
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        self.refused(candidate)
            .or_else(|| self.inner.noise_free(candidate))
    }
}
