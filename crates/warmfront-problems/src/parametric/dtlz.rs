use warmfront_core::{Objectives, UnitPoint};

use super::{Base, ParametricProblem, formula_of_tasks};
use crate::dtlz::{dtlz1, dtlz2, dtlz3};
use crate::{Known, Provenance, Synthetic};

/// Which of the DTLZ problems a [`ParametricDtlz`] is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DtlzKind {
    /// A linear front behind many local fronts.
    Dtlz1,
    /// A quarter circle.
    Dtlz2,
    /// A quarter circle behind many local fronts.
    Dtlz3,
}

/// A DTLZ problem with two objectives whose inputs are bent by the task: it sees `x^p` with
/// `p = 0.8 + 0.2θ₂`, coordinate by coordinate, and `θ₁` has no effect.
///
/// All tasks have the same front and differ in the solutions that lead to it,
/// [`front_solution`](Self::front_solution).
///
/// # References
/// arXiv 2511.09598, with its reference points; Deb, Thiele, Laumanns, Zitzler 2002.
pub struct ParametricDtlz {
    base: Base,
    problem: Synthetic,
}

impl ParametricDtlz {
    /// The problem with `v` inputs, at least 3; the paper's have 5.
    ///
    /// # Panics
    /// If `v < 3`.
    #[must_use]
    #[track_caller]
    pub fn new(kind: DtlzKind, v: usize) -> Self {
        assert!(v >= 3, "a problem needs at least 3 inputs, got {v}");
        let n = v as f64;
        let (name, problem, reference) = match kind {
            DtlzKind::Dtlz1 => ("dtlz1", dtlz1(v, 2), 160.0 + 100.0 * (n - 2.0)),
            DtlzKind::Dtlz2 => ("dtlz2", dtlz2(v, 2), 2.0),
            DtlzKind::Dtlz3 => ("dtlz3", dtlz3(v, 2), 180.0 * n),
        };
        let source = "arXiv 2511.09598";
        Self {
            base: Base::new(
                format!("parametric_{name}_v{v}"),
                v,
                Objectives::minimize_all(2),
                &[(0.0, 1.0); 2],
                Known::new(vec![reference; 2], Provenance::Reported { source }),
            ),
            problem,
        }
    }

    /// The solution of a task that leads to the front at `position ∈ [0, 1]`, from the end where the
    /// first objective is 0 to the other end with DTLZ1, the other way round with DTLZ2 and 3.
    ///
    /// # Panics
    /// If `task` does not have two coordinates or `position` is outside `[0, 1]`.
    #[must_use]
    #[track_caller]
    pub fn front_solution(&self, task: &UnitPoint, position: f64) -> UnitPoint {
        assert!(
            (0.0..=1.0).contains(&position),
            "a position on the front is in [0, 1], got {position}"
        );
        let power = power(self.base.task(task));
        let mut x = vec![0.5f64.powf(1.0 / power); self.base.space.dim()];
        x[0] = position.powf(1.0 / power);
        UnitPoint::clamped(x)
    }

    fn raw(&self, x: &[f64], task: &[f64]) -> Vec<f64> {
        let power = power(task);
        let bent: Vec<f64> = x.iter().map(|x| x.powf(power)).collect();
        self.problem.value(&bent)
    }
}

fn power(task: &[f64]) -> f64 {
    0.8 + 0.2 * task[1]
}

formula_of_tasks! {
    ParametricDtlz,
    fn max_hypervolume(&self) -> Option<Known<f64>> {
        // The front does not move, so what it leaves out is the same under any reference above it.
        let area = |reference: &[f64]| reference.iter().product::<f64>();
        let theirs = area(self.problem.reference_point().value);
        let ours = area(&self.base.reference.value);
        self.problem
            .max_hypervolume()
            .map(|best| best.map(|best| ours - (theirs - best)))
    }
    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        self.problem.front(points)
    }
}

impl ParametricProblem for ParametricDtlz {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &self.base.task_bounds
    }
}
