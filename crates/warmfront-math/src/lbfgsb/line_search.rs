//! The line search of Moré and Thuente (1994): a step with sufficient decrease and a flat slope.

const SUFFICIENT_DECREASE: f64 = 1e-3;
const CURVATURE: f64 = 0.9;
const BRACKET_WIDTH: f64 = 0.1;

/// A step with the value and the slope of the objective there.
#[derive(Clone, Copy)]
struct Trial {
    step: f64,
    value: f64,
    slope: f64,
}

/// What to do after a trial.
pub(super) enum Advice {
    /// Evaluate at this step.
    Try(f64),
    /// The last step is acceptable, or no better one can be found.
    Stop,
}

pub(super) struct LineSearch {
    start: Trial,
    /// The best step so far, and the other end of the interval of uncertainty.
    best: Trial,
    other: Trial,
    bracketed: bool,
    /// The first stage looks for a non-positive value and a non-negative slope of the auxiliary
    /// function ψ(α) = f(α) − f(0) − μ f′(0) α.
    first_stage: bool,
    width: f64,
    previous_width: f64,
    low: f64,
    high: f64,
    max_step: f64,
}

impl LineSearch {
    /// Starts at value and slope of step 0; the first trial is to be `step` ≤ `max_step`.
    pub(super) fn new(value: f64, slope: f64, step: f64, max_step: f64) -> Self {
        let start = Trial {
            step: 0.0,
            value,
            slope,
        };
        Self {
            start,
            best: start,
            other: start,
            bracketed: false,
            first_stage: true,
            width: max_step,
            previous_width: 2.0 * max_step,
            low: 0.0,
            high: 5.0 * step,
            max_step,
        }
    }

    /// Answers a trial without a finite value: nothing that far will be tried again.
    pub(super) fn retreat(&mut self, step: f64) -> f64 {
        // Halfway back to the best step; towards zero at least.
        let shorter = self.best.step + 0.5 * (step - self.best.step);
        self.max_step = self.max_step.min(shorter.max(self.best.step));
        self.high = self.high.min(self.max_step);
        shorter
    }

    /// Digests the value and slope at `step`.
    pub(super) fn advance(&mut self, step: f64, value: f64, slope: f64) -> Advice {
        let required_slope = SUFFICIENT_DECREASE * self.start.slope;
        let ceiling = self.start.value + step * required_slope;
        if self.first_stage && value <= ceiling && slope >= 0.0 {
            self.first_stage = false;
        }
        let accepted = value <= ceiling && slope.abs() <= -CURVATURE * self.start.slope;
        let exhausted = self.bracketed
            && (step <= self.low
                || step >= self.high
                || self.high - self.low <= BRACKET_WIDTH * self.high);
        let at_limit = step >= self.max_step && value <= ceiling && slope <= required_slope;
        if accepted || exhausted || at_limit || step <= 0.0 {
            return Advice::Stop;
        }

        let trial = Trial { step, value, slope };
        let mut next = if self.first_stage && value <= self.best.value && value > ceiling {
            let shift = |t: Trial, sign: f64| Trial {
                step: t.step,
                value: t.value + sign * t.step * required_slope,
                slope: t.slope + sign * required_slope,
            };
            self.best = shift(self.best, -1.0);
            self.other = shift(self.other, -1.0);
            let next = self.update(shift(trial, -1.0));
            self.best = shift(self.best, 1.0);
            self.other = shift(self.other, 1.0);
            next
        } else {
            self.update(trial)
        };

        if self.bracketed {
            let width = (self.other.step - self.best.step).abs();
            if width >= 0.66 * self.previous_width {
                next = self.best.step + 0.5 * (self.other.step - self.best.step);
            }
            self.previous_width = self.width;
            self.width = width;
            self.low = self.best.step.min(self.other.step);
            self.high = self.best.step.max(self.other.step);
        } else {
            self.low = next + 1.1 * (next - self.best.step);
            self.high = next + 4.0 * (next - self.best.step);
        }
        next = next.clamp(0.0, self.max_step);
        if self.bracketed
            && (next <= self.low
                || next >= self.high
                || self.high - self.low <= BRACKET_WIDTH * self.high)
        {
            next = self.best.step;
        }
        Advice::Try(next)
    }

