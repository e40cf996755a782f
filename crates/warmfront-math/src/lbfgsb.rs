//! Minimisation of a smooth function inside a box, with a limited-memory quasi-Newton model.
//!
//! Each iteration walks the projected steepest-descent path of a quadratic model to its first
//! local minimiser (the generalised Cauchy point), minimises the model over the variables still
//! free there, and searches along the direction found.
//!
//! Departures from the papers, each because an objective here is a likelihood or an acquisition
//! function rather than a textbook function:
//!
//! - A trial point with a non-finite value or gradient counts as a step too far and is halved.
//! - Both linear systems of the method, the compact Hessian's and the subspace's, have the same
//!   block form and are solved by one factorisation with two Cholesky factors.
//! - When the budget of evaluations ends within a line search, the better end of it is returned.
//!
//! # References
//! R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, *A limited memory algorithm for bound constrained
//! optimization*, SIAM J. Sci. Comput. 16 (1995). J. J. Moré, D. J. Thuente, *Line search
//! algorithms with guaranteed sufficient decrease*, ACM TOMS 20 (1994). J. L. Morales, J. Nocedal,
//! *Remark on Algorithm 778*, ACM TOMS 38 (2011).

mod cauchy;
mod history;
mod line_search;
mod saddle;
mod solver;
mod subspace;
#[cfg(test)]
mod tests;

/// How long and how precisely to minimise.
///
/// The defaults are SciPy's, except that the number of iterations is smaller.
#[derive(Debug, Clone, PartialEq)]
pub struct LbfgsbConfig {
    /// Number of curvature pairs kept, at least 1.
    pub memory: usize,
    /// Largest number of iterations.
    pub max_iterations: usize,
    /// Largest number of evaluations of the objective with its gradient, at least 1.
    pub max_evaluations: usize,
    /// Stop when an iteration lowers the value by no more than this times
    /// max(|before|, |after|, 1).
    pub f_tolerance: f64,
    /// Stop when no entry of the projected gradient is larger.
    pub gradient_tolerance: f64,
}

impl Default for LbfgsbConfig {
    fn default() -> Self {
        Self {
            memory: 10,
            max_iterations: 1000,
            max_evaluations: 15_000,
            f_tolerance: 2.220_446_049_250_313e-9,
            gradient_tolerance: 1e-5,
        }
    }
}

/// Why the minimisation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Termination {
    /// The projected gradient is below its tolerance.
    GradientTolerance,
    /// The last iteration lowered the value by less than the tolerance.
    ValueTolerance,
    /// The iterations are used up.
    MaxIterations,
    /// The evaluations are used up.
    MaxEvaluations,
    /// No lower point was found along the steepest descent: the rounding errors of the objective
    /// or a wrong gradient.
    LineSearchFailed,
    /// The value or gradient at the starting point is not finite.
    NonFiniteStart,
}

/// The end point of a minimisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// The point, within the bounds.
    pub x: Vec<f64>,
    /// The objective at the point. Not finite only if it was not at the starting point.
    pub value: f64,
    /// Largest absolute entry of the projected gradient at the point.
    pub gradient_norm: f64,
    /// Iterations made.
    pub iterations: usize,
    /// Evaluations of the objective with its gradient.
    pub evaluations: usize,
    /// Why the minimisation ended.
    pub termination: Termination,
}

impl Minimum {
    /// Returns whether one of the two tolerances was met.
    pub fn converged(&self) -> bool {
        matches!(
            self.termination,
            Termination::GradientTolerance | Termination::ValueTolerance
        )
    }
}

