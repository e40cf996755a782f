//! Laws that hold for all arguments.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_math::lbfgsb::{LbfgsbConfig, Termination, minimize};
use warmfront_math::sobol::Sobol;
use warmfront_math::special::{
    d_log_ei_helper, d_log_ndtr, digamma, erfcx, inverse_softplus, lgamma, log_add_exp,
    log_ei_helper, log_ndtr, log_sub_exp, ndtr, ndtri, ndtri_exp, sigmoid, softplus,
};

/// A convex quadratic ½ xᵀQx − bᵀx with a box, and a start that may be outside.
#[derive(Debug, Clone)]
struct Quadratic {
    d: usize,
    q: Vec<f64>,
    b: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    start: Vec<f64>,
}

impl Quadratic {
    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for i in 0..self.d {
            let qx: f64 = (0..self.d).map(|j| self.q[i * self.d + j] * x[j]).sum();
            gradient[i] = qx - self.b[i];
            value += x[i] * (0.5 * qx - self.b[i]);
        }
        value
    }
}

fn quadratic() -> impl Strategy<Value = Quadratic> {
    (1usize..12).prop_flat_map(|d| {
        let bound = prop_oneof![3 => -2.0..2.0f64, 1 => Just(f64::INFINITY)];
        (
            prop::collection::vec(-1.0..1.0f64, d * d),
            prop::collection::vec(-5.0..5.0f64, d),
            prop::collection::vec((bound.clone(), bound), d),
            prop::collection::vec(-6.0..6.0f64, d),
            0.01..1.0f64,
        )
            .prop_map(move |(a, b, bounds, start, ridge)| {
                let mut q = vec![0.0; d * d];
                for i in 0..d {
                    for j in 0..d {
                        q[i * d + j] = (0..d).map(|k| a[k * d + i] * a[k * d + j]).sum();
                    }
                    q[i * d + i] += ridge;
                }
                // An infinite first bound means none below; equal bounds may occur.
                let lower = bounds.iter().map(|(l, u)| {
                    if l.is_infinite() {
                        f64::NEG_INFINITY
                    } else {
                        l.min(*u)
                    }
                });
                let upper = bounds.iter().map(|(l, u)| {
                    if u.is_infinite() || l.is_infinite() {
                        *u
                    } else {
                        u.max(*l)
                    }
                });
                Quadratic {
                    d,
                    q,
                    b,
                    lower: lower.collect(),
                    upper: upper.collect(),
                    start,
                }
            })
    })
}

