use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../tests/golden/lbfgsb.json");

mod functions;

fn bounds(case: &Value, key: &str, infinite: f64) -> Vec<f64> {
    case[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b.as_f64().unwrap_or(infinite))
        .collect()
}

#[test]
fn as_low_as_scipy_in_a_similar_number_of_evaluations() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let mut complaints = Vec::new();
    let (mut ours, mut theirs) = (0, 0);
    for case in golden["cases"].as_array().unwrap() {
        let name = case["function"].as_str().unwrap();
        let function = functions::by_name(name);
        let x0 = bounds(case, "x0", f64::NAN);
        let lower = bounds(case, "lower", f64::NEG_INFINITY);
        let upper = bounds(case, "upper", f64::INFINITY);
        let config = LbfgsbConfig {
            f_tolerance: case["f_tolerance"].as_f64().unwrap(),
            gradient_tolerance: case["gradient_tolerance"].as_f64().unwrap(),
            max_iterations: 2000,
            ..LbfgsbConfig::default()
        };
        let minimum = minimize(&mut |x, g| function(x, g), &x0, &lower, &upper, &config);
        let value = case["value"].as_f64().unwrap();
        let evaluations = case["evaluations"].as_u64().unwrap() as usize;
        ours += minimum.evaluations;
        theirs += evaluations;
        let label = format!(
            "{name} d={} ftol={:.0e}: {} in {} ({:?}), SciPy {value} in {evaluations}",
            x0.len(),
            config.f_tolerance,
            minimum.value,
            minimum.evaluations,
            minimum.termination
        );
        let higher = minimum.value > value + 1e-8 * (1.0 + value.abs());
        if higher || minimum.evaluations > evaluations + evaluations / 2 + 10 {
            complaints.push(label);
        }
        for i in 0..x0.len() {
            assert!(
                minimum.x[i] >= lower[i] && minimum.x[i] <= upper[i],
                "{name}"
            );
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(
        ours * 10 <= theirs * 11,
        "{ours} evaluations in all, SciPy {theirs}"
    );
}

const FREE: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

#[test]
fn a_wall_of_nan_is_not_crossed() {
    // (x − 3)² falls up to the wall at 1, beyond which it is not defined.
    let mut seen_nan = false;
    let mut objective = |x: &[f64], g: &mut [f64]| {
        if x[0] >= 1.0 {
            seen_nan = true;
            g[0] = f64::NAN;
            return f64::NAN;
        }
        g[0] = 2.0 * (x[0] - 3.0);
        (x[0] - 3.0).powi(2)
    };
    let minimum = minimize(
        &mut objective,
        &[-5.0],
        &FREE[..1],
        &FREE[1..],
        &LbfgsbConfig::default(),
    );
    assert!(seen_nan);
    assert!(minimum.value.is_finite() && minimum.x[0] < 1.0 && minimum.x[0] > -5.0);
}

#[test]
fn a_barrier_of_infinity_has_its_minimum_found() {
    // x² − 4x − ln(1 − x), infinite from 1 on: 2x − 4 + 1/(1 − x) = 0 at x = (3 − √3)/2.
    let mut objective = |x: &[f64], g: &mut [f64]| {
        let x = x[0];
        if x >= 1.0 {
            g[0] = 0.0;
            return f64::INFINITY;
        }
        g[0] = 2.0 * x - 4.0 + 1.0 / (1.0 - x);
        x * x - 4.0 * x - (1.0 - x).ln()
    };
    let minimum = minimize(
        &mut objective,
        &[-50.0],
        &FREE[..1],
        &FREE[1..],
        &LbfgsbConfig::default(),
    );
    assert!(minimum.converged());
    assert!(
        (minimum.x[0] - (3.0 - 3f64.sqrt()) / 2.0).abs() < 1e-4,
        "{minimum:?}"
    );
}

#[test]
fn a_bad_start_is_reported() {
    let config = LbfgsbConfig::default();
    let mut nan = |_: &[f64], g: &mut [f64]| {
        g[0] = 0.0;
        f64::NAN
    };
    let minimum = minimize(&mut nan, &[0.5], &[0.0], &[1.0], &config);
    assert_eq!(minimum.termination, Termination::NonFiniteStart);
    assert!((minimum.x[0] - 0.5).abs() < 1e-15 && minimum.value.is_nan());
    let minimum = minimize(&mut nan, &[f64::NAN], &[0.0], &[1.0], &config);
    assert_eq!(
        (minimum.termination, minimum.evaluations),
        (Termination::NonFiniteStart, 0)
    );
}

#[test]
fn a_wrong_gradient_ends_without_harm() {
    let mut objective = |x: &[f64], g: &mut [f64]| {
        g[0] = -2.0 * x[0];
        x[0] * x[0]
    };
    let minimum = minimize(
        &mut objective,
        &[1.0],
        &FREE[..1],
        &FREE[1..],
        &LbfgsbConfig::default(),
    );
    assert_eq!(minimum.termination, Termination::LineSearchFailed);
    assert!(minimum.value <= 1.0 && minimum.evaluations < 50);
}

#[test]
fn budgets_are_kept() {
    let function = functions::by_name("rosenbrock");
    let x0: Vec<f64> = (0..10)
        .map(|i| if i % 2 == 0 { -1.2 } else { 1.0 })
        .collect();
    let (lower, upper) = (vec![-2.0; 10], vec![2.0; 10]);
    let mut scratch = vec![0.0; 10];
    let start = function(&x0, &mut scratch);
    for budget in [1, 2, 3, 7, 20] {
        let config = LbfgsbConfig {
            max_evaluations: budget,
            ..LbfgsbConfig::default()
        };
        let minimum = minimize(&mut |x, g| function(x, g), &x0, &lower, &upper, &config);
        assert!(minimum.evaluations <= budget && minimum.value <= start);
        assert_eq!(minimum.termination, Termination::MaxEvaluations);
    }
    let config = LbfgsbConfig {
        max_iterations: 3,
        ..LbfgsbConfig::default()
    };
    let minimum = minimize(&mut |x, g| function(x, g), &x0, &lower, &upper, &config);
    assert_eq!(
        (minimum.termination, minimum.iterations),
        (Termination::MaxIterations, 3)
    );
}

#[test]
fn a_box_without_inside_and_no_variables_are_fine() {
    let function = functions::by_name("rosenbrock");
    let config = LbfgsbConfig::default();
    let at = [0.3, 0.4];
    let minimum = minimize(&mut |x, g| function(x, g), &[0.0, 9.0], &at, &at, &config);
    assert!(minimum.converged() && minimum.evaluations == 1);
    assert_eq!(minimum.x.map_bits(), at.to_vec().map_bits());
    let minimum = minimize(&mut |_, _| 7.0, &[], &[], &[], &config);
    assert!(minimum.converged() && (minimum.value - 7.0).abs() < 1e-15);
}

#[test]
fn a_constant_and_a_huge_scale_are_fine() {
    let config = LbfgsbConfig::default();
    let mut constant = |_: &[f64], g: &mut [f64]| {
        g.fill(0.0);
        3.0
    };
    assert!(minimize(&mut constant, &[0.2; 3], &[0.0; 3], &[1.0; 3], &config).converged());
    for scale in [1e-200, 1e-30, 1e30, 1e150] {
        let mut objective = |x: &[f64], g: &mut [f64]| {
            g[0] = 2.0 * scale * (x[0] - 0.3);
            scale * (x[0] - 0.3).powi(2)
        };
        let minimum = minimize(&mut objective, &[0.9], &[0.0], &[1.0], &config);
        assert!(minimum.value.is_finite() && minimum.value <= scale);
        if scale > 1.0 {
            assert!((minimum.x[0] - 0.3).abs() < 1e-3, "{scale}: {minimum:?}");
        }
    }
}

#[test]
fn several_starts_find_the_lowest_valley() {
    let function = functions::by_name("styblinski_tang");
    let (lower, upper) = ([-5.0; 2], [5.0; 2]);
    let starts = [3.0, 3.0, -1.0, 3.0, -3.0, -3.0, -2.0, -2.0];
    let config = LbfgsbConfig::default();
    let (index, minimum) =
        multistart(&mut |x, g| function(x, g), &starts, &lower, &upper, &config).unwrap();
    assert!(index >= 2 && (minimum.value + 78.332_331_4).abs() < 1e-6);
    // The workspace carried from start to start leaves no trace.
    let alone = minimize(
        &mut |x, g| function(x, g),
        &starts[2 * index..2 * index + 2],
        &lower,
        &upper,
        &config,
    );
    assert_eq!(alone, minimum);
    assert!(multistart(&mut |x, g| function(x, g), &[], &lower, &upper, &config).is_none());
}

#[test]
fn the_best_is_never_a_nan() {
    let at = |value: f64| Minimum {
        x: vec![],
        value,
        gradient_norm: 0.0,
        iterations: 0,
        evaluations: 0,
        termination: Termination::ValueTolerance,
    };
    let pick = |values: &[f64]| best(values.iter().map(|v| at(*v))).map(|(index, _)| index);
    assert_eq!(pick(&[f64::NAN, 2.0, 1.0, 1.0, f64::NAN]), Some(2));
    assert_eq!(pick(&[f64::NAN]), Some(0));
    assert_eq!(pick(&[]), None);
}

trait MapBits {
    fn map_bits(&self) -> Vec<u64>;
}

impl MapBits for Vec<f64> {
    fn map_bits(&self) -> Vec<u64> {
        self.iter().map(|x| x.to_bits()).collect()
    }
}
