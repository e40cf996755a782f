use std::f64::consts::PI;

use warmfront_core::{Objective, Objectives, UnitPoint};

use super::{Base, ParametricProblem, formula_of_tasks};
use crate::{Known, Provenance};

/// Largest yaw and pitch either way, radians.
const ANGLE: f64 = PI / 12.0;
/// Speed of the arrow, m/s.
const SPEED: f64 = 70.0;
/// Half the acceleration of gravity as the source rounds it, m/s².
const HALF_GRAVITY: f64 = 4.9;
/// Width of a ring of the target, m.
const RING: f64 = 0.061;

/// An arrow shot at a target: the inputs are yaw and pitch, up to π/12 either way; the task is the
/// distance, 5 to 40 m, and the acceleration by a side wind, up to 10 m/s² either way.
///
/// The score, to maximise, is the ring that is hit: 1 within 6.1 cm of the middle, a tenth less for
/// each ring outwards, 0 beyond ten. So the costs, from −1 to 0, have plateaus, and over most of the
/// inputs nothing is hit at all.
///
/// # References
/// Anne, Mouret 2024, *Parametric-Task MAP-Elites* (arXiv 2402.01275).
#[derive(Debug, Clone)]
pub struct Archery {
    base: Base,
}

impl Default for Archery {
    fn default() -> Self {
        Self::new()
    }
}

impl Archery {
    /// The problem: two inputs and two task parameters.
    #[must_use]
    pub fn new() -> Self {
        let objectives =
            Objectives::new([Objective::maximize("score")]).expect("one named objective");
        Self {
            base: Base::new(
                "archery".to_owned(),
                2,
                objectives,
                &[(5.0, 40.0), (-10.0, 10.0)],
                Known::new(vec![0.0], Provenance::Analytic),
            ),
        }
    }

    fn raw(&self, x: &[f64], task: &[f64]) -> Vec<f64> {
        let natural = self.base.natural(task);
        let (distance, wind) = (natural[0], natural[1]);
        let (yaw, pitch) = (ANGLE * (2.0 * x[0] - 1.0), ANGLE * (2.0 * x[1] - 1.0));
        let time = distance / (SPEED * yaw.cos() * pitch.cos());
        let aside = time * (0.5 * wind * time - SPEED * yaw.sin());
        let above = time * (SPEED * yaw.cos() * pitch.sin() - HALF_GRAVITY * time);
        let ring = (aside.hypot(above) / RING).floor();
        vec![(10.0 - ring).max(0.0) / 10.0]
    }

    /// The angles that hit the middle, by the flatter of the two trajectories.
    fn aim(&self, task: &[f64]) -> Vec<f64> {
        let natural = self.base.natural(task);
        let (distance, wind) = (natural[0], natural[1]);
        // With flight time t, the speed 70² = (wt/2)² + (d/t)² + (4.9t)² is a quadratic in t².
        let speed2 = SPEED * SPEED;
        let curvature = 0.25 * wind * wind + HALF_GRAVITY * HALF_GRAVITY;
        let root = (speed2 * speed2 - 4.0 * distance * distance * curvature).sqrt();
        let time2 = 2.0 * distance * distance / (speed2 + root);
        let yaw = (0.5 * wind * time2.sqrt() / SPEED).asin();
        let pitch = (HALF_GRAVITY * time2 / distance).atan();
        [yaw, pitch]
            .map(|angle| 0.5 * (angle / ANGLE + 1.0))
            .to_vec()
    }
}

formula_of_tasks!(Archery);

impl ParametricProblem for Archery {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &self.base.task_bounds
    }

    fn solution(&self, task: &UnitPoint) -> Option<UnitPoint> {
        Some(UnitPoint::clamped(self.aim(self.base.task(task))))
    }

    fn optimum_of(&self, task: &UnitPoint) -> Option<f64> {
        self.base.task(task);
        Some(-1.0)
    }
}
