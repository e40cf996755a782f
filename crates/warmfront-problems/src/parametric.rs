//! Families over a box of tasks: the candidate says which task it is evaluated for.
//!
//! With solutions `x ∈ [0, 1]^V` and task parameters `θ ∈ [0, 1]^D`, the least `f(x, θ)` over `x` is
//! sought for every `θ`. Both are chosen by a strategy: [`Candidate::task`] carries `θ`.
//!
//! # References
//! Wei, Liu, Gupta, Tan, Ong 2026, *(θ_l, θ_u)-Parametric Multi-Task Optimization* (arXiv 2503.08394):
//! the synthetic problems, the planar arm, the crane and the truss. Anne, Mouret 2024, *Parametric-Task
//! MAP-Elites* (arXiv 2402.01275): archery.

mod archery;
mod arm;
mod crane;
mod dtlz;
mod grid;
mod griewank;
mod one_task;
mod shifted_front;
mod synthetic;
mod truss;

use std::sync::Arc;

use warmfront_core::{Candidate, Objectives, Outcome, SearchSpace, UnitPoint};

pub use archery::Archery;
pub use arm::PlanarArm;
pub use crane::Crane;
pub use dtlz::{DtlzKind, ParametricDtlz};
pub use grid::{MAX_TEST_TASKS, test_tasks};
pub use one_task::OneTask;
pub use shifted_front::{FrontKind, ShiftedFront};
pub use synthetic::{ParametricFunction, ParametricSynthetic, TaskShift};
pub use truss::RobustTruss;

use crate::{Known, Problem, ProblemError, Provenance};

/// A problem whose candidates carry a task: a point of the unit box of task parameters.
///
/// [`evaluate`](Problem::evaluate) fails with [`ProblemError::NoTask`] or
/// [`ProblemError::TaskDimension`] if the candidate has no task or one of another dimension;
/// [`noise_free`](Problem::noise_free) is `None` then. What the methods of [`Problem`] say of
/// reference point, front, hypervolume and optimum holds for every task.
///
/// ```
/// use warmfront_core::{Candidate, UnitPoint};
/// use warmfront_problems::parametric::{ParametricProblem, PlanarArm};
/// use warmfront_problems::Problem;
///
/// let arm = PlanarArm::new(3);
/// let task = UnitPoint::new([1.0, 0.2])?;
/// let best = arm.solution(&task).expect("known for every task");
/// let outcome = arm.noise_free(&Candidate::at(best).with_task(task.clone()));
/// let cost = outcome.and_then(|outcome| outcome.costs()?.complete()).expect("a formula")[0];
/// assert!((cost - arm.optimum_of(&task).expect("known too")).abs() < 1e-12);
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
pub trait ParametricProblem: Problem {
    /// Number of task parameters `D`.
    fn task_dim(&self) -> usize {
        self.task_bounds().len()
    }

    /// The box of tasks in natural units (length `D`), for people; tasks are given in `[0, 1]^D`.
    fn task_bounds(&self) -> &[(f64, f64)];

    /// A solution with the least cost of this task, where known.
    ///
    /// # Panics
    /// If `task` does not have [`task_dim`](Self::task_dim) coordinates.
    fn solution(&self, task: &UnitPoint) -> Option<UnitPoint> {
        let _ = task;
        None
    }

    /// The least cost of this task, of single-objective problems where known.
    ///
    /// # Panics
    /// As [`solution`](Self::solution).
    fn optimum_of(&self, task: &UnitPoint) -> Option<f64> {
        let _ = task;
        None
    }

    /// How [`solution`](Self::solution) and [`optimum_of`](Self::optimum_of) are known.
    fn solution_provenance(&self) -> Provenance {
        Provenance::Analytic
    }
}

