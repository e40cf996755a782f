//! Multi-objective Hartmann families in six dimensions.
//!
//! Objective o of a task is `f(x + ε_o; α)` with `ε_o = 0.1·(o − 1)` on every coordinate and `f`
//! the Hartmann function with well depths `α`.
//!
//! # References
//! The single-objective family, with `α` drawn close to the standard, is that of ScaML-GP
//! (arXiv 2312.00742); the offsets between objectives are our reading of SMOG (arXiv 2601.22131).

use warmfront_core::{Objectives, Purpose, Seed};

use super::task::SampledReference;
use crate::hartmann::hartmann6_value;
use crate::sample::{permutation, uniform_in};
use crate::{Design, Problem, Synthetic, TaskFamily};

/// Ranges from which the well depths of a task are drawn.
const ALPHA_RANGES: [(f64, f64); 4] = [(1.0, 1.02), (1.18, 1.2), (2.8, 3.0), (3.2, 3.4)];
const OFFSET: f64 = 0.1;
const NOISE: f64 = 0.1;

#[derive(Debug, Clone)]
struct Settings {
    seed: Seed,
    objectives: usize,
    noise: f64,
    design: Design,
}

impl Settings {
    #[track_caller]
    fn new(objectives: usize, seed: Seed) -> Self {
        assert!(objectives > 0, "at least one objective is needed, got 0");
        Self {
            seed,
            objectives,
            noise: NOISE,
            design: Design::Uniform,
        }
    }

    fn problem(&self, name: String, shift: [f64; 6], alpha: [f64; 4]) -> Box<dyn Problem> {
        let problem = Synthetic::new(
            &name,
            &[(0.0, 1.0); 6],
            Objectives::minimize_all(self.objectives),
            move |x, y| {
                for (o, value) in y.iter_mut().enumerate() {
                    let moved = shift.map(|s| s + OFFSET * o as f64);
                    *value = hartmann6_value(x, &moved, &alpha);
                }
            },
        );
        let noise = vec![self.noise; self.objectives];
        Box::new(SampledReference::new(problem.with_noise(&noise)))
    }
}

/// Hartmann tasks that differ only in slightly different well depths.
///
/// `α₁ ~ U(1, 1.02)`, `α₂ ~ U(1.18, 1.2)`, `α₃ ~ U(2.8, 3)`, `α₄ ~ U(3.2, 3.4)`. The tasks are
/// nearly one function (correlation 0.9998): any transfer helps. See [`HardHartmann`] for tasks
/// that differ.
#[derive(Debug, Clone)]
pub struct HartmannFamily(Settings);

/// Hartmann tasks that really differ: the wells' depths are permuted and the inputs are moved.
///
/// The well depths of [`HartmannFamily`] are given to the wells in random order, and the inputs are
/// moved by `U(−0.15, 0.15)` in each coordinate. Correlation of the first objective between two tasks
/// over uniform inputs, measured on all pairs of twelve tasks and three seeds:
/// median 0.59, 0.40 to 0.78 between the 10 % and 90 % quantiles (0.71 and 0.54 to 0.85 with moves
/// of up to 0.1).
#[derive(Debug, Clone)]
pub struct HardHartmann {
    settings: Settings,
    shift: f64,
}

impl HartmannFamily {
    /// A family with this many objectives and noise of standard deviation 0.1.
    ///
    /// # Panics
    /// If there are no objectives.
    #[must_use]
    #[track_caller]
    pub fn new(objectives: usize, seed: Seed) -> Self {
        Self(Settings::new(objectives, seed))
    }

    /// The same family with another standard deviation of the noise.
    #[must_use]
    pub fn with_noise(self, noise: f64) -> Self {
        Self(Settings { noise, ..self.0 })
    }

    /// The same family with meta-data placed otherwise.
    #[must_use]
    pub fn with_design(self, design: Design) -> Self {
        Self(Settings { design, ..self.0 })
    }
}

impl TaskFamily for HartmannFamily {
    fn name(&self) -> &str {
        "hartmann"
    }

    fn len(&self) -> Option<usize> {
        None
    }

