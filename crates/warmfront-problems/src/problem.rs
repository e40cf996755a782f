//! The contracts: one problem, and a family of related problems.

use std::sync::Arc;

use rand::Rng;
use warmfront_core::{
    Candidate, Fidelity, MetaDataset, Objectives, Outcome, SearchSpace, UnitPoint,
};

use crate::ProblemError;
use crate::sample::{Design, sample_record};

/// How a value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provenance {
    /// Exact: derived from the formula, or from all rows of a table.
    Analytic,
    /// Computed here, by a method that may err.
    Approximated {
        /// How.
        method: &'static str,
    },
    /// Taken from a publication or another program.
    Reported {
        /// Which.
        source: &'static str,
    },
}

/// A value with how it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// How it is known.
    pub provenance: Provenance,
}

impl<T> Known<T> {
    /// A value known in a certain way.
    pub fn new(value: T, provenance: Provenance) -> Self {
        Self { value, provenance }
    }

    /// The same knowledge about a value computed from this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Known<U> {
        Known {
            value: f(self.value),
            provenance: self.provenance,
        }
    }
}

/// The best cost of a single-objective problem and where it is reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// Points that reach it, to the digits published.
    pub points: Vec<UnitPoint>,
    /// The cost there.
    pub cost: f64,
}

/// Something to optimise: a space, objectives and a way to evaluate candidates.
///
/// Outcomes are [`Costs`](warmfront_core::Costs), smaller is better, whatever the direction of the
/// objectives; [`Objectives::to_raw`] gives the user's signs back. Reference points, fronts and
/// optima are in cost space too.
///
/// # Panics
/// All methods that take a candidate panic if its point does not have the space's dimension.
pub trait Problem: Send + Sync {
    /// A name for tables and plots.
    fn name(&self) -> &str;

    /// The space of candidates, with its conditions, table and fidelity range.
    fn space(&self) -> &SearchSpace;

    /// The objectives with their directions.
    fn objectives(&self) -> &Objectives;

    /// Evaluates a candidate, with the problem's noise if it has any.
    ///
    /// # Errors
    /// If the candidate cannot be evaluated at all; a failed evaluation is
    /// [`Outcome::Failed`].
    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError>;

    /// The outcome without noise, what experiments score; `None` where it is not known.
    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome>;

    /// Evaluates candidates in order, faster than one by one where the problem can.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    fn evaluate_batch(
        &self,
        candidates: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Outcome>, ProblemError> {
        candidates
            .iter()
            .map(|candidate| self.evaluate(candidate, rng))
            .collect()
    }

    /// The outcomes without noise, faster than one by one where the problem can.
    fn noise_free_batch(&self, candidates: &[Candidate]) -> Vec<Option<Outcome>> {
        candidates
            .iter()
            .map(|candidate| self.noise_free(candidate))
            .collect()
    }

    /// What an evaluation costs, in evaluations at full fidelity.
    fn cost(&self, fidelity: Option<&Fidelity>) -> f64 {
        let _ = fidelity;
        1.0
    }

    /// The upper bound in cost space against which hypervolumes are measured (length m).
    fn reference_point(&self) -> Known<&[f64]>;

    /// The hypervolume of the true front, where known.
    fn max_hypervolume(&self) -> Option<Known<f64>> {
        None
    }

    /// The best cost and where it is reached, for single-objective problems where known.
    fn optimum(&self) -> Option<Known<&Optimum>> {
        None
    }

    /// About `points` cost vectors of the true front, where known.
    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        let _ = points;
        None
    }
}

macro_rules! delegate_problem {
    ($pointer:ty) => {
        impl<P: Problem + ?Sized> Problem for $pointer {
            fn name(&self) -> &str {
                (**self).name()
            }
            fn space(&self) -> &SearchSpace {
                (**self).space()
            }
            fn objectives(&self) -> &Objectives {
                (**self).objectives()
            }
            fn evaluate(
                &self,
                candidate: &Candidate,
                rng: &mut dyn Rng,
            ) -> Result<Outcome, ProblemError> {
                (**self).evaluate(candidate, rng)
            }
            fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
                (**self).noise_free(candidate)
            }
            fn evaluate_batch(
                &self,
                candidates: &[Candidate],
                rng: &mut dyn Rng,
            ) -> Result<Vec<Outcome>, ProblemError> {
                (**self).evaluate_batch(candidates, rng)
            }
            fn noise_free_batch(&self, candidates: &[Candidate]) -> Vec<Option<Outcome>> {
                (**self).noise_free_batch(candidates)
            }
            fn cost(&self, fidelity: Option<&Fidelity>) -> f64 {
                (**self).cost(fidelity)
            }
            fn reference_point(&self) -> Known<&[f64]> {
                (**self).reference_point()
            }
            fn max_hypervolume(&self) -> Option<Known<f64>> {
                (**self).max_hypervolume()
            }
            fn optimum(&self) -> Option<Known<&Optimum>> {
                (**self).optimum()
            }
            fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
                (**self).front(points)
            }
        }
    };
}

delegate_problem!(Box<P>);
delegate_problem!(Arc<P>);
delegate_problem!(&P);

/// Related problems, numbered from 0: one is the target, others supply meta-data.
#[expect(clippy::len_without_is_empty, reason = "families are never empty")]
pub trait TaskFamily: Send + Sync {
    /// A name for tables and plots.
    fn name(&self) -> &str;

    /// How many tasks there are; `None` for a continuum, of which any index can be asked for.
    fn len(&self) -> Option<usize>;

    /// The task with this index, the same at each call.
    ///
    /// # Panics
    /// If the family has [`len`](Self::len) tasks and `index` is not below it.
    fn task(&self, index: usize) -> Box<dyn Problem>;

    /// How the inputs of meta-data are placed.
    fn design(&self) -> Design {
        Design::Uniform
    }

    /// Evaluates `per_task` inputs of each task, with noise; of a table at most all its rows,
    /// without repetition. An input that cannot be evaluated becomes [`Outcome::Failed`].
    ///
    /// # Panics
    /// As [`task`](Self::task).
    fn metadata(&self, tasks: &[usize], per_task: usize, rng: &mut dyn Rng) -> MetaDataset {
        let design = self.design();
        let record = |&index| sample_record(&*self.task(index), per_task, design, rng);
        MetaDataset {
            tasks: tasks.iter().map(record).collect(),
        }
    }
}
