use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../tests/golden/distributions.json");

fn build(name: &str, p: &[f64]) -> Box<dyn Density> {
    match name {
        "normal" => Box::new(Normal::new(p[0], p[1]).unwrap()),
        "log_normal" => Box::new(LogNormal::new(p[0], p[1]).unwrap()),
        "gamma" => Box::new(Gamma::new(p[0], p[1]).unwrap()),
        "beta" => Box::new(Beta::new(p[0], p[1]).unwrap()),
        "uniform" => Box::new(Uniform::new(p[0], p[1]).unwrap()),
        "truncated_normal" => Box::new(TruncatedNormal::new(p[0], p[1], p[2], p[3]).unwrap()),
        _ => panic!("no distribution {name}"),
    }
}

struct Case {
    label: String,
    density: Box<dyn Density>,
    mean: f64,
    variance: f64,
    rows: Vec<(f64, f64)>,
}

fn cases() -> Vec<Case> {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let number = |v: &Value| v.as_f64().unwrap();
    let read = |case: &Value| {
        let name = case["distribution"].as_str().unwrap();
        let infinite = [0.0, 0.0, f64::NEG_INFINITY, f64::INFINITY];
        let parameters: Vec<f64> = case["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(i, p)| p.as_f64().unwrap_or(infinite[i]))
            .collect();
        let rows = case["ln_pdf"].as_array().unwrap();
        Case {
            label: format!("{name}{parameters:?}"),
            density: build(name, &parameters),
            mean: number(&case["mean"]),
            variance: number(&case["variance"]),
            rows: rows
                .iter()
                .map(|r| (number(&r[0]), number(&r[1])))
                .collect(),
        }
    };
    golden["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(read)
        .collect()
}

fn close(value: f64, expected: f64, tolerance: f64) -> bool {
    (value - expected).abs() <= tolerance * (1.0 + expected.abs())
}

#[test]
fn densities_and_moments_match_the_references() {
    for Case {
        label,
        density,
        mean,
        variance,
        rows,
    } in cases()
    {
        for (x, expected) in rows {
            let value = density.ln_pdf(x);
            assert!(
                close(value, expected, 1e-12),
                "{label} at {x}: {value}, not {expected}"
            );
        }
        assert!(
            close(density.mean(), mean, 1e-11),
            "{label}: mean {}",
            density.mean()
        );
        let error = (density.variance() - variance).abs();
        assert!(
            error <= 1e-9 * variance,
            "{label}: variance {}",
            density.variance()
        );
    }
}

#[test]
fn slopes_match_finite_differences() {
    for Case {
        label,
        density,
        rows,
        ..
    } in cases()
    {
        let (low, high) = density.support();
        for (x, _) in rows {
            let h = 1e-5 * (x - low).min(high - x).min(1.0 + x.abs());
            // Beyond a step of 1e-11 the difference holds no digits.
            if h < 1e-11 {
                continue;
            }
            let difference = (density.ln_pdf(x + h) - density.ln_pdf(x - h)) / (2.0 * h);
            let slope = density.d_ln_pdf(x);
            let noise = 1e-15 * density.ln_pdf(x).abs().max(1.0) / h;
            let tolerance = 1e-6 * (1.0 + slope.abs()) + 10.0 * noise;
            assert!(
                (slope - difference).abs() < tolerance,
                "{label} at {x}: {slope}, {difference}"
            );
        }
    }
}

#[test]
fn samples_have_the_moments_and_stay_in_the_support() {
    for Case {
        label,
        density,
        mean,
        variance,
        ..
    } in cases()
    {
        // The heavy tail of a wide log-normal hides its mean from any sample.
        if variance > 1e3 * mean * mean && label.starts_with("log_normal") {
            continue;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let n = 20_000;
        let (low, high) = density.support();
        let (mut first, mut second, mut fourth) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let x = density.sample(&mut rng);
            assert!(x.is_finite() && x >= low && x <= high, "{label}: {x}");
            let d = x - mean;
            first += d / f64::from(n);
            second += d * d / f64::from(n);
            fourth += d.powi(4) / f64::from(n);
        }
        let standard_error = (variance / f64::from(n)).sqrt();
        assert!(
            first.abs() < 4.5 * standard_error,
            "{label}: mean off by {first}"
        );
        let spread = ((fourth - second * second) / f64::from(n)).sqrt();
        // A skewed sample underestimates its own spread, hence the second term.
        let tolerance = 4.5 * spread + 0.03 * variance;
        assert!(
            (second - variance).abs() < tolerance,
            "{label}: {second}, not {variance}"
        );
    }
}

#[test]
fn samples_follow_the_density() {
    // Kolmogorov–Smirnov distance to the numerically integrated density.
    for (name, parameters) in [
        ("gamma", vec![0.7, 2.0]),
        ("gamma", vec![3.0, 0.5]),
        ("beta", vec![2.0, 5.0]),
        ("beta", vec![3.0, 1.5]),
        ("truncated_normal", vec![0.3, 0.4, 0.0, 1.0]),
        ("truncated_normal", vec![-20.0, 1.0, 0.0, 1.0]),
        ("log_normal", vec![0.0, 0.5]),
    ] {
        let density = build(name, &parameters);
        let mut rng = ChaCha8Rng::seed_from_u64(17);
        let n = 4000;
        let mut sample: Vec<f64> = (0..n).map(|_| density.sample(&mut rng)).collect();
        sample.sort_unstable_by(f64::total_cmp);
        // In the variable √x the gamma density below shape one is bounded.
        let top = sample[n - 1].sqrt();
        let (steps, mut cdf, mut at) = (40_000, 0.0, 0);
        let mut distance: f64 = 0.0;
        let step = top / f64::from(steps);
        for i in 0..steps {
            let root = (f64::from(i) + 0.5) * step;
            cdf += density.ln_pdf(root * root).exp() * 2.0 * root * step;
            while at < n && sample[at] <= (root + 0.5 * step).powi(2) {
                at += 1;
            }
            distance = distance.max((cdf - at as f64 / n as f64).abs());
        }
        // The 1e-4 quantile of the Kolmogorov distribution.
        assert!(
            distance < 2.23 / (n as f64).sqrt(),
            "{name}{parameters:?}: {distance}"
        );
    }
}

#[test]
fn modes_maximise() {
    for Case { label, density, .. } in cases() {
        let mode = density.mode();
        let top = density.ln_pdf(mode);
        for step in [1e-3, -1e-3, 0.1, -0.1, 1.0, -1.0] {
            let beside = density.ln_pdf(mode + step * density.variance().sqrt());
            let symmetric = label == "beta[0.5, 0.5]";
            assert!(beside <= top + 1e-12 || symmetric, "{label}: {mode}");
        }
    }
}

#[test]
fn outside_the_support_the_density_is_zero() {
    for Case { label, density, .. } in cases() {
        let (low, high) = density.support();
        for x in [low - 1.0, high + 1.0] {
            if x.is_finite() {
                assert!(density.ln_pdf(x) < f64::MIN, "{label} at {x}");
                assert!(density.d_ln_pdf(x).abs() <= 0.0, "{label} at {x}");
            }
        }
        assert!(
            density.ln_pdf(f64::NAN).is_nan() && density.d_ln_pdf(f64::NAN).is_nan(),
            "{label}"
        );
    }
}

#[test]
fn tiny_shapes_do_not_underflow() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let beta = Beta::new(1e-4, 1e-4).unwrap();
    let gamma = Gamma::new(1e-4, 1.0).unwrap();
    let mut upper = 0;
    for _ in 0..1000 {
        let x = beta.sample(&mut rng);
        assert!((0.0..=1.0).contains(&x));
        upper += usize::from(x > 0.5);
        assert!(gamma.sample(&mut rng) > 0.0);
    }
    assert!((400..600).contains(&upper), "{upper}");
}

#[test]
fn a_tail_cut_far_out_is_sampled() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let n = 4000;
    // Beyond z the normal is exponential with rate z.
    let cut = TruncatedNormal::new(0.0, 1.0, 1e4, f64::INFINITY).unwrap();
    let mean = (0..n)
        .map(|_| (cut.sample(&mut rng) - 1e4) * 1e4)
        .sum::<f64>()
        / f64::from(n);
    assert!((mean - 1.0).abs() < 0.07, "{mean}");
    let narrow = TruncatedNormal::new(0.0, 1.0, -3e7 - 1e-7, -3e7).unwrap();
    assert!(narrow.ln_pdf(-3e7).is_finite() && narrow.sample(&mut rng) <= -3e7);
}

