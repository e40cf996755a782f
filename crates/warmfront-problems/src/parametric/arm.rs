use std::f64::consts::TAU;

use warmfront_core::{Objectives, UnitPoint};
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};

use super::{Base, ParametricProblem, formula_of_tasks};
use crate::{Known, Provenance};

/// Where the end of the arm should be.
const TARGET: [f64; 2] = [0.5, 0.5];

/// A planar arm that reaches for the point (½, ½): the inputs are its joint angles, the task is how
/// far the joints turn and how long the arm is.
///
/// With `V` joints, `a = (½θ₁ + ½)/V` and `l = (½θ₂ + ½)/V`, joint `k` stands at
/// `φ_k = Σ_{j≤k} 2πa(x_j − ½)`, the end at `e = Σ_k l(cos φ_k, sin φ_k)`, and the cost is
/// `1 − exp(−‖e − (½, ½)‖)`, below 1. Arms shorter than `√½` cannot reach the point.
///
/// Solutions are computed with L-BFGS-B from ten bent arms; where the point is reached there are many
/// of them, and neighbouring tasks may be answered by different ones.
///
/// # References
/// Mouret, Maguire 2020 (arXiv 2003.04407), where the arm comes from; arXiv 2503.08394 for these
/// ranges.
#[derive(Debug, Clone)]
pub struct PlanarArm {
    base: Base,
}

impl PlanarArm {
    /// The arm with this many joints, at least one; the paper's has 3.
    ///
    /// # Panics
    /// If `joints` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(joints: usize) -> Self {
        assert!(joints > 0, "an arm needs at least one joint, got 0");
        Self {
            base: Base::new(
                format!("planar_arm_v{joints}"),
                joints,
                Objectives::minimize_all(1),
                &[(0.5, 1.0); 2],
                Known::new(vec![1.0], Provenance::Analytic),
            ),
        }
    }

    /// Range of a joint in turns and length of a link.
    fn joint(&self, task: &[f64]) -> (f64, f64) {
        let joints = self.base.space.dim() as f64;
        let natural = self.base.natural(task);
        (natural[0] / joints, natural[1] / joints)
    }

    /// The vector from the target to the end of the arm; the links' vectors are added to `links`.
    fn miss(x: &[f64], (range, length): (f64, f64), links: &mut Vec<[f64; 2]>) -> [f64; 2] {
        let mut miss = [-TARGET[0], -TARGET[1]];
        let mut angle = 0.0;
        for x in x {
            angle += TAU * range * (x - 0.5);
            let link = [length * f64::cos(angle), length * f64::sin(angle)];
            miss[0] += link[0];
            miss[1] += link[1];
            links.push(link);
        }
        miss
    }

    fn raw(&self, x: &[f64], task: &[f64]) -> Vec<f64> {
        let miss = Self::miss(x, self.joint(task), &mut Vec::with_capacity(x.len()));
        vec![-(-miss[0].hypot(miss[1])).exp_m1()]
    }

    fn reach(&self, task: &[f64]) -> Vec<f64> {
        let joints = self.base.space.dim();
        let joint = self.joint(task);
        let mut links = Vec::with_capacity(joints);
        let mut distance = |x: &[f64], gradient: &mut [f64]| {
            links.clear();
            let miss = Self::miss(x, joint, &mut links);
            // A joint turns every link after it.
            let mut turned = 0.0;
            for (slope, link) in gradient.iter_mut().zip(&links).rev() {
                turned += link[0] * miss[1] - link[1] * miss[0];
                *slope = 2.0 * TAU * joint.0 * turned;
            }
            miss[0] * miss[0] + miss[1] * miss[1]
        };
        let config = LbfgsbConfig {
            f_tolerance: 0.0,
            gradient_tolerance: 1e-13,
            ..LbfgsbConfig::default()
        };
        let (lower, upper) = (vec![0.0; joints], vec![1.0; joints]);
        let mut best = (f64::INFINITY, vec![0.5; joints]);
        for first in [0.75, 1.0] {
            for rest in [0.5, 0.25, 0.75, 0.0, 1.0] {
                let mut start = vec![rest; joints];
                start[0] = first;
                let found = minimize(&mut distance, &start, &lower, &upper, &config);
                if found.value < best.0 {
                    best = (found.value, found.x);
                }
                if best.0 < 1e-24 {
                    return best.1;
                }
            }
        }
        best.1
    }
}

formula_of_tasks!(PlanarArm);

impl ParametricProblem for PlanarArm {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &self.base.task_bounds
    }

    fn solution(&self, task: &UnitPoint) -> Option<UnitPoint> {
        Some(UnitPoint::clamped(self.reach(self.base.task(task))))
    }

    fn optimum_of(&self, task: &UnitPoint) -> Option<f64> {
        let solution = self.solution(task)?;
        Some(self.raw(solution.coords(), task.coords())[0])
    }

    fn solution_provenance(&self) -> Provenance {
        Provenance::Approximated {
            method: "L-BFGS-B from ten bent arms",
        }
    }
}
