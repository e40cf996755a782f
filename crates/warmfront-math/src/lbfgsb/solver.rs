//! The iteration that ties the parts together; all its storage is allocated once.

use super::cauchy::Cauchy;
use super::history::History;
use super::line_search::{Advice, LineSearch};
use super::saddle::dot;
use super::subspace::Subspace;
use super::{LbfgsbConfig, Minimum, Termination};

/// Evaluations one line search may take.
const MAX_TRIALS: usize = 20;
/// The longest step along a direction that meets no bound.
const LONGEST_STEP: f64 = 1e10;

type Objective<'a> = dyn FnMut(&[f64], &mut [f64]) -> f64 + 'a;

pub(super) struct Solver<'a> {
    lower: &'a [f64],
    upper: &'a [f64],
    config: &'a LbfgsbConfig,
    /// Some bound is finite; every bound is finite.
    constrained: bool,
    boxed: bool,
    history: History,
    cauchy: Cauchy,
    subspace: Subspace,
    x: Vec<f64>,
    g: Vec<f64>,
    trial_x: Vec<f64>,
    trial_g: Vec<f64>,
    direction: Vec<f64>,
    step: Vec<f64>,
    change: Vec<f64>,
}

/// How a line search ended.
enum Search {
    /// A lower (or equal) value at this step is in the trial buffers.
    Accepted {
        value: f64,
        step: f64,
    },
    /// The decrease to be had is below the rounding errors of the objective.
    Unresolved,
    Failed,
}

impl<'a> Solver<'a> {
    pub(super) fn new(lower: &'a [f64], upper: &'a [f64], config: &'a LbfgsbConfig) -> Self {
        let n = lower.len();
        let zeros = || vec![0.0; n];
        Self {
            lower,
            upper,
            config,
            constrained: lower.iter().chain(upper).any(|b| b.is_finite()),
            boxed: lower.iter().chain(upper).all(|b| b.is_finite()),
            history: History::new(n, config.memory),
            cauchy: Cauchy::new(n, config.memory),
            subspace: Subspace::new(n, config.memory),
            x: zeros(),
            g: zeros(),
            trial_x: zeros(),
            trial_g: zeros(),
            direction: zeros(),
            step: zeros(),
            change: zeros(),
        }
    }

    pub(super) fn run(&mut self, objective: &mut Objective<'_>, x0: &[f64]) -> Minimum {
        self.history.reset();
        for i in 0..x0.len() {
            self.x[i] = x0[i].clamp(self.lower[i], self.upper[i]);
        }
        if self.x.iter().any(|x| !x.is_finite()) {
            return self.finish(f64::NAN, 0, 0, Termination::NonFiniteStart);
        }
        let mut value = objective(&self.x, &mut self.g);
        let mut evaluations = 1;
        let mut iterations = 0;
        if !value.is_finite() || self.g.iter().any(|g| !g.is_finite()) {
            return self.finish(value, iterations, evaluations, Termination::NonFiniteStart);
        }

        loop {
            let reason = if self.gradient_norm() <= self.config.gradient_tolerance {
                Some(Termination::GradientTolerance)
            } else if iterations >= self.config.max_iterations {
                Some(Termination::MaxIterations)
            } else if evaluations >= self.config.max_evaluations {
                Some(Termination::MaxEvaluations)
            } else {
                None
            };
            if let Some(reason) = reason {
                return self.finish(value, iterations, evaluations, reason);
            }

            let fresh = self.history.len() == 0;
            let slope = self.find_direction();
            let search = if slope < 0.0 {
                self.search(objective, value, slope, iterations, &mut evaluations)
            } else {
                Search::Failed
            };
            let Search::Accepted {
                value: lower_value,
                step,
            } = search
            else {
                if matches!(search, Search::Unresolved) {
                    let reason = Termination::ValueTolerance;
                    return self.finish(value, iterations, evaluations, reason);
                }
                if fresh {
                    let reason = if evaluations >= self.config.max_evaluations {
                        Termination::MaxEvaluations
                    } else {
                        Termination::LineSearchFailed
                    };
                    return self.finish(value, iterations, evaluations, reason);
                }
                // Steepest descent has the last word.
                self.history.reset();
                continue;
            };
            iterations += 1;

            for i in 0..self.x.len() {
                self.step[i] = self.trial_x[i] - self.x[i];
                self.change[i] = self.trial_g[i] - self.g[i];
            }
            let curvature = dot(&self.step, &self.change);
            std::mem::swap(&mut self.x, &mut self.trial_x);
            std::mem::swap(&mut self.g, &mut self.trial_g);
            let decrease = value - lower_value;
            let scale = value.abs().max(lower_value.abs()).max(1.0);
            value = lower_value;
            if decrease <= self.config.f_tolerance * scale
                && self.gradient_norm() > self.config.gradient_tolerance
            {
                return self.finish(value, iterations, evaluations, Termination::ValueTolerance);
            }
            if curvature > f64::EPSILON * -slope * step {
                self.history.push(&self.step, &self.change, curvature);
            }
        }
    }

