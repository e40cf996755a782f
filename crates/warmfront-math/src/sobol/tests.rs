use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../tests/golden/sobol.json");

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn integers(golden: &Value, key: &str) -> Vec<f64> {
    golden[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn assert_equal(ours: &[f64], expected: &[f64]) {
    assert_eq!(ours.len(), expected.len());
    for (i, (a, b)) in ours.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 0.0, "entry {i}: {a} instead of {b}");
    }
}

#[test]
fn plain_points_are_scipys() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let scaled = |points: Vec<f64>| -> Vec<f64> { points.iter().map(|u| u * 32.0).collect() };
    let points = scaled(Sobol::new(20).unwrap().points(32));
    assert_equal(&points, &integers(&golden, "dims_1_to_20"));
    for dim in [100, 1024] {
        let points = scaled(Sobol::new(dim).unwrap().points(32));
        let last: Vec<f64> = points.chunks(dim).map(|row| row[dim - 1]).collect();
        assert_equal(&last, &integers(&golden, &format!("dim_{dim}")));
    }
    let mut sobol = Sobol::new(100).unwrap();
    sobol.skip(4000);
    let row = sobol.points(1);
    let ours: Vec<f64> = integers(&golden, "points_4000_dims")
        .iter()
        .map(|dim| row[*dim as usize - 1])
        .collect();
    assert_equal(&ours, &integers(&golden, "points_4000"));
}

#[test]
fn skipping_is_drawing() {
    for count in [0, 1, 2, 7, 64, 100] {
        let mut drawn = Sobol::scrambled(5, &mut rng(1)).unwrap();
        let mut skipped = drawn.clone();
        drawn.points(3);
        skipped.skip(3);
        drawn.points(count);
        skipped.skip(count as u64);
        assert_eq!(drawn.index(), skipped.index());
        assert_equal(&drawn.points(4), &skipped.points(4));
    }
}

#[test]
fn the_end_is_reached_by_skipping() {
    let mut sobol = Sobol::new(2).unwrap();
    sobol.skip((1 << 32) - 1);
    let mut point = [0.0; 2];
    sobol.next_into(&mut point);
    assert!(point.iter().all(|u| (0.0..1.0).contains(u)));
    assert_eq!(sobol.index(), 1 << 32);
}

#[test]
fn axes_are_nets_after_scrambling() {
    for (seed, dim, k) in [(0, 1, 0), (1, 3, 1), (2, 10, 5), (3, 40, 7), (4, 300, 6)] {
        let n = 1usize << k;
        let points = Sobol::scrambled(dim, &mut rng(seed)).unwrap().points(n);
        for j in 0..dim {
            let mut seen = vec![false; n];
            for row in points.chunks(dim) {
                assert!(row[j] > 0.0 && row[j] < 1.0);
                seen[(row[j] * n as f64) as usize] = true;
            }
            assert!(
                seen.iter().all(|s| *s),
                "dimension {j} of {dim}, {n} points"
            );
        }
    }
}

#[test]
fn the_first_two_dimensions_are_a_two_dimensional_net() {
    let k = 8;
    let points = Sobol::scrambled(2, &mut rng(5)).unwrap().points(1 << k);
    for a in 0..=k {
        let (rows, columns) = (1usize << a, 1usize << (k - a));
        let mut seen = vec![0; rows * columns];
        for p in points.chunks(2) {
            let cell = (p[0] * rows as f64) as usize * columns + (p[1] * columns as f64) as usize;
            seen[cell] += 1;
        }
        assert!(seen.iter().all(|s| *s == 1), "{rows}×{columns} boxes");
    }
}

#[test]
fn integration_beats_monte_carlo_by_far() {
    // ∫ Π (1 + (u_j − ½)/2) = 1 over [0, 1]^6; the integrand's deviation is about 0.37, so that
    // Monte Carlo with 4096 points errs by about 6e-3.
    let n = 4096;
    let mut squares = 0.0;
    for seed in 0..8 {
        let points = Sobol::scrambled(6, &mut rng(seed)).unwrap().points(n);
        let sum: f64 = points
            .chunks(6)
            .map(|p| p.iter().map(|u| 1.0 + 0.5 * (u - 0.5)).product::<f64>())
            .sum();
        squares += (sum / n as f64 - 1.0).powi(2);
    }
    let error = (squares / 8.0_f64).sqrt();
    assert!(error < 3e-5, "{error}");
}

#[test]
fn normal_points_have_normal_moments() {
    let (n, dim) = (1024, 7);
    let points = normal_points(n, dim, &mut rng(11)).unwrap();
    for j in 0..dim {
        let column = || points.iter().skip(j).step_by(dim);
        let mean = column().sum::<f64>() / n as f64;
        let variance = column().map(|z| z * z).sum::<f64>() / n as f64;
        assert!(
            mean.abs() < 1e-3 && (variance - 1.0).abs() < 1e-2,
            "{mean} {variance}"
        );
        assert!(column().all(|z| z.is_finite()));
    }
}

#[test]
fn scrambles_differ_by_seed_and_are_uniform() {
    let first = |seed: u64| Sobol::scrambled(1, &mut rng(seed)).unwrap().points(1)[0];
    let mean = (0..2000).map(first).sum::<f64>() / 2000.0;
    // Four standard errors of a uniform mean.
    assert!(
        (mean - 0.5).abs() < 4.0 * (1.0f64 / 12.0 / 2000.0).sqrt(),
        "{mean}"
    );
}

#[test]
fn impossible_dimensions_are_refused() {
    for dim in [0, MAX_DIM + 1] {
        let error = Sobol::new(dim).unwrap_err();
        assert_eq!(error, MathError::SobolDimension { dim, max: MAX_DIM });
        assert!(normal_points(4, dim, &mut rng(0)).is_err());
    }
}

#[test]
fn value_stability() {
    let points = Sobol::scrambled(3, &mut rng(42)).unwrap().points(3);
    let units: Vec<u64> = points
        .iter()
        .map(|u| (u * 4_294_967_296.0) as u64)
        .collect();
    let expected: [u64; 9] = [
        2471294746, 941481546, 991406464, 891169254, 3111777726, 2679949039, 1485879923,
        1569469007, 1943590262,
    ];
    assert_eq!(units, expected);
    let normals = normal_points(2, 2, &mut rng(42)).unwrap();
    let expected = [
        0.190_121_775_334_773_76,
        -0.774_878_413_241_710_4,
        -0.815_155_996_339_944_7,
        0.596_313_853_387_926_3,
    ];
    for (a, b) in normals.iter().zip(expected) {
        assert!((a - b).abs() < 1e-14, "{normals:?}");
    }
}
