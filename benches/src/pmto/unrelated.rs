//! A box of tasks that have nothing in common.

use anyhow::Context as _;
use rand::Rng;
use warmfront_core::{Candidate, Costs, Objectives, Outcome, SearchSpace, UnitPoint};
use warmfront_problems::parametric::ParametricProblem;
use warmfront_problems::{Known, Problem, ProblemError, Provenance};

use crate::cell::fnv1a;

/// Cells of the task box in each parameter.
const CELLS: f64 = 64.0;

/// `Σ (4(x − σ(θ)))²` whose `σ` is one pseudo-random point in each of 64 × 64 cells of the task box.
///
/// Whatever is learnt from one task is wrong about another, unless both happen to share a cell:
/// what a method loses by expecting otherwise is negative transfer.
#[derive(Debug, Clone)]
pub struct UnrelatedSpheres {
    space: SearchSpace,
    objectives: Objectives,
    reference: [f64; 1],
}

impl UnrelatedSpheres {
    /// The problem with three inputs and two task parameters.
    #[must_use]
    pub fn new() -> Self {
        Self {
            space: SearchSpace::unit_cube(3),
            objectives: Objectives::minimize_all(1),
            reference: [48.0],
        }
    }

    fn shifts(task: &[f64]) -> [f64; 3] {
        let cell = task.iter().fold(0_u64, |index, t| {
            // Below 64, as a task lies in the unit box.
            let digit = (t * CELLS).floor().min(CELLS - 1.0) as u64;
            64 * index + digit
        });
        [0_u64, 1, 2].map(|i| {
            let hash = fnv1a(&[cell.to_le_bytes(), i.to_le_bytes()].concat());
            // The low bits of the hash mix best.
            (hash % 1_000_003) as f64 / 1_000_002.0
        })
    }

    fn value(&self, candidate: &Candidate) -> Result<f64, ProblemError> {
        let expected = 2;
        let name = self.name().to_owned();
        let Some(task) = &candidate.task else {
            return Err(ProblemError::NoTask { name, expected });
        };
        if task.dim() != expected {
            let found = task.dim();
            return Err(ProblemError::TaskDimension {
                name,
                expected,
                found,
            });
        }
        let shifts = Self::shifts(task.coords());
        let squares = candidate.point.coords().iter().zip(shifts);
        Ok(squares.map(|(x, s)| 16.0 * (x - s).powi(2)).sum())
    }
}

impl Default for UnrelatedSpheres {
    fn default() -> Self {
        Self::new()
    }
}

fn outcome(value: f64) -> Outcome {
    match Costs::from_values(vec![value]).context("not finite") {
        Ok(costs) => Outcome::Complete(costs),
        Err(error) => Outcome::failed(error.to_string()),
    }
}

impl Problem for UnrelatedSpheres {
    fn name(&self) -> &str {
        "unrelated_spheres"
    }

    fn space(&self) -> &SearchSpace {
        &self.space
    }

    fn objectives(&self) -> &Objectives {
        &self.objectives
    }

    fn evaluate(&self, candidate: &Candidate, _: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        self.value(candidate).map(outcome)
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        self.value(candidate).ok().map(outcome)
    }

    fn reference_point(&self) -> Known<&[f64]> {
        Known::new(&self.reference, Provenance::Analytic)
    }
}

impl ParametricProblem for UnrelatedSpheres {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &[(0.0, 1.0); 2]
    }

    fn solution(&self, task: &UnitPoint) -> Option<UnitPoint> {
        Some(UnitPoint::clamped(Self::shifts(task.coords())))
    }

    fn optimum_of(&self, _: &UnitPoint) -> Option<f64> {
        Some(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_of_neighbours_are_as_far_apart_as_any_two_points() {
        let steps = 60;
        let problem = UnrelatedSpheres::new();
        let at = |i: i32, j: i32| {
            let task = [f64::from(i), f64::from(j)].map(|t| (t + 0.5) / 64.0);
            let task = UnitPoint::clamped(task);
            let best = problem.solution(&task).expect("known");
            let candidate = Candidate::at(best.clone()).with_task(task);
            assert!(problem.value(&candidate).expect("a task") < 1e-12);
            best.coords().to_vec()
        };
        let mut squares = 0.0;
        let mut means = [0.0; 3];
        for i in 0..steps {
            let (here, next) = (at(i, 2 * i % 63), at(i + 1, 2 * i % 63));
            for (k, mean) in means.iter_mut().enumerate() {
                squares += (here[k] - next[k]).powi(2);
                *mean += here[k] / f64::from(steps);
            }
        }
        // Uniform coordinates differ by 1/6 in the mean square.
        let square = squares / f64::from(3 * steps);
        assert!((square - 1.0 / 6.0).abs() < 0.05, "{square}");
        assert!(means.iter().all(|m| (m - 0.5).abs() < 0.15), "{means:?}");
    }
}