    /// Section 4 of the paper: the next trial value by safeguarded interpolation, and the update
    /// of the interval.
    fn update(&mut self, t: Trial) -> f64 {
        let b = self.best;
        let opposite = t.slope * b.slope.signum() < 0.0;
        let next;
        if t.value > b.value {
            // Case 1: the minimum is bracketed.
            let cubic = cubic_minimizer(b, t);
            let quadratic = b.step
                + 0.5 * b.slope / ((b.value - t.value) / (t.step - b.step) + b.slope)
                    * (t.step - b.step);
            next = if (cubic - b.step).abs() < (quadratic - b.step).abs() {
                cubic
            } else {
                cubic + 0.5 * (quadratic - cubic)
            };
            self.bracketed = true;
        } else if opposite {
            // Case 2: lower value, slopes of opposite sign.
            let cubic = cubic_minimizer(t, b);
            let secant = secant_minimizer(t, b);
            next = if (cubic - t.step).abs() > (secant - t.step).abs() {
                cubic
            } else {
                secant
            };
            self.bracketed = true;
        } else if t.slope.abs() < b.slope.abs() {
            // Case 3: lower value, same sign, decreasing slope.
            let far = if t.step > b.step { self.high } else { self.low };
            let cubic = cubic_beyond(t, b).unwrap_or(far);
            let secant = secant_minimizer(t, b);
            let cubic_is_closer = (cubic - t.step).abs() < (secant - t.step).abs();
            if self.bracketed {
                let candidate = if cubic_is_closer { cubic } else { secant };
                let limit = t.step + 0.66 * (self.other.step - t.step);
                next = if t.step > b.step {
                    candidate.min(limit)
                } else {
                    candidate.max(limit)
                };
            } else {
                let candidate = if cubic_is_closer { secant } else { cubic };
                next = candidate.min(self.high).max(self.low);
            }
        } else {
            // Case 4: lower value, same sign, slope no flatter.
            next = if self.bracketed {
                cubic_minimizer(t, self.other)
            } else if t.step > b.step {
                self.high
            } else {
                self.low
            };
        }
        if t.value > b.value {
            self.other = t;
        } else {
            if opposite {
                self.other = b;
            }
            self.best = t;
        }
        next
    }
}

fn secant_minimizer(from: Trial, to: Trial) -> f64 {
    from.step + from.slope / (from.slope - to.slope) * (to.step - from.step)
}

/// (γ, θ) of the cubic through two trials; the radicand is cut at zero.
fn cubic_terms(a: Trial, b: Trial) -> (f64, f64) {
    let theta = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    let scale = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    if scale <= 0.0 {
        return (0.0, 0.0);
    }
    let radicand = (theta / scale).powi(2) - (a.slope / scale) * (b.slope / scale);
    let gamma = scale * radicand.max(0.0).sqrt();
    (if b.step < a.step { -gamma } else { gamma }, theta)
}

/// Minimiser of the cubic interpolating two trials, expressed from `a`.
fn cubic_minimizer(a: Trial, b: Trial) -> f64 {
    let (gamma, theta) = cubic_terms(a, b);
    let numerator = gamma - a.slope + theta;
    let denominator = gamma - a.slope + gamma + b.slope;
    a.step + numerator / denominator * (b.step - a.step)
}

/// Minimiser of the cubic beyond `t`, seen from `b`; none when the cubic tends to −∞ that way.
fn cubic_beyond(t: Trial, b: Trial) -> Option<f64> {
    let (gamma, theta) = cubic_terms(t, b);
    let numerator = gamma - t.slope + theta;
    let denominator = gamma + (b.slope - t.slope) + gamma;
    let ratio = numerator / denominator;
    (ratio < 0.0 && gamma.abs() > 0.0).then_some(t.step + ratio * (b.step - t.step))
}
