use rand::Rng;
use warmfront_core::{Candidate, Fidelity, Objectives, Outcome, SearchSpace, UnitPoint};

use super::ParametricProblem;
use crate::{Known, Optimum, Problem, ProblemError};

/// One task of a parametric problem as a problem of its own, for strategies that know nothing of tasks.
///
/// Candidates need no task; one that they carry is replaced.
///
/// ```
/// use warmfront_core::{Candidate, UnitPoint};
/// use warmfront_problems::Problem;
/// use warmfront_problems::parametric::{Archery, OneTask};
///
/// let calm = OneTask::new(Archery::new(), UnitPoint::new([0.2, 0.5])?)?;
/// let best = calm.optimum().expect("known").value.points[0].clone();
/// let outcome = calm.noise_free(&Candidate::at(best)).expect("a formula");
/// assert_eq!(outcome.costs().and_then(|costs| costs.complete()), Some(vec![-1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct OneTask<P> {
    inner: P,
    task: UnitPoint,
    optimum: Option<Known<Optimum>>,
}

impl<P: ParametricProblem> OneTask<P> {
    /// The problem at this task.
    ///
    /// # Errors
    /// [`ProblemError::TaskDimension`] if the task does not have the problem's number of parameters.
    pub fn new(inner: P, task: UnitPoint) -> Result<Self, ProblemError> {
        if task.dim() != inner.task_dim() {
            return Err(ProblemError::TaskDimension {
                name: inner.name().to_owned(),
                expected: inner.task_dim(),
                found: task.dim(),
            });
        }
        let optimum = inner
            .solution(&task)
            .zip(inner.optimum_of(&task))
            .map(|(point, cost)| {
                let points = vec![point];
                Known::new(Optimum { points, cost }, inner.solution_provenance())
            });
        Ok(Self {
            inner,
            task,
            optimum,
        })
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &UnitPoint {
        &self.task
    }

    fn of_task(&self, candidate: &Candidate) -> Candidate {
        candidate.clone().with_task(self.task.clone())
    }

    fn all_of_task(&self, candidates: &[Candidate]) -> Vec<Candidate> {
        candidates.iter().map(|c| self.of_task(c)).collect()
    }
}

impl<P: ParametricProblem> Problem for OneTask<P> {
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
        self.inner.evaluate(&self.of_task(candidate), rng)
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        self.inner.noise_free(&self.of_task(candidate))
    }

    fn evaluate_batch(
        &self,
        candidates: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Outcome>, ProblemError> {
        self.inner
            .evaluate_batch(&self.all_of_task(candidates), rng)
    }

    fn noise_free_batch(&self, candidates: &[Candidate]) -> Vec<Option<Outcome>> {
        self.inner.noise_free_batch(&self.all_of_task(candidates))
    }

    fn cost(&self, fidelity: Option<&Fidelity>) -> f64 {
        self.inner.cost(fidelity)
    }

    fn reference_point(&self) -> Known<&[f64]> {
        self.inner.reference_point()
    }

    fn max_hypervolume(&self) -> Option<Known<f64>> {
        self.inner.max_hypervolume()
    }

    fn optimum(&self) -> Option<Known<&Optimum>> {
        self.optimum
            .as_ref()
            .map(|known| Known::new(&known.value, known.provenance))
    }

    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        self.inner.front(points)
    }
}
