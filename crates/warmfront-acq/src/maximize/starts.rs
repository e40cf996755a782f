//! Which points are scored first, and from which of them local searches start.

use rand::{Rng, RngExt};
use warmfront_core::{SearchSpace, UnitPoint};
use warmfront_math::special::ndtri;

use super::Search;
use crate::base_samples::uniform_points;

/// Standard deviations of perturbations, drawn log-uniformly in between.
const PERTURBATION: (f64, f64) = (0.003, 0.2);

/// Chance that a perturbation draws a discrete parameter anew.
const REDRAW: f64 = 0.3;

/// How far apart the first half of the best starts are.
const APART: f64 = 0.1;

/// Nearer starts than this are one.
const SAME: f64 = 0.03;

/// One start in this many is drawn at random.
const DRAWN: usize = 4;

/// Scrambled Sobol points, then perturbed incumbents; all canonical.
pub(super) fn raw_points(search: &Search<'_>, rng: &mut dyn Rng) -> Vec<UnitPoint> {
    let (space, d) = (search.space, search.space.dim());
    let sobol = uniform_points(d, search.config.raw_samples.max(1), rng);
    let mut points: Vec<UnitPoint> = (0..sobol.nrows())
        .map(|i| search.canonical(sobol.row(i).iter().copied().collect()))
        .collect();
    let incumbents = search.acqf.incumbents();
    if incumbents.nrows() > 0 {
        let discrete = discrete_coords(space);
        for k in 0..search.config.around_best {
            let centre = incumbents.row(k % incumbents.nrows());
            let centre: Vec<f64> = centre.iter().copied().collect();
            points.push(search.canonical(perturb(centre, &discrete, rng)));
        }
    }
    points
}

/// The coordinates of each parameter that is not real.
fn discrete_coords(space: &SearchSpace) -> Vec<std::ops::Range<usize>> {
    let continuous = space.continuous();
    space
        .parameters()
        .iter()
        .map(warmfront_core::Parameter::coords)
        .filter(|coords| coords.clone().any(|j| !continuous[j]))
        .collect()
}

fn perturb(
    mut point: Vec<f64>,
    discrete: &[std::ops::Range<usize>],
    rng: &mut dyn Rng,
) -> Vec<f64> {
    let (low, high) = (PERTURBATION.0.ln(), PERTURBATION.1.ln());
    let sd = (low + (high - low) * rng.random::<f64>()).exp();
    let before = point.clone();
    for value in &mut point {
        let u: f64 = rng.random();
        // Reflected at the faces, where clamping would pile points up.
        let moved = *value + sd * ndtri(u.clamp(1e-12, 1.0 - 1e-12));
        let folded = moved.rem_euclid(2.0);
        *value = folded.min(2.0 - folded);
    }
    for coords in discrete {
        let anew = rng.random::<f64>() < REDRAW;
        for j in coords.clone() {
            let u: f64 = rng.random();
            point[j] = if anew { u } else { before[j] };
        }
    }
    point
}

/// Indices of the points local searches start from: the best that are apart from those before, and
/// a quarter drawn with chances that grow with the standardised utility.
pub(super) fn choose(
    points: &[UnitPoint],
    utilities: &[f64],
    restarts: usize,
    rng: &mut dyn Rng,
) -> Vec<usize> {
    let (mean, sd) = moments(utilities);
    // Gumbel noise turns "the largest" into a draw without replacement from exp(z) (Boltzmann).
    let noisy: Vec<f64> = utilities
        .iter()
        .map(|u| {
            let gumbel = -(-rng.random::<f64>().clamp(1e-15, 1.0 - 1e-15).ln()).ln();
            (u - mean) / sd + gumbel
        })
        .collect();
    let mut chosen: Vec<usize> = Vec::with_capacity(restarts);
    let mut fill = |order: &[usize], apart: f64, enough: usize| {
        for &i in order {
            if chosen.len() >= enough {
                break;
            }
            if chosen
                .iter()
                .all(|&j| points[i].distance(&points[j]) > apart)
            {
                chosen.push(i);
            }
        }
    };
    let best = best_first(utilities);
    let most = restarts - restarts / DRAWN;
    // Half of the best far apart, half of the others at half the distance, and so on: which distance
    // tells two basins apart depends on the function.
    let (mut apart, mut enough) = (APART, most.div_ceil(2));
    while apart > SAME {
        fill(&best, apart, enough);
        apart *= 0.5;
        enough += (most - enough).div_ceil(2);
    }
    fill(&best, SAME, most);
    fill(&best_first(&noisy), SAME, restarts);
    chosen
}

/// Indices of the finite values, the largest first.
pub(super) fn best_first(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len())
        .filter(|&i| values[i].is_finite())
        .collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}

/// Mean and standard deviation of the finite values; the latter never zero.
fn moments(values: &[f64]) -> (f64, f64) {
    let (mut n, mut mean, mut square) = (0.0, 0.0, 0.0);
    for value in values.iter().filter(|v| v.is_finite()) {
        n += 1.0;
        let delta = value - mean;
        mean += delta / n;
        square += delta * (value - mean);
    }
    let sd = if n > 0.0 { (square / n).sqrt() } else { 0.0 };
    (mean, if sd > 0.0 && sd.is_finite() { sd } else { 1.0 })
}