macro_rules! delegate_parametric {
    ($pointer:ty) => {
        impl<P: ParametricProblem + ?Sized> ParametricProblem for $pointer {
            fn task_dim(&self) -> usize {
                (**self).task_dim()
            }
            fn task_bounds(&self) -> &[(f64, f64)] {
                (**self).task_bounds()
            }
            fn solution(&self, task: &UnitPoint) -> Option<UnitPoint> {
                (**self).solution(task)
            }
            fn optimum_of(&self, task: &UnitPoint) -> Option<f64> {
                (**self).optimum_of(task)
            }
            fn solution_provenance(&self) -> Provenance {
                (**self).solution_provenance()
            }
        }
    };
}

delegate_parametric!(Box<P>);
delegate_parametric!(Arc<P>);
delegate_parametric!(&P);

/// What all formulas over a box of tasks have.
#[derive(Debug, Clone)]
struct Base {
    name: String,
    space: SearchSpace,
    objectives: Objectives,
    task_bounds: Vec<(f64, f64)>,
    /// Upper bounds in cost space.
    reference: Known<Vec<f64>>,
}

impl Base {
    fn new(
        name: String,
        dim: usize,
        objectives: Objectives,
        task_bounds: &[(f64, f64)],
        reference: Known<Vec<f64>>,
    ) -> Self {
        Self {
            name,
            space: SearchSpace::unit_cube(dim),
            objectives,
            task_bounds: task_bounds.to_vec(),
            reference,
        }
    }

    /// Solution and task of a candidate.
    #[track_caller]
    fn split<'a>(&self, candidate: &'a Candidate) -> Result<(&'a [f64], &'a [f64]), ProblemError> {
        let point = candidate.point.coords();
        assert_eq!(point.len(), self.space.dim(), "one coordinate per input");
        let expected = self.task_bounds.len();
        let Some(task) = &candidate.task else {
            return Err(ProblemError::NoTask {
                name: self.name.clone(),
                expected,
            });
        };
        if task.dim() != expected {
            return Err(ProblemError::TaskDimension {
                name: self.name.clone(),
                expected,
                found: task.dim(),
            });
        }
        Ok((point, task.coords()))
    }

    #[track_caller]
    fn task<'a>(&self, task: &'a UnitPoint) -> &'a [f64] {
        assert_eq!(
            task.dim(),
            self.task_bounds.len(),
            "one coordinate per task parameter (left: task, right: parameters)"
        );
        task.coords()
    }

    /// The task in natural units.
    fn natural(&self, task: &[f64]) -> Vec<f64> {
        task.iter()
            .zip(&self.task_bounds)
            .map(|(u, (low, high))| low * (1.0 - u) + high * u)
            .collect()
    }

    fn outcome(&self, raw: &[f64]) -> Outcome {
        match self.objectives.to_costs(raw) {
            Ok(costs) => Outcome::Complete(costs),
            Err(error) => Outcome::failed(error.to_string()),
        }
    }
}

/// Implements [`Problem`] for a type with a field `base` and a method `raw(&self, x, θ) -> Vec<f64>`
/// of raw values; more methods of the trait may follow the type.
macro_rules! formula_of_tasks {
    ($type:ty $(, $($more:tt)+)?) => {
        impl crate::Problem for $type {
            fn name(&self) -> &str {
                &self.base.name
            }
            fn space(&self) -> &warmfront_core::SearchSpace {
                &self.base.space
            }
            fn objectives(&self) -> &warmfront_core::Objectives {
                &self.base.objectives
            }
            fn evaluate(
                &self,
                candidate: &warmfront_core::Candidate,
                _: &mut dyn rand::Rng,
            ) -> Result<warmfront_core::Outcome, crate::ProblemError> {
                let (x, task) = self.base.split(candidate)?;
                Ok(self.base.outcome(&self.raw(x, task)))
            }
            fn noise_free(
                &self,
                candidate: &warmfront_core::Candidate,
            ) -> Option<warmfront_core::Outcome> {
                let (x, task) = self.base.split(candidate).ok()?;
                Some(self.base.outcome(&self.raw(x, task)))
            }
            fn reference_point(&self) -> crate::Known<&[f64]> {
                let reference = &self.base.reference;
                crate::Known::new(&reference.value, reference.provenance)
            }
            $($($more)+)?
        }
    };
}
use formula_of_tasks;