/// Minimises `objective` over the box `lower ≤ x ≤ upper`, starting at `x0`.
///
/// `objective(x, gradient)` returns the value at `x` and writes its gradient. It is only ever
/// called inside the box. It may return NaN or an infinity, or write a non-finite gradient: the
/// search then backs off, so that the point returned always has a finite value, unless the
/// starting point (moved into the box) itself has none. Infinite bounds are allowed. The value
/// returned is never above the value at the starting point.
///
/// ```
/// use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};
///
/// // (x − 2)² + (y + 1)² for x ≤ 1: the bound is active at the minimum.
/// let mut objective = |x: &[f64], gradient: &mut [f64]| {
///     gradient[0] = 2.0 * (x[0] - 2.0);
///     gradient[1] = 2.0 * (x[1] + 1.0);
///     (x[0] - 2.0).powi(2) + (x[1] + 1.0).powi(2)
/// };
/// let (lower, upper) = ([f64::NEG_INFINITY; 2], [1.0, f64::INFINITY]);
/// let minimum = minimize(&mut objective, &[0.0, 0.0], &lower, &upper, &LbfgsbConfig::default());
/// assert!(minimum.converged());
/// assert!((minimum.x[0] - 1.0).abs() < 1e-6 && (minimum.x[1] + 1.0).abs() < 1e-6);
/// ```
///
/// # Panics
/// When `x0`, `lower` and `upper` differ in length, when a lower bound is above its upper bound
/// or either is NaN, and when `config.memory` or `config.max_evaluations` is zero.
#[track_caller]
pub fn minimize(
    objective: &mut dyn FnMut(&[f64], &mut [f64]) -> f64,
    x0: &[f64],
    lower: &[f64],
    upper: &[f64],
    config: &LbfgsbConfig,
) -> Minimum {
    check_arguments(x0.len(), lower, upper, config);
    solver::Solver::new(lower, upper, config).run(objective, x0)
}

/// Minimises from each of several starts and returns the best end point and its index.
///
/// `starts` holds the starting points row by row (k×d). The first of equal values wins, a value
/// that is not a number loses against every other, and `None` is returned for no starts. Callers
/// who want the starts in parallel call [`minimize`] themselves and pass the results, in the order
/// of the starts, to [`best`].
///
/// # Panics
/// As [`minimize`], and when the length of `starts` is no multiple of that of the bounds.
#[track_caller]
pub fn multistart(
    objective: &mut dyn FnMut(&[f64], &mut [f64]) -> f64,
    starts: &[f64],
    lower: &[f64],
    upper: &[f64],
    config: &LbfgsbConfig,
) -> Option<(usize, Minimum)> {
    let d = lower.len();
    check_arguments(d, lower, upper, config);
    if d == 0 || starts.is_empty() {
        return None;
    }
    assert!(
        starts.len().is_multiple_of(d),
        "starts hold {} numbers, which is no multiple of the dimension {d}",
        starts.len()
    );
    let mut solver = solver::Solver::new(lower, upper, config);
    best(starts.chunks_exact(d).map(|x0| solver.run(objective, x0)))
}

/// Returns the lowest of several minima and its index; the first one among equals.
pub fn best(minima: impl IntoIterator<Item = Minimum>) -> Option<(usize, Minimum)> {
    let mut best: Option<(usize, Minimum)> = None;
    for (index, minimum) in minima.into_iter().enumerate() {
        let better = match &best {
            None => true,
            Some((_, b)) => {
                minimum.value < b.value || (b.value.is_nan() && !minimum.value.is_nan())
            }
        };
        if better {
            best = Some((index, minimum));
        }
    }
    best
}

#[track_caller]
fn check_arguments(d: usize, lower: &[f64], upper: &[f64], config: &LbfgsbConfig) {
    assert!(
        lower.len() == d && upper.len() == d,
        "x0 has {d} entries, lower {} and upper {}",
        lower.len(),
        upper.len()
    );
    for (i, (l, u)) in lower.iter().zip(upper).enumerate() {
        assert!(l <= u, "lower bound {l} above upper bound {u} in entry {i}");
    }
    assert!(config.memory > 0, "memory must be at least 1");
    assert!(
        config.max_evaluations > 0,
        "max_evaluations must be at least 1"
    );
}
