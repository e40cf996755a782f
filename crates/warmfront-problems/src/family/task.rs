//! What the tasks of the synthetic families share.

use std::sync::OnceLock;

use rand::Rng;
use warmfront_core::{Candidate, Objectives, Outcome, SearchSpace};

use crate::sample::reference_from_sample;
use crate::{Known, Problem, ProblemError, Provenance, Synthetic};

/// Points of the sample that the reference point is computed from.
const SAMPLE: usize = 4096;

/// A formula whose reference point is computed when it is first asked for: tasks that only supply
/// meta-data never need it.
pub(crate) struct SampledReference {
    inner: Synthetic,
    reference: OnceLock<Vec<f64>>,
}

impl SampledReference {
    pub(crate) fn new(inner: Synthetic) -> Self {
        Self {
            inner,
            reference: OnceLock::new(),
        }
    }
}

impl Problem for SampledReference {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn space(&self) -> &SearchSpace {
        self.inner.space()
    }

    fn objectives(&self) -> &Objectives {
        self.inner.objectives()
    }

    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        self.inner.evaluate(candidate, rng)
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        self.inner.noise_free(candidate)
    }

    fn reference_point(&self) -> Known<&[f64]> {
        let reference = self
            .reference
            .get_or_init(|| reference_from_sample(&self.inner, SAMPLE));
        Known::new(
            reference,
            Provenance::Approximated {
                method: REFERENCE_METHOD,
            },
        )
    }
}

pub(crate) const REFERENCE_METHOD: &str =
    "worst values on the front of 4096 noise-free Sobol points and a tenth of their range";