#[test]
fn bad_parameters_are_named() {
    let error = Gamma::new(-1.0, 1.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gamma: shape must be positive and finite, got -1"
    );
    let error = TruncatedNormal::new(0.0, 1.0, 2.0, 2.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "truncated normal: expected low < high, got low 2 and high 2"
    );
    assert!(Normal::new(f64::NAN, 1.0).is_err() && Normal::new(0.0, 0.0).is_err());
    assert!(LogNormal::new(0.0, f64::INFINITY).is_err());
    assert!(Beta::new(0.0, 1.0).is_err() && Beta::new(1.0, f64::NAN).is_err());
    assert!(Uniform::new(1.0, 0.0).is_err() && Uniform::new(-f64::MAX, f64::MAX).is_err());
    assert!(TruncatedNormal::new(0.0, 1.0, f64::NAN, 2.0).is_err());
}

#[test]
fn value_stability() {
    let first = |density: &dyn Density| density.sample(&mut ChaCha8Rng::seed_from_u64(42));
    let pinned: [(Box<dyn Density>, f64); 6] = [
        (
            Box::new(Normal::new(0.0, 1.0).unwrap()),
            0.473_007_798_548_054_4,
        ),
        (
            Box::new(LogNormal::new(0.5, 1.0).unwrap()),
            2.645_890_809_388_106_4,
        ),
        (
            Box::new(Gamma::new(0.5, 2.0).unwrap()),
            0.930_971_460_312_949_5,
        ),
        (
            Box::new(Beta::new(2.0, 3.0).unwrap()),
            0.497_425_800_095_854_24,
        ),
        (
            Box::new(TruncatedNormal::new(0.2, 0.3, 0.0, 1.0).unwrap()),
            0.411_507_931_135_081_44,
        ),
        (
            Box::new(Uniform::new(-1.0, 3.0).unwrap()),
            1.727_584_769_226_685_7,
        ),
    ];
    let drawn: Vec<f64> = pinned
        .iter()
        .map(|(density, _)| first(density.as_ref()))
        .collect();
    for (value, (_, expected)) in drawn.iter().zip(&pinned) {
        assert!((value - expected).abs() < 1e-14, "{drawn:?}");
    }
    let mut normals = [0.0; 2];
    fill_standard_normal(&mut normals, &mut ChaCha8Rng::seed_from_u64(42));
    assert!((normals[0] - drawn[0]).abs() <= 0.0);
    let mut one = ChaCha8Rng::seed_from_u64(42);
    assert!((open_uniform(&mut one) * 4.0 - 1.0 - drawn[5]).abs() < 1e-15);
}
