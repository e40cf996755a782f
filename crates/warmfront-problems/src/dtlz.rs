//! DTLZ 1, 2, 3, 5 and 7: any number of inputs `d` and objectives `m`, `d > m ≥ 2`.
//!
//! The first `m − 1` inputs place a point along the front, the last `k = d − m + 1` set its
//! distance `g ≥ 0` from it.
//!
//! # References
//! Deb, Thiele, Laumanns, Zitzler 2002, *Scalable multi-objective optimization test problems*.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, PI};

use warmfront_pareto::simplex_lattice;

use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};
use crate::zdt::spread;

/// The pieces of each coordinate of DTLZ7's front.
const DTLZ7_PIECES: [(f64, f64); 2] = [
    (0.0, 0.251_411_836_088_917_1),
    (0.631_626_530_700_061_4, 0.859_400_856_644_723_9),
];

#[track_caller]
fn build(
    name: &str,
    dim: usize,
    objectives: usize,
    reference: f64,
    evaluate: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'static,
) -> Synthetic {
    assert!(
        objectives >= 2 && dim > objectives,
        "{name} needs d > m ≥ 2, got d = {dim}, m = {objectives}"
    );
    let names: Vec<String> = (1..=objectives).map(|o| format!("f{o}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Synthetic::new(
        &format!("{name}_d{dim}_m{objectives}"),
        &vec![(0.0, 1.0); dim],
        minimise(&names),
        evaluate,
    )
    .with_reference(Known::new(
        vec![reference; objectives],
        Provenance::Reported { source: "BoTorch" },
    ))
}

/// `Σ (x − ½)²`, the smooth distance of DTLZ 2 and 5.
fn sphere(tail: &[f64]) -> f64 {
    tail.iter().map(|x| (x - 0.5) * (x - 0.5)).sum()
}

/// The distance of DTLZ 1 and 3, with `11^k − 1` local fronts.
fn rastrigin(tail: &[f64]) -> f64 {
    let waves: f64 = tail
        .iter()
        .map(|x| (x - 0.5).powi(2) - (20.0 * PI * (x - 0.5)).cos())
        .sum();
    100.0 * (tail.len() as f64 + waves)
}

/// Points of the unit simplex or sphere octant by angles in units of π/2.
fn octant(scale: f64, angles: &[f64], y: &mut [f64]) {
    let m = y.len();
    for o in 0..m {
        let cosines = m - 1 - o;
        let mut value = scale;
        for angle in &angles[..cosines] {
            value *= (angle * FRAC_PI_2).cos();
        }
        if o > 0 {
            value *= (angles[cosines] * FRAC_PI_2).sin();
        }
        y[o] = value;
    }
}

fn simplex(scale: f64, shares: &[f64], y: &mut [f64]) {
    let m = y.len();
    for o in 0..m {
        let factors = m - 1 - o;
        let mut value = scale;
        for share in &shares[..factors] {
            value *= share;
        }
        if o > 0 {
            value *= 1.0 - shares[factors];
        }
        y[o] = value;
    }
}

/// All combinations of `values` in `dims` coordinates.
fn grid(values: &[f64], dims: usize) -> Vec<Vec<f64>> {
    let mut points = vec![Vec::new()];
    for _ in 0..dims {
        points = points
            .iter()
            .flat_map(|prefix| {
                values.iter().map(move |&value| {
                    let mut point = prefix.clone();
                    point.push(value);
                    point
                })
            })
            .collect();
    }
    points
}

/// Values per coordinate so that a grid over `dims` coordinates has about `n` points.
fn per_coordinate(n: usize, dims: usize) -> usize {
    ((n as f64).powf(1.0 / dims as f64).round() as usize).max(2)
}

/// About `n` weight vectors spread over the simplex, at most `n` unless that is too few for a lattice.
fn weights(m: usize, n: usize) -> impl Iterator<Item = Vec<f64>> {
    let count = |h: usize| (1..m).fold(1.0, |c, i| c * (h + i) as f64 / i as f64);
    let divisions = (1..).find(|&h| count(h + 1) > n as f64).unwrap_or(1);
    simplex_lattice(m, divisions).into_iter().rev()
}

fn sphere_front(m: usize) -> impl Fn(usize) -> Vec<Vec<f64>> {
    move |n| {
        weights(m, n)
            .map(|w| {
                let norm = w.iter().map(|v| v * v).sum::<f64>().sqrt();
                w.into_iter().map(|v| v / norm).collect()
            })
            .collect()
    }
}

/// The volume of the part of the unit ball with non-negative coordinates.
fn octant_volume(m: usize) -> f64 {
    // V(m) = V(m − 2)·2π/m for the whole ball.
    let mut ball = if m.is_multiple_of(2) { 1.0 } else { 2.0 };
    let mut n = if m.is_multiple_of(2) { 2 } else { 3 };
    while n <= m {
        ball *= 2.0 * PI / n as f64;
        n += 2;
    }
    ball / 2f64.powi(m as i32)
}

/// DTLZ1: a linear front `Σ f = ½` behind many local fronts.
///
/// # Panics
/// If `objectives < 2` or `dim ≤ objectives`.
#[must_use]
#[track_caller]
pub fn dtlz1(dim: usize, objectives: usize) -> Synthetic {
    let reference: f64 = 400.0;
    let m = objectives;
    let problem = build("dtlz1", dim, m, reference, move |x, y| {
        simplex(0.5 * (1.0 + rastrigin(&x[m - 1..])), &x[..m - 1], y);
    });
    let corner = (1..=m).fold(1.0, |volume, i| volume * 0.5 / i as f64);
    let best = reference.powi(m as i32) - corner;
    problem
        .with_max_hypervolume(Known::new(best, Provenance::Analytic))
        .with_front(Provenance::Analytic, move |n| {
            weights(m, n)
                .map(|w| w.into_iter().map(|v| 0.5 * v).collect())
                .collect()
        })
}

/// DTLZ2: the unit sphere's positive part as front.
///
/// # Panics
/// If `objectives < 2` or `dim ≤ objectives`.
#[must_use]
#[track_caller]
pub fn dtlz2(dim: usize, objectives: usize) -> Synthetic {
    let reference: f64 = 1.1;
    let m = objectives;
    let best = reference.powi(m as i32) - octant_volume(m);
    build("dtlz2", dim, m, reference, move |x, y| {
        octant(1.0 + sphere(&x[m - 1..]), &x[..m - 1], y);
    })
    .with_max_hypervolume(Known::new(best, Provenance::Analytic))
    .with_front(Provenance::Analytic, sphere_front(m))
}

/// DTLZ3: DTLZ2's front behind many local fronts.
///
/// # Panics
/// If `objectives < 2` or `dim ≤ objectives`.
#[must_use]
#[track_caller]
pub fn dtlz3(dim: usize, objectives: usize) -> Synthetic {
    let reference: f64 = 10_000.0;
    let m = objectives;
    let best = reference.powi(m as i32) - octant_volume(m);
    build("dtlz3", dim, m, reference, move |x, y| {
        octant(1.0 + rastrigin(&x[m - 1..]), &x[..m - 1], y);
    })
    .with_max_hypervolume(Known::new(best, Provenance::Analytic))
    .with_front(Provenance::Analytic, sphere_front(m))
}

/// DTLZ5: a front that degenerates to a curve.
///
/// The front and its hypervolume are given for up to three objectives only: with four and more,
/// points with `g > 0` are non-dominated too (Huband et al. 2006), and no closed form is known.
///
/// # Panics
/// If `objectives < 2` or `dim ≤ objectives`.
#[must_use]
#[track_caller]
pub fn dtlz5(dim: usize, objectives: usize) -> Synthetic {
    let reference: f64 = 10.0;
    let m = objectives;
    let problem = build("dtlz5", dim, m, reference, move |x, y| {
        let g = sphere(&x[m - 1..]);
        let mut angles: Vec<f64> = x[..m - 1]
            .iter()
            .map(|x| (1.0 + 2.0 * g * x) / (2.0 * (1.0 + g)))
            .collect();
        angles[0] = x[0];
        octant(1.0 + g, &angles, y);
    });
    // m = 3: f₁ = f₂ = cos θ / √2, f₃ = sin θ; with u = min(f₁, f₂) the space that the curve leaves
    // is ∫₀^{1/√2} 2(r − u) √(1 − 2u²) du = r·π/(2√2) − 1/3.
    let below = match m {
        2 => octant_volume(2),
        3 => reference * FRAC_PI_2 * FRAC_1_SQRT_2 - 1.0 / 3.0,
        _ => return problem,
    };
    let best = reference.powi(m as i32) - below;
    problem
        .with_max_hypervolume(Known::new(best, Provenance::Analytic))
        .with_front(Provenance::Analytic, move |n| {
            spread(&[(0.0, FRAC_PI_2)], n)
                .into_iter()
                .map(|theta| match m {
                    2 => vec![theta.cos(), theta.sin()],
                    _ => vec![
                        theta.cos() * FRAC_PI_4.cos(),
                        theta.cos() * FRAC_PI_4.sin(),
                        theta.sin(),
                    ],
                })
                .collect()
        })
}

fn dtlz7_term(t: f64) -> f64 {
    t * (1.0 + (3.0 * PI * t).sin())
}

/// DTLZ7: `2^(m−1)` disconnected pieces of a front.
///
/// # Panics
/// If `objectives < 2` or `dim ≤ objectives`.
#[must_use]
#[track_caller]
pub fn dtlz7(dim: usize, objectives: usize) -> Synthetic {
    let reference: f64 = 15.0;
    let m = objectives;
    let problem = build("dtlz7", dim, m, reference, move |x, y| {
        let tail = &x[m - 1..];
        let g = 1.0 + 9.0 * tail.iter().sum::<f64>() / tail.len() as f64;
        let mut h = m as f64;
        for (value, &x) in y.iter_mut().zip(&x[..m - 1]) {
            *value = x;
            h -= x / (1.0 + g) * (1.0 + (3.0 * PI * x).sin());
        }
        y[m - 1] = (1.0 + g) * h;
    });
    let problem = problem.with_front(Provenance::Analytic, move |n| {
        let values = spread(&DTLZ7_PIECES, per_coordinate(n, m - 1));
        grid(&values, m - 1)
            .into_iter()
            .map(|mut point| {
                let last = 2.0 * m as f64 - point.iter().map(|&t| dtlz7_term(t)).sum::<f64>();
                point.push(last);
                point
            })
            .collect()
    });
    // The volume formula below needs every point of the front under the reference.
    if 2.0 * m as f64 > reference {
        return problem;
    }
    // On the front f_m = 2m − Σ φ(f_o); the best f_m under a corner is 2m − Σ Φ(corner_o), Φ the
    // running maximum of φ. The sum separates, so ∫ (r − 2m + Σ Φ) is a one-dimensional integral.
    let r = reference;
    let antiderivative = |t: f64| {
        let wave = 3.0 * PI;
        0.5 * t * t + (wave * t).sin() / (wave * wave) - t * (wave * t).cos() / wave
    };
    let mut area = 0.0;
    for (piece, &(start, end)) in DTLZ7_PIECES.iter().enumerate() {
        area += antiderivative(end) - antiderivative(start);
        let next = DTLZ7_PIECES.get(piece + 1).map_or(r, |next| next.0);
        area += (next - end) * dtlz7_term(end);
    }
    let best = r.powi(m as i32 - 1) * (r - 2.0 * m as f64)
        + (m as f64 - 1.0) * r.powi(m as i32 - 2) * area;
    problem.with_max_hypervolume(Known::new(best, Provenance::Analytic))
}
