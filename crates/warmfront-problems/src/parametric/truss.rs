use warmfront_core::{Objectives, UnitPoint};

use super::{Base, ParametricProblem, formula_of_tasks};
use crate::{Known, Optimum, Provenance};

/// Perturbations change each coordinate of a design by up to this share of its range.
const PERTURBATION: f64 = 0.05;
/// Stress that the bars of the standard truss may bear, kPa.
const STRESS_LIMIT: f64 = 1e5;

#[derive(Debug, Clone, Copy)]
enum Variant {
    Published,
    TwoBar,
}

/// Robust design of a truss: the task is the design, the inputs are a perturbation of it, and the
/// least cost belongs to the worst perturbation.
///
/// The perturbed design is `q = clamp(θ + 0.1x − 0.05, 0, 1)`. A robust design is a task with the
/// smallest [`worst_case`](Self::worst_case), so a strategy that knows each task's least cost can
/// answer which design to build. Both variants are worst at a corner of the perturbations, which makes
/// solutions exact: the published one is monotone, the standard one convex in each coordinate.
///
/// # References
/// arXiv 2503.08394 for the published variant; Deb, Pratap, Moitra 2000, *Mechanical component design
/// for multiple objectives using elitist non-dominated sorting GA*, for volume and stress of the
/// two-bar truss.
#[derive(Debug, Clone)]
pub struct RobustTruss {
    base: Base,
    variant: Variant,
}

impl RobustTruss {
    /// The truss of the published runs: with `(p₁, p₂) = 2 + 98(q₁, q₂)` and `y = √(p₂² − 1)` the cost
    /// is `−(f₁ + f₂ − 1001)/10⁴`, `f₁ = 10(p₁√(y² + 16) + p₂√(1 + y²))`,
    /// `f₂ = 2·10⁻⁴√(16 + y²)/(p₁y)`.
    ///
    /// The third parameter has no effect and `f₂` is negligible, so that the lightest bars are the
    /// robust design: [`two_bar`](Self::two_bar) is the problem that this one stands for.
    #[must_use]
    pub fn published() -> Self {
        // f₁ and f₂ are positive.
        Self::new(
            "truss_published",
            Variant::Published,
            [(2.0, 100.0), (2.0, 100.0), (1.0, 3.0)],
            0.1001,
        )
    }

    /// The standard two-bar truss: two bars with areas of 2 to 100 cm² that meet 1 to 3 m below their
    /// supports.
    ///
    /// The cost is minus the mean of the volume, as a share of the heaviest design's, and the larger of
    /// the two stresses, as a share of the 10⁵ kPa allowed. With areas `A` in m² and the drop `y` in m,
    /// the volume is `A₁√(16 + y²) + A₂√(1 + y²)` and the stresses are `20√(16 + y²)/(A₁y)` and
    /// `80√(1 + y²)/(A₂y)` kPa. The paper has no such variant; the smallest area and the weights are
    /// chosen here.
    #[must_use]
    pub fn two_bar() -> Self {
        Self::new(
            "truss_two_bar",
            Variant::TwoBar,
            [(2.0, 100.0), (2.0, 100.0), (1.0, 3.0)],
            0.0,
        )
    }

    fn new(name: &str, variant: Variant, bounds: [(f64, f64); 3], reference: f64) -> Self {
        Self {
            base: Base::new(
                name.to_owned(),
                3,
                Objectives::minimize_all(1),
                &bounds,
                Known::new(vec![reference], Provenance::Analytic),
            ),
            variant,
        }
    }

    /// How bad a design is under its worst perturbation, smaller is better: minus the least cost of
    /// the task.
    ///
    /// # Panics
    /// If `design` does not have three coordinates.
    #[must_use]
    #[track_caller]
    pub fn worst_case(&self, design: &UnitPoint) -> f64 {
        let task = self.base.task(design);
        -self.raw(&self.worst(task), task)[0]
    }

    /// A design with the smallest [`worst_case`](Self::worst_case), and that value as its cost.
    #[must_use]
    pub fn robust_design(&self) -> Known<Optimum> {
        let (design, provenance) = match self.variant {
            Variant::Published => ([0.0, 0.0, 0.5], Provenance::Analytic),
            Variant::TwoBar => {
                let method = "random local search on the worst of the eight corners";
                let design = [0.237_593_57, 0.477_584_53, 0.420_798_30];
                (design, Provenance::Approximated { method })
            }
        };
        let point = UnitPoint::clamped(design);
        let cost = self.worst_case(&point);
        Known::new(
            Optimum {
                points: vec![point],
                cost,
            },
            provenance,
        )
    }

    /// The corner of the perturbations with the least cost.
    fn worst(&self, task: &[f64]) -> [f64; 3] {
        let mut worst = ([0.5; 3], f64::INFINITY);
        for corner in 0..8u8 {
            let x = [0, 1, 2].map(|bit| f64::from(corner >> bit & 1));
            let cost = self.raw(&x, task)[0];
            if cost < worst.1 {
                worst = (x, cost);
            }
        }
        worst.0
    }

    fn raw(&self, x: &[f64], task: &[f64]) -> Vec<f64> {
        let perturbed: Vec<f64> = task
            .iter()
            .zip(x)
            .map(|(q, x)| (q + PERTURBATION * (2.0 * x - 1.0)).clamp(0.0, 1.0))
            .collect();
        let natural = self.base.natural(&perturbed);
        let (p1, p2) = (natural[0], natural[1]);
        vec![match self.variant {
            Variant::Published => {
                let y = (p2 * p2 - 1.0).sqrt();
                let long = y.hypot(4.0);
                let weight = 10.0 * (p1 * long + p2 * y.hypot(1.0));
                -(weight + 2e-4 * long / (p1 * y) - 1001.0) / 1e4
            }
            Variant::TwoBar => {
                let y = natural[2];
                let (long, short) = (y.hypot(4.0), y.hypot(1.0));
                // cm² to m².
                let (a1, a2) = (1e-4 * p1, 1e-4 * p2);
                let volume = a1 * long + a2 * short;
                let stress = (20.0 * long / (a1 * y)).max(80.0 * short / (a2 * y));
                let heaviest = 0.01 * (5.0 + 10f64.sqrt());
                -0.5 * (volume / heaviest + stress / STRESS_LIMIT)
            }
        }]
    }
}

formula_of_tasks!(RobustTruss);

impl ParametricProblem for RobustTruss {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &self.base.task_bounds
    }

    fn solution(&self, task: &UnitPoint) -> Option<UnitPoint> {
        Some(UnitPoint::clamped(self.worst(self.base.task(task))))
    }

    fn optimum_of(&self, task: &UnitPoint) -> Option<f64> {
        Some(-self.worst_case(task))
    }
}
