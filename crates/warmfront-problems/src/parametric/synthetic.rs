use std::f64::consts::{E, PI, TAU};

use warmfront_core::{Objectives, UnitPoint};

use super::griewank::published_minimiser;
use super::{Base, ParametricProblem, formula_of_tasks};
use crate::{Known, Provenance};

/// The function of `u = c·(x − σ)` that a [`ParametricSynthetic`] problem has, `σ` the task's optimal
/// solution. All are least at `u = 0`, with the value 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParametricFunction {
    /// `Σ u²`, `c = 4`.
    Sphere,
    /// Ackley's function with its usual constants, `c = 4`.
    Ackley,
    /// `Σ (u² − 10 cos 2πu + 10)`, `c = 20`.
    Rastrigin,
    /// `Σ u²/4000 − Π cos(u_i/√i) + 1`, `c = 600`.
    Griewank {
        /// The variant that the published runs were made with: `√i` divides the shift only,
        /// `cos(600 x_i − 600 σ_i/√i)`. The least value is then a little above 0 and not at `σ`,
        /// where it may be anything up to 2. What is said of solution and optimum is computed.
        published_shift: bool,
    },
}

/// How the optimal solution of a [`ParametricSynthetic`] problem moves with the task: a function of
/// each coordinate of the linear image `z = Lθ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskShift {
    /// `σ(z) = (sin(5(z + ½)) + 1)/2`.
    I,
    /// `σ(z) = 0.3(1 + sin(5πz − π/2)) + 0.3(z − 0.2)²`, faster.
    II,
}

impl TaskShift {
    fn at(self, z: f64) -> f64 {
        let shift = match self {
            Self::I => 0.5 * ((5.0 * (z + 0.5)).sin() + 1.0),
            Self::II => 0.3 * (1.0 + (5.0 * PI * z - 0.5 * PI).sin()) + 0.3 * (z - 0.2).powi(2),
        };
        shift.clamp(0.0, 1.0)
    }
}

/// A test function whose optimal solution moves with the task: `x*(θ) = σ(Lθ)`, of any number of
/// inputs `V` and task parameters `D`.
///
/// Coordinate `i = 0 … V−1` of `Lθ` is `(V−1−i)/(V−1)·θ_a + i/(V−1)·θ_{a+1}` with `a = i mod (D−1)`,
/// counted from 0; with one input or one task parameter it is `θ_0`. With `D > V` some parameters may
/// have no effect.
///
/// ```
/// use warmfront_core::UnitPoint;
/// use warmfront_problems::parametric::{
///     ParametricFunction, ParametricProblem, ParametricSynthetic, TaskShift,
/// };
///
/// let sphere = ParametricSynthetic::new(ParametricFunction::Sphere, TaskShift::I, 4, 5);
/// let task = UnitPoint::new([0.0, 0.2, 0.4, 0.6, 0.8])?;
/// let solution = sphere.solution(&task).expect("known");
/// assert!((solution.coords()[0] - (2.5f64.sin() + 1.0) / 2.0).abs() < 1e-15);
/// assert_eq!(sphere.optimum_of(&task), Some(0.0));
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
///
/// # References
/// arXiv 2503.08394 and the problems released with it.
#[derive(Debug, Clone)]
pub struct ParametricSynthetic {
    base: Base,
    function: ParametricFunction,
    shift: TaskShift,
}