    fn task(&self, index: usize) -> Box<dyn Problem> {
        let mut rng = self.0.seed.child(index as u64).stream(Purpose::Init, 0);
        let alpha = ALPHA_RANGES.map(|(low, high)| uniform_in(low, high, &mut rng));
        self.0.problem(format!("hartmann_{index}"), [0.0; 6], alpha)
    }

    fn design(&self) -> Design {
        self.0.design
    }
}

impl HardHartmann {
    /// A family with this many objectives, noise of standard deviation 0.1 and moves of up to 0.15.
    ///
    /// # Panics
    /// If there are no objectives.
    #[must_use]
    #[track_caller]
    pub fn new(objectives: usize, seed: Seed) -> Self {
        Self {
            settings: Settings::new(objectives, seed),
            shift: 0.15,
        }
    }

    /// The same family with another largest move of the inputs.
    #[must_use]
    pub fn with_shift(self, shift: f64) -> Self {
        Self { shift, ..self }
    }

    /// The same family with another standard deviation of the noise.
    #[must_use]
    pub fn with_noise(self, noise: f64) -> Self {
        Self {
            settings: Settings {
                noise,
                ..self.settings
            },
            ..self
        }
    }

    /// The same family with meta-data placed otherwise.
    #[must_use]
    pub fn with_design(self, design: Design) -> Self {
        Self {
            settings: Settings {
                design,
                ..self.settings
            },
            ..self
        }
    }
}

impl TaskFamily for HardHartmann {
    fn name(&self) -> &str {
        "hard_hartmann"
    }

    fn len(&self) -> Option<usize> {
        None
    }

    fn task(&self, index: usize) -> Box<dyn Problem> {
        let mut rng = self
            .settings
            .seed
            .child(index as u64)
            .stream(Purpose::Init, 0);
        let drawn = ALPHA_RANGES.map(|(low, high)| uniform_in(low, high, &mut rng));
        let order = permutation(4, 4, &mut rng);
        let alpha = [
            drawn[order[0]],
            drawn[order[1]],
            drawn[order[2]],
            drawn[order[3]],
        ];
        let shift = [0.0; 6].map(|_: f64| uniform_in(-self.shift, self.shift, &mut rng));
        self.settings
            .problem(format!("hard_hartmann_{index}"), shift, alpha)
    }

    fn design(&self) -> Design {
        self.settings.design
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{complete_costs, design_points};

    /// Correlations of the first objective between all pairs of tasks, ascending.
    fn correlations(family: &dyn TaskFamily, tasks: usize) -> Vec<f64> {
        let mut rng = Seed(5).stream(Purpose::Init, 0);
        let first = family.task(0);
        let points = design_points(first.space(), 2000, Design::Uniform, &mut rng);
        let columns: Vec<Vec<f64>> = (0..tasks)
            .map(|index| {
                let costs = complete_costs(&*family.task(index), points.clone());
                costs.into_iter().map(|cost| cost[0]).collect()
            })
            .collect();
        let mut found = Vec::new();
        for a in 0..tasks {
            for b in 0..a {
                found.push(correlation(&columns[a], &columns[b]));
            }
        }
        found.sort_by(f64::total_cmp);
        found
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (ma, mb) = (mean(a), mean(b));
        let product = |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 {
            x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum()
        };
        product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
    }

    #[test]
    fn easy_tasks_are_nearly_the_same_and_hard_ones_are_not() {
        let easy = correlations(&HartmannFamily::new(2, Seed(11)), 5);
        assert!(easy[0] > 0.999, "{easy:?}");
        let mut hard = Vec::new();
        for seed in 0..3 {
            hard.extend(correlations(&HardHartmann::new(2, Seed(seed)), 12));
        }
        hard.sort_by(f64::total_cmp);
        let quantile = |share: f64| hard[(share * (hard.len() - 1) as f64) as usize];
        let (low, median, high) = (quantile(0.1), quantile(0.5), quantile(0.9));
        assert!(low > 0.3 && high < 0.85, "{low} {median} {high}");
        assert!((0.5..0.7).contains(&median), "{low} {median} {high}");
    }
}
