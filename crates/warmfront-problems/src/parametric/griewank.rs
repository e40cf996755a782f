//! The minimum of Griewank's function with the published shift.

use std::f64::consts::PI;

/// Where one coordinate may settle.
#[derive(Clone, Copy)]
struct Spot {
    /// The multiple of π next to it.
    turn: f64,
    /// `600 (x − σ)`.
    u: f64,
    /// What it adds to the value when all others are at their spots.
    cost: f64,
}

/// Minimises `Σ u²/4000 − Π cos(u_i + φ_i) + 1` with `u = 600 (x − σ)` and `φ_i = 600 σ_i (1 − 1/√i)`
/// over the box of `x`.
///
/// The product is near 1 at the minimum, so each `u_i + φ_i` is near a multiple of π, with an even
/// number of odd multiples among them.
pub(super) fn published_minimiser(shifts: &[f64]) -> Vec<f64> {
    let phase = |i: usize| 600.0 * shifts[i] * (1.0 - 1.0 / ((i + 1) as f64).sqrt());
    let inside = |i: usize, u: f64| u.clamp(-600.0 * shifts[i], 600.0 * (1.0 - shifts[i]));
    let mut spots = Vec::with_capacity(shifts.len());
    for i in 0..shifts.len() {
        // The best spots with a positive and with a negative cosine.
        let mut best: [Option<Spot>; 2] = [None, None];
        let nearest = (phase(i) / PI).round();
        for offset in -3..=3 {
            let turn = nearest + f64::from(offset);
            let u = inside(i, turn * PI - phase(i));
            let cosine = (u + phase(i)).cos();
            let cost = u * u / 4000.0 + 1.0 - cosine.abs();
            let entry = &mut best[usize::from(cosine < 0.0)];
            if entry.is_none_or(|spot| cost < spot.cost) {
                *entry = Some(Spot { turn, u, cost });
            }
        }
        spots.push(best);
    }
    let cost = |spot: Option<Spot>| spot.map_or(f64::INFINITY, |spot| spot.cost);
    let mut signs: Vec<usize> = spots
        .iter()
        .map(|best| usize::from(cost(best[1]) < cost(best[0])))
        .collect();
    if signs.iter().sum::<usize>() % 2 == 1 {
        let change = |i: usize| cost(spots[i][1 - signs[i]]) - cost(spots[i][signs[i]]);
        let cheapest = (0..signs.len()).min_by(|&a, &b| change(a).total_cmp(&change(b)));
        if let Some(i) = cheapest {
            signs[i] = 1 - signs[i];
        }
    }
    let chosen = spots.iter().zip(&signs).filter_map(|(best, &s)| best[s]);
    let turns: Vec<f64> = chosen.clone().map(|spot| spot.turn).collect();
    let mut u: Vec<f64> = chosen.map(|spot| spot.u).collect();
    // Stationary: sin(u_i + φ_i)·Π_{j≠i} cos(u_j + φ_j) = −u_i/2000; it contracts by 1/2000 a step.
    for _ in 0..8 {
        for i in 0..u.len() {
            let others: f64 = (0..u.len())
                .filter(|&j| j != i)
                .map(|j| (u[j] + phase(j)).cos().abs())
                .product();
            let lean = (u[i] / (2000.0 * others.max(0.1))).clamp(-1.0, 1.0).asin();
            u[i] = inside(i, turns[i] * PI - phase(i) - lean);
        }
    }
    u.iter().zip(shifts).map(|(u, s)| s + u / 600.0).collect()
}