proptest! {
    #[test]
    fn bounded_quadratics_end_at_a_kkt_point(problem in quadratic()) {
        let config =
            LbfgsbConfig { f_tolerance: 0.0, gradient_tolerance: 1e-7, ..Default::default() };
        let mut outside = false;
        let mut objective = |x: &[f64], g: &mut [f64]| {
            outside |= (0..problem.d).any(|i| x[i] < problem.lower[i] || x[i] > problem.upper[i]);
            problem.evaluate(x, g)
        };
        let minimum =
            minimize(&mut objective, &problem.start, &problem.lower, &problem.upper, &config);
        prop_assert!(!outside, "evaluated outside the box");
        let mut g = vec![0.0; problem.d];
        problem.evaluate(&minimum.x, &mut g);
        for i in 0..problem.d {
            let (x, l, u) = (minimum.x[i], problem.lower[i], problem.upper[i]);
            prop_assert!(x >= l && x <= u);
            // Multipliers have the sign of the active bound; free variables are stationary.
            prop_assert!(g[i] > -1e-6 || u - x < 1e-6, "{} {:?}", g[i], minimum);
            prop_assert!(g[i] < 1e-6 || x - l < 1e-6, "{} {:?}", g[i], minimum);
        }
        prop_assert!(minimum.gradient_norm < 1e-6);
    }

    #[test]
    fn small_memories_and_ugly_objectives_do_no_harm(
        problem in quadratic(),
        memory in 1usize..4,
        wall in -1.0..3.0f64,
        scale in -100i32..100,
    ) {
        let config = LbfgsbConfig { memory, ..Default::default() };
        let factor = 10f64.powi(scale);
        let mut objective = |x: &[f64], g: &mut [f64]| {
            let value = factor * problem.evaluate(x, g);
            g.iter_mut().for_each(|g| *g *= factor);
            if x[0] > wall { f64::NAN } else { value }
        };
        let d = problem.d;
        let start: Vec<f64> =
            (0..d).map(|i| problem.start[i].clamp(problem.lower[i], problem.upper[i])).collect();
        let mut g = vec![0.0; d];
        let first = objective(&start, &mut g);
        let minimum = minimize(&mut objective, &start, &problem.lower, &problem.upper, &config);
        if first.is_nan() {
            prop_assert_eq!(minimum.termination, Termination::NonFiniteStart);
        } else {
            prop_assert!(minimum.value <= first && minimum.x[0] <= wall);
        }
        let inside = (0..d).all(|i| (problem.lower[i]..=problem.upper[i]).contains(&minimum.x[i]));
        prop_assert!(inside);
    }

    #[test]
    fn quantiles_invert_the_distribution(z in -37.0..8.0f64) {
        // The error of a probability is magnified by its derivative.
        let tolerance = 1e-14 * (1.0 + z.abs()) + if z > 0.0 { 1e-16 / ndtr(-z) } else { 0.0 };
        prop_assert!((ndtri(ndtr(z)) - z).abs() < 4.0 * tolerance);
        prop_assert!((ndtri_exp(log_ndtr(z)) - z).abs() < 4.0 * tolerance);
    }

    #[test]
    fn log_functions_increase_and_slopes_are_their_differences(z in -1e3..8.0f64) {
        let h = 1e-4;
        for (f, slope) in [
            (log_ndtr as fn(f64) -> f64, d_log_ndtr as fn(f64) -> f64),
            (log_ei_helper, d_log_ei_helper),
            (softplus, sigmoid),
        ] {
            prop_assert!(f(z + h) >= f(z));
            let difference = (f(z + h) - f(z - h)) / (2.0 * h);
            // Rounding of f itself, then the third derivative.
            let noise = 1e-16 * f(z).abs().max(1.0) / h;
            prop_assert!((slope(z) - difference).abs() < 1e-6 + 4.0 * noise);
        }
    }

    #[test]
    fn scaled_complement_is_between_its_bounds(x in 0.0..1e4f64) {
        // 2/(x + √(x² + 2)) < √π erfcx(x) ≤ 2/(x + √(x² + 4/π)).
        let scaled = core::f64::consts::PI.sqrt() * erfcx(x);
        prop_assert!(scaled >= 2.0 / (x + (x * x + 2.0).sqrt()) * (1.0 - 1e-14));
        let above = 2.0 / (x + (x * x + 4.0 / core::f64::consts::PI).sqrt());
        prop_assert!(scaled <= above * (1.0 + 1e-14));
    }

    #[test]
    fn inverses_undo(a in -700.0..700.0f64, gap in 1e-3..50.0f64) {
        let sum = log_add_exp(a, a - gap);
        prop_assert!((log_sub_exp(sum, a - gap) - a).abs() < 1e-10 * (1.0 + a.abs()));
        prop_assert!((softplus(inverse_softplus(gap)) - gap).abs() < 1e-13 * (1.0 + gap));
    }

    #[test]
    fn gamma_recurrences(x in 1e-3..1e3f64) {
        let difference = lgamma(x + 1.0) - lgamma(x);
        prop_assert!((difference - x.ln()).abs() < 1e-12 * (1.0 + lgamma(x).abs()));
        prop_assert!((digamma(x + 1.0) - digamma(x) - 1.0 / x).abs() < 1e-13 * (1.0 + 1.0 / x));
    }

    #[test]
    fn any_block_of_a_power_of_two_is_a_net(
        seed: u64, dim in 1usize..30, k in 0u32..8, block in 0u64..50,
    ) {
        let n = 1usize << k;
        let mut sobol = Sobol::scrambled(dim, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        sobol.skip(block << k);
        let points = sobol.points(n);
        for j in 0..dim {
            let mut cells: Vec<usize> =
                points.chunks(dim).map(|p| (p[j] * n as f64) as usize).collect();
            cells.sort_unstable();
            prop_assert!(cells.iter().enumerate().all(|(i, c)| i == *c));
        }
    }
}