impl ParametricSynthetic {
    /// The problem with `v` inputs and `d` task parameters, both at least 1.
    ///
    /// # Panics
    /// If `v` or `d` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(function: ParametricFunction, shift: TaskShift, v: usize, d: usize) -> Self {
        assert!(
            v > 0 && d > 0,
            "inputs and task parameters must be at least 1, got {v} and {d}"
        );
        let n = v as f64;
        // |x − σ| ≤ 1 bounds each function.
        let (name, bound) = match function {
            ParametricFunction::Sphere => ("sphere", 16.0 * n),
            ParametricFunction::Ackley => {
                let decay = 20.0 * (1.0 - (-0.8f64).exp());
                ("ackley", decay + E - (-1.0f64).exp())
            }
            ParametricFunction::Rastrigin => ("rastrigin", 420.0 * n),
            ParametricFunction::Griewank {
                published_shift: false,
            } => ("griewank", 90.0 * n + 2.0),
            ParametricFunction::Griewank {
                published_shift: true,
            } => ("griewank_published", 90.0 * n + 2.0),
        };
        let suffix = match shift {
            TaskShift::I => "i",
            TaskShift::II => "ii",
        };
        Self {
            base: Base::new(
                format!("{name}_{suffix}_v{v}_d{d}"),
                v,
                Objectives::minimize_all(1),
                &vec![(0.0, 1.0); d],
                Known::new(vec![bound], Provenance::Analytic),
            ),
            function,
            shift,
        }
    }

    /// The eight problems of the paper, with four inputs and five task parameters and Griewank's
    /// function as it was run: first Sphere, Ackley, Rastrigin and Griewank with
    /// [`TaskShift::I`], then the same with [`TaskShift::II`].
    #[must_use]
    pub fn published() -> Vec<Self> {
        let functions = [
            ParametricFunction::Sphere,
            ParametricFunction::Ackley,
            ParametricFunction::Rastrigin,
            ParametricFunction::Griewank {
                published_shift: true,
            },
        ];
        [TaskShift::I, TaskShift::II]
            .into_iter()
            .flat_map(|shift| functions.map(|function| Self::new(function, shift, 4, 5)))
            .collect()
    }

    /// The function.
    #[must_use]
    pub fn function(&self) -> ParametricFunction {
        self.function
    }

    /// How the optimal solution moves.
    #[must_use]
    pub fn shift(&self) -> TaskShift {
        self.shift
    }

    fn published_griewank(&self) -> bool {
        matches!(
            self.function,
            ParametricFunction::Griewank {
                published_shift: true
            }
        )
    }

    fn shifts(&self, task: &[f64]) -> Vec<f64> {
        shifts(self.shift, self.base.space.dim(), task)
    }

    fn raw(&self, x: &[f64], task: &[f64]) -> Vec<f64> {
        let shifts = self.shifts(task);
        let u = |scale: f64| x.iter().zip(&shifts).map(move |(x, s)| scale * (x - s));
        let n = x.len() as f64;
        let value = match self.function {
            ParametricFunction::Sphere => u(4.0).map(|u| u * u).sum(),
            ParametricFunction::Ackley => {
                let spread = (u(4.0).map(|u| u * u).sum::<f64>() / n).sqrt();
                let waves = u(4.0).map(|u| (TAU * u).cos()).sum::<f64>() / n;
                // exp_m1 keeps the digits near the optimum, and 0 at it.
                -20.0 * (-0.2 * spread).exp_m1() - E * (waves - 1.0).exp_m1()
            }
            ParametricFunction::Rastrigin => u(20.0)
                .map(|u| u * u + 10.0 * (1.0 - (TAU * u).cos()))
                .sum(),
            ParametricFunction::Griewank { published_shift } => {
                let bowl = u(600.0).map(|u| u * u).sum::<f64>() / 4000.0;
                let waves: f64 = x
                    .iter()
                    .zip(&shifts)
                    .enumerate()
                    .map(|(i, (x, s))| {
                        let root = ((i + 1) as f64).sqrt();
                        if published_shift {
                            (600.0 * x - 600.0 * s / root).cos()
                        } else {
                            (600.0 * (x - s) / root).cos()
                        }
                    })
                    .product();
                bowl + (1.0 - waves)
            }
        };
        vec![value]
    }
}

/// `σ(Lθ)` for `v` inputs.
pub(super) fn shifts(shift: TaskShift, v: usize, task: &[f64]) -> Vec<f64> {
    let image = |i: usize| {
        if v == 1 || task.len() == 1 {
            return task[0];
        }
        let weight = i as f64 / (v - 1) as f64;
        let first = i % (task.len() - 1);
        (1.0 - weight) * task[first] + weight * task[first + 1]
    };
    (0..v).map(|i| shift.at(image(i))).collect()
}

formula_of_tasks!(ParametricSynthetic);

impl ParametricProblem for ParametricSynthetic {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &self.base.task_bounds
    }

    fn solution(&self, task: &UnitPoint) -> Option<UnitPoint> {
        let shifts = self.shifts(self.base.task(task));
        Some(UnitPoint::clamped(if self.published_griewank() {
            published_minimiser(&shifts)
        } else {
            shifts
        }))
    }

    fn optimum_of(&self, task: &UnitPoint) -> Option<f64> {
        if self.published_griewank() {
            let solution = self.solution(task)?;
            return Some(self.raw(solution.coords(), task.coords())[0]);
        }
        self.base.task(task);
        Some(0.0)
    }

    fn solution_provenance(&self) -> Provenance {
        if self.published_griewank() {
            Provenance::Approximated {
                method: "the least of the local minima next to the task's shift, by a fixed point",
            }
        } else {
            Provenance::Analytic
        }
    }
}
