//! Phase-shifted sinusoids in one dimension.
//!
//! Task τ, objective o: `A_τ sin(ω_τ x + φ_τ + (o − 1)·π/6)` on `[0, 1]`, `A ~ U(0.8, 1.2)`,
//! `ω ~ U(1.5π, 2.5π)`, `φ ~ U(0, 0.3)`. Neighbouring objectives correlate with cos(π/6) = 0.866
//! over full periods. The published SMOG experiments name such a family without its constants;
//! these are our own.

use std::f64::consts::PI;

use warmfront_core::{Objectives, Purpose, Seed};

use super::task::SampledReference;
use crate::sample::uniform_in;
use crate::{Design, Problem, Synthetic, TaskFamily};

/// Tasks of phase-shifted sinusoids, one input.
#[derive(Debug, Clone)]
pub struct Sinusoidal {
    seed: Seed,
    objectives: usize,
    noise: f64,
    design: Design,
}

impl Sinusoidal {
    /// A family with this many objectives and noise of standard deviation 0.05.
    ///
    /// # Panics
    /// If there are no objectives.
    #[must_use]
    #[track_caller]
    pub fn new(objectives: usize, seed: Seed) -> Self {
        assert!(objectives > 0, "at least one objective is needed, got 0");
        Self {
            seed,
            objectives,
            noise: 0.05,
            design: Design::Uniform,
        }
    }

    /// The same family with another standard deviation of the noise.
    #[must_use]
    pub fn with_noise(self, noise: f64) -> Self {
        Self { noise, ..self }
    }

    /// The same family with meta-data placed otherwise.
    #[must_use]
    pub fn with_design(self, design: Design) -> Self {
        Self { design, ..self }
    }
}

impl TaskFamily for Sinusoidal {
    fn name(&self) -> &str {
        "sinusoidal"
    }

    fn len(&self) -> Option<usize> {
        None
    }

    fn task(&self, index: usize) -> Box<dyn Problem> {
        let mut rng = self.seed.child(index as u64).stream(Purpose::Init, 0);
        let amplitude = uniform_in(0.8, 1.2, &mut rng);
        let frequency = uniform_in(1.5 * PI, 2.5 * PI, &mut rng);
        let phase = uniform_in(0.0, 0.3, &mut rng);
        let problem = Synthetic::new(
            &format!("sinusoidal_{index}"),
            &[(0.0, 1.0)],
            Objectives::minimize_all(self.objectives),
            move |x, y| {
                for (o, value) in y.iter_mut().enumerate() {
                    *value = amplitude * (frequency * x[0] + phase + o as f64 * PI / 6.0).sin();
                }
            },
        );
        let noise = vec![self.noise; self.objectives];
        Box::new(SampledReference::new(problem.with_noise(&noise)))
    }

    fn design(&self) -> Design {
        self.design
    }
}