    /// Largest absolute entry of P(x − g) − x.
    fn gradient_norm(&self) -> f64 {
        let mut norm: f64 = 0.0;
        for i in 0..self.x.len() {
            let x = self.x[i];
            let room = if self.g[i] < 0.0 {
                self.upper[i] - x
            } else {
                x - self.lower[i]
            };
            norm = norm.max(self.g[i].abs().min(room));
        }
        norm
    }

    /// Fills `direction` and leaves its end point in `cauchy.x`; returns its slope.
    fn find_direction(&mut self) -> f64 {
        let (x, g, lower, upper) = (&self.x, &self.g, self.lower, self.upper);
        let k = self.history.len();
        if k > 0 && !self.constrained {
            // The model has no bound to meet: its minimiser needs no Cauchy point.
            self.cauchy.x.copy_from_slice(x);
            self.cauchy.c[..2 * k].fill(0.0);
        } else {
            self.cauchy.find(x, g, lower, upper, &self.history);
        }
        let Cauchy { x: target, c, .. } = &mut self.cauchy;
        if !self
            .subspace
            .minimize(x, g, lower, upper, &self.history, target, c)
        {
            return f64::NAN;
        }
        for i in 0..x.len() {
            self.direction[i] = target[i] - x[i];
        }
        dot(&self.direction, g)
    }

    fn search(
        &mut self,
        objective: &mut Objective<'_>,
        value: f64,
        slope: f64,
        iterations: usize,
        evaluations: &mut usize,
    ) -> Search {
        let max_step = self.longest_step(iterations);
        let mut step: f64 = 1.0;
        if self.history.len() == 0 && !self.boxed {
            step = (1.0 / dot(&self.direction, &self.direction).sqrt()).min(max_step);
        }
        let mut search = LineSearch::new(value, slope, step, max_step);
        let mut trials = 0;
        loop {
            for i in 0..self.x.len() {
                let moved = self.x[i] + step * self.direction[i];
                self.trial_x[i] = moved.clamp(self.lower[i], self.upper[i]);
            }
            let trial = objective(&self.trial_x, &mut self.trial_g);
            *evaluations += 1;
            trials += 1;
            let finite = trial.is_finite() && self.trial_g.iter().all(|g| g.is_finite());
            let last = trials >= MAX_TRIALS || *evaluations >= self.config.max_evaluations;
            let advice = if finite {
                search.advance(step, trial, dot(&self.trial_g, &self.direction))
            } else {
                Advice::Try(search.retreat(step))
            };
            // A first full step predicts a decrease of about half the slope: when that is below
            // one rounding error of the value and shows as none, further trials see only noise.
            let resolution = 2.0 * f64::EPSILON * value.abs();
            if trials == 1 && trial >= value && -slope * step <= resolution {
                return Search::Unresolved;
            }
            match advice {
                Advice::Try(next) if !last && next > 0.0 => step = next,
                _ if finite && trial <= value && self.trial_x != self.x => {
                    return Search::Accepted { value: trial, step };
                }
                _ => return Search::Failed,
            }
        }
    }

    fn longest_step(&self, iterations: usize) -> f64 {
        if !self.constrained {
            return LONGEST_STEP;
        }
        if iterations == 0 {
            return 1.0;
        }
        let mut longest = LONGEST_STEP;
        for i in 0..self.x.len() {
            let d = self.direction[i];
            if d < 0.0 {
                longest = longest.min((self.lower[i] - self.x[i]) / d);
            } else if d > 0.0 {
                longest = longest.min((self.upper[i] - self.x[i]) / d);
            }
        }
        // The end of the direction is inside the box; rounding must not say otherwise.
        longest.max(1.0)
    }

    fn finish(
        &self,
        value: f64,
        iterations: usize,
        evaluations: usize,
        termination: Termination,
    ) -> Minimum {
        Minimum {
            x: self.x.clone(),
            value,
            gradient_norm: self.gradient_norm(),
            iterations,
            evaluations,
            termination,
        }
    }
}
