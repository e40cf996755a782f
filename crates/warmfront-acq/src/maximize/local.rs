//! Local searches: bounded quasi-Newton steps in real coordinates, neighbours in discrete ones.

use warmfront_core::UnitPoint;
use warmfront_linalg::{Mat, MatMut, MatRef};
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};

use super::Search;

/// Alternations between discrete and real coordinates.
const ROUNDS: usize = 8;

/// A move to a neighbour must raise the utility by this, relative to max(|utility|, 1).
const WORTHWHILE: f64 = 1e-9;

/// First and last step of the search without gradients.
const STEPS: (f64, f64) = (0.1, 1e-4);

/// Climbs from `start` (canonical) and returns a canonical point with its utility, no worse than
/// where it started.
pub(super) fn climb(search: &Search<'_>, start: &UnitPoint, utility: f64) -> (UnitPoint, f64) {
    let space = search.space;
    if space.is_box() {
        return ascend(search, start, utility, &vec![true; space.dim()]);
    }
    let continuous = space.continuous();
    let mut best = (start.clone(), utility);
    // What the model says between the values of discrete parameters points to good values.
    if search.config.max_iterations > 0 {
        let (relaxed, _) = ascend(search, start, utility, &vec![true; space.dim()]);
        let rounded = space.canonical(&relaxed);
        let value = search.utilities(std::slice::from_ref(&rounded))[0];
        if value > best.1 {
            best = (rounded, value);
        }
    }
    for _ in 0..ROUNDS {
        if continuous.iter().any(|c| *c) {
            let free = space.active_reals(&best.0);
            let (point, _) = ascend(search, &best.0, best.1, &free);
            let point = space.canonical(&point);
            let value = search.utilities(std::slice::from_ref(&point))[0];
            if value > best.1 {
                best = (point, value);
            }
        }
        let neighbours = space.neighbours(&best.0);
        let values = search.utilities(&neighbours);
        let mut moved = false;
        for (neighbour, value) in neighbours.into_iter().zip(values) {
            if value > best.1 + WORTHWHILE * best.1.abs().max(1.0) {
                best = (neighbour, value);
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    best
}

/// Maximises over the `free` coordinates within the cube.
fn ascend(search: &Search<'_>, start: &UnitPoint, utility: f64, free: &[bool]) -> (UnitPoint, f64) {
    if search.config.max_iterations == 0 || !free.iter().any(|f| *f) {
        return (start.clone(), utility);
    }
    let x0 = start.coords();
    let d = x0.len();
    let bound =
        |open: f64| -> Vec<f64> { (0..d).map(|j| if free[j] { open } else { x0[j] }).collect() };
    let mut differentiable = true;
    let mut objective = |x: &[f64], gradient: &mut [f64]| {
        let Some(utility) = gradient_at(search, x, gradient) else {
            // Not a number ends the minimisation where it starts.
            differentiable = false;
            return f64::NAN;
        };
        for g in &mut *gradient {
            *g = -*g;
        }
        -utility
    };
    let config = LbfgsbConfig {
        max_iterations: search.config.max_iterations,
        max_evaluations: 2 * search.config.max_iterations + 5,
        f_tolerance: 1e-7,
        gradient_tolerance: 1e-6,
        ..LbfgsbConfig::default()
    };
    let minimum = minimize(&mut objective, x0, &bound(0.0), &bound(1.0), &config);
    if !differentiable {
        return compass(search, start, utility, free);
    }
    let value = -minimum.value;
    if value.is_finite() && (value > utility || !utility.is_finite()) {
        (UnitPoint::clamped(minimum.x), value)
    } else {
        (start.clone(), utility)
    }
}

/// Utility and gradient at one point; `None` if the function has no gradient.
fn gradient_at(search: &Search<'_>, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
    let d = x.len();
    search.acqf.utility_gradient(
        MatRef::from_row_major_slice(x, 1, d),
        MatMut::from_row_major_slice_mut(gradient, 1, d),
    )
}

/// Coordinate search with shrinking steps, for functions without a gradient.
fn compass(
    search: &Search<'_>,
    start: &UnitPoint,
    utility: f64,
    free: &[bool],
) -> (UnitPoint, f64) {
    let mut best = (start.clone(), utility);
    let mut step = STEPS.0;
    for _ in 0..search.config.max_iterations {
        if step < STEPS.1 {
            break;
        }
        let trials: Vec<UnitPoint> = (0..free.len())
            .filter(|&j| free[j])
            .flat_map(|j| [-step, step].map(|s| (j, s)))
            .map(|(j, s)| {
                let mut moved = best.0.coords().to_vec();
                moved[j] += s;
                UnitPoint::clamped(moved)
            })
            .collect();
        let x = Mat::from_fn(trials.len(), free.len(), |i, j| trials[i].coords()[j]);
        let values = search.acqf.utilities(x.as_ref());
        let mut moved = false;
        for (trial, value) in trials.into_iter().zip(values) {
            if value > best.1 {
                best = (trial, value);
                moved = true;
            }
        }
        if !moved {
            step *= 0.5;
        }
    }
    best
}
