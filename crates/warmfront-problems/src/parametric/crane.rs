use std::f64::consts::TAU;

use warmfront_core::Objectives;

use super::{Base, ParametricProblem, formula_of_tasks};
use crate::{Known, Provenance};

const GRAVITY: f64 = 9.8;
/// Mass of the trolley, kg.
const TROLLEY: f64 = 42_000.0;
/// Speed to reach, m/s.
const SPEED: f64 = 0.7;
/// Drive force while on, N; while off it is 0.
const FORCE: f64 = 24_107.0;

#[derive(Debug, Clone, Copy)]
enum Tasks {
    Conditions,
    Delays,
}

/// An overhead crane's on–off–on drive: the inputs are three switching times, the cost is the swing
/// that is left and the time taken.
///
/// The formula is that of the published runs, to the letter: `cos` and `sin` of `(ωS)²` stand where
/// the physics suggests squares of `cos ωS` and `sin ωS`, and a residual energy below 0.01 counts as 0.
/// Costs are above −0.1; the least cost of a task is not known in closed form, the floor is approached
/// to about 10⁻⁶ where the swing vanishes.
///
/// # References
/// arXiv 2503.08394, with the constants of the problems released with it.
#[derive(Debug, Clone)]
pub struct Crane {
    base: Base,
    tasks: Tasks,
}

/// What differs between evaluations.
struct Drive {
    /// Load, kg.
    load: f64,
    /// Length of the rope, m.
    rope: f64,
    /// Rolling resistance, as a share of the weight.
    resistance: f64,
    /// Seconds on, off and on.
    times: [f64; 3],
}

impl Drive {
    fn cost(&self) -> f64 {
        let [t1, t2, t3] = self.times;
        let total = t1 + t2 + t3;
        let mass = TROLLEY + self.load;
        let drag = self.resistance * GRAVITY * mass;
        let pendulum2 = GRAVITY / self.rope;
        let omega2 = pendulum2 * mass / TROLLEY;
        let omega = omega2.sqrt();
        let net = FORCE - drag;
        let sines = (omega * t3).sin() - (omega * (t2 + t3)).sin();
        let cosines = (omega * t3).cos() - (omega * (t2 + t3)).cos();
        let phase2 = (omega * total).powi(2);
        let swing = TROLLEY * SPEED * omega * omega2
            - omega * pendulum2 * (FORCE * (t1 + t3) - total * drag)
            + pendulum2 * (FORCE * sines + net * (omega * total).sin());
        let terms = omega2 * pendulum2.powi(2) * (net - FORCE * cosines) - net * phase2.cos()
            + omega2.powi(2) * FORCE * sines
            + net * phase2.sin()
            + swing * swing;
        let residual = self.load / (2.0 * TROLLEY.powi(2) * omega2.powi(3)) * terms;
        let energy = if residual >= 0.01 {
            1e6 * residual
        } else {
            0.0
        };
        1e-6 * (2.0 * energy / (self.load * SPEED * SPEED) + omega * total / TAU - 1e5)
    }
}

impl Crane {
    fn new(name: &str, tasks: Tasks, bounds: &[(f64, f64)], reference: f64) -> Self {
        let method = "the largest cost found by 200 coordinate searches, rounded up";
        Self {
            base: Base::new(
                name.to_owned(),
                3,
                Objectives::minimize_all(1),
                bounds,
                Known::new(vec![reference], Provenance::Approximated { method }),
            ),
            tasks,
        }
    }

    /// Tasks are the load (8 to 12 t), the length of the rope (5 to 8 m) and the rolling resistance
    /// (0.005 to 0.015 of the weight); inputs are three durations of up to 3 s.
    #[must_use]
    pub fn operating_conditions() -> Self {
        let bounds = [(8_000.0, 12_000.0), (5.0, 8.0), (0.005, 0.015)];
        Self::new(
            "crane_operating_conditions",
            Tasks::Conditions,
            &bounds,
            15.0,
        )
    }

    /// Tasks are what delays add to each of the three durations, up to 1 s; inputs are durations of
    /// up to 2 s.
    #[must_use]
    pub fn actuation_delays() -> Self {
        Self::new(
            "crane_actuation_delays",
            Tasks::Delays,
            &[(0.0, 1.0); 3],
            9.0,
        )
    }

    fn raw(&self, x: &[f64], task: &[f64]) -> Vec<f64> {
        let natural = self.base.natural(task);
        let drive = match self.tasks {
            Tasks::Conditions => Drive {
                load: natural[0],
                rope: natural[1],
                resistance: natural[2],
                times: [0, 1, 2].map(|i| 3.0 * x[i]),
            },
            Tasks::Delays => Drive {
                load: 10_000.0,
                rope: 6.5,
                resistance: 0.01,
                times: [0, 1, 2].map(|i| 2.0 * x[i] + natural[i]),
            },
        };
        vec![drive.cost()]
    }
}

formula_of_tasks!(Crane);

impl ParametricProblem for Crane {
    fn task_bounds(&self) -> &[(f64, f64)] {
        &self.base.task_bounds
    }
}
