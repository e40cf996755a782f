use warmfront_core::{Objectives, UnitPoint};

use super::synthetic::{TaskShift, shifts};
use super::{Base, ParametricProblem, formula_of_tasks};
use crate::dtlz::{dtlz2, dtlz7};
use crate::zdt::{zdt1, zdt2, zdt3};
use crate::{Known, Problem, Provenance, Synthetic};

/// Which problem with two objectives a [`ShiftedFront`] is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrontKind {
    /// A convex front.
    Zdt1,
    /// A concave front.
    Zdt2,
    /// A front in five pieces.
    Zdt3,
    /// A quarter circle.
    Dtlz2,
    /// A front in two pieces.
    Dtlz7,
}

/// A problem with two objectives whose front is reached at inputs that move with the task.
///
/// The first input places a point along the front at `x₁^p`, `p = 2^(2θ₁−1)`. Of each other input the
/// problem sees the distance `|x_i − σ_i(Lθ)|` from the task's own best value, with the shifts of
/// [`ParametricSynthetic`](super::ParametricSynthetic); DTLZ2, which is best at ½, sees
/// `½ + ½(x_i − σ_i)`. All tasks have the same front and differ in the solutions that lead to it,
/// [`front_solution`](Self::front_solution).
///
/// # References
/// Chosen here, out of the shifts of arXiv 2503.08394 and problems of Zitzler, Deb, Thiele 2000 and
/// Deb, Thiele, Laumanns, Zitzler 2002.
pub struct ShiftedFront {
    base: Base,
    problem: Synthetic,
    kind: FrontKind,
    shift: TaskShift,
}

impl ShiftedFront {
    /// The problem with `v` inputs, at least 3, and `d` task parameters, at least 1.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    #[track_caller]
    pub fn new(kind: FrontKind, shift: TaskShift, v: usize, d: usize) -> Self {
        assert!(
            v >= 3 && d >= 1,
            "inputs must be at least 3 and task parameters at least 1, got {v} and {d}"
        );
        let (name, problem) = match kind {
            FrontKind::Zdt1 => ("zdt1", zdt1(v)),
            FrontKind::Zdt2 => ("zdt2", zdt2(v)),
            FrontKind::Zdt3 => ("zdt3", zdt3(v)),
            FrontKind::Dtlz2 => ("dtlz2", dtlz2(v, 2)),
            FrontKind::Dtlz7 => ("dtlz7", dtlz7(v, 2)),
        };
        let suffix = match shift {
            TaskShift::I => "i",
            TaskShift::II => "ii",
        };
        let reference = problem.reference_point();
        let reference = Known::new(reference.value.to_vec(), reference.provenance);
        Self {
            base: Base::new(
                format!("shifted_{name}_{suffix}_v{v}_d{d}"),
                v,
                Objectives::minimize_all(2),
                &vec![(0.0, 1.0); d],
                reference,
            ),
            problem,
            kind,
            shift,
        }
    }

    /// The solution of a task that leads to the front where the problem's first input is `position`.
    ///
    /// With ZDT3 and DTLZ7 not every position is on the front.
    ///
    /// # Panics
    /// If `task` is of another dimension or `position` is outside `[0, 1]`.
    #[must_use]
    #[track_caller]
    pub fn front_solution(&self, task: &UnitPoint, position: f64) -> UnitPoint {
        assert!(
            (0.0..=1.0).contains(&position),
            "a position on the front is in [0, 1], got {position}"
        );
        let task = self.base.task(task);
        let mut x = shifts(self.shift, self.base.space.dim(), task);
        x[0] = position.powf(1.0 / power(task));
        UnitPoint::clamped(x)
    }

    fn raw(&self, x: &[f64], task: &[f64]) -> Vec<f64> {
        let shifts = shifts(self.shift, x.len(), task);
        let mut seen: Vec<f64> = x
            .iter()
            .zip(&shifts)
            .map(|(x, s)| match self.kind {
                FrontKind::Dtlz2 => 0.5 + 0.5 * (x - s),
                _ => (x - s).abs(),
            })
            .collect();
        seen[0] = x[0].powf(power(task));
        self.problem.value(&seen)
    }
}

fn power(task: &[f64]) -> f64 {
    (2.0 * task[0] - 1.0).exp2()
}

formula_of_tasks! {
    ShiftedFront,
    fn max_hypervolume(&self) -> Option<Known<f64>> {
        self.problem.max_hypervolume()
    }
    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        self.problem.front(points)
    }
}

impl ParametricProblem for ShiftedFront {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &self.base.task_bounds
    }

    fn solution_provenance(&self) -> Provenance {
        Provenance::Analytic
    }
}
