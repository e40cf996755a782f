//! Task evolution and information gain of parametric multi-task optimisation, for all inputs.

use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_gp::{ArdKernel, KernelKind};
use warmfront_linalg::Mat;
use warmfront_meta::pmto::{
    DeterminantalCriterion, EvolutionConfig, InformationGains, greedy_information_gain,
    information_gain, maximize_in_box, polynomial_mutation, simulated_binary_crossover,
};
use warmfront_testkit::{assert_close, unit_points};

fn rbf(lengthscales: Vec<f64>) -> ArdKernel {
    ArdKernel::new(KernelKind::Rbf, lengthscales, 1.0)
}

/// The logarithm of a determinant by elimination with full pivoting.
fn brute_force_log_det(mut a: Mat<f64>) -> f64 {
    let n = a.nrows();
    let mut log_det = 0.0;
    let mut alive: Vec<usize> = (0..n).collect();
    while let Some((at, &pivot)) = alive
        .iter()
        .enumerate()
        .max_by(|u, v| a[(*u.1, *u.1)].total_cmp(&a[(*v.1, *v.1)]))
    {
        log_det += a[(pivot, pivot)].ln();
        alive.swap_remove(at);
        for &i in &alive {
            let factor = a[(i, pivot)] / a[(pivot, pivot)];
            for &j in &alive {
                let by = factor * a[(pivot, j)];
                a[(i, j)] -= by;
            }
        }
    }
    log_det
}

/// `ln J` by its definition, one determinant for each output.
fn brute_force(tasks: &Mat<f64>, lengthscales: &[Vec<f64>], task: &[f64]) -> f64 {
    let n = tasks.nrows();
    let all = Mat::from_fn(n + 1, tasks.ncols(), |i, k| {
        if i < n { tasks[(i, k)] } else { task[k] }
    });
    let logs: Vec<f64> = lengthscales
        .iter()
        .map(|own| brute_force_log_det(rbf(own.clone()).gram(all.as_ref())))
        .collect();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
    largest + (sum / logs.len() as f64).ln()
}

fn random_tasks(n: usize, d: usize, seed: u64) -> Mat<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Mat::from_fn(n, d, |_, _| rng.random())
}

#[test]
fn the_criterion_holds_where_single_precision_underflows() {
    // Sixty tasks with long lengthscales: determinants far below the smallest f32, 1e-45.
    for (seed, scale) in [(1, 0.6), (2, 0.8)] {
        let tasks = random_tasks(60, 5, seed);
        let lengthscales = vec![vec![scale; 5], vec![1.1 * scale; 5]];
        let criterion = DeterminantalCriterion::new(tasks.as_ref(), &lengthscales).unwrap();
        let candidates = random_tasks(10, 5, 100 + seed);
        for i in 0..10 {
            let task: Vec<f64> = (0..5).map(|k| candidates[(i, k)]).collect();
            let expected = brute_force(&tasks, &lengthscales, &task);
            assert!(expected < -45.0 * std::f64::consts::LN_10, "{expected}");
            assert_close(criterion.log_value(&task), expected, 1e-6, 0.0, "ln J");
        }
    }
}

#[test]
fn the_criterion_is_defined_without_tasks_and_for_repeated_ones() {
    let none = DeterminantalCriterion::new(Mat::<f64>::zeros(0, 2).as_ref(), &[vec![1.0; 2]]);
    assert_close(
        none.unwrap().log_value(&[0.3, 0.4]),
        0.0,
        0.0,
        1e-15,
        "J of one task",
    );
    let same = Mat::from_fn(3, 2, |_, k| 0.2 + 0.1 * k as f64);
    let criterion = DeterminantalCriterion::new(same.as_ref(), &[vec![0.5; 2]]).unwrap();
    assert!(criterion.score(&[0.9, 0.9]) > 100.0 * criterion.score(&[0.2, 0.3]));
    // A box of one point has no coordinates.
    let point = DeterminantalCriterion::new(Mat::<f64>::zeros(1, 0).as_ref(), &[vec![]]).unwrap();
    assert!(point.score(&[]) < 1e-9);
}

#[test]
fn evolution_finds_the_farthest_corner() {
    let tasks = Mat::from_fn(1, 2, |_, _| 0.1);
    let criterion = DeterminantalCriterion::new(tasks.as_ref(), &[vec![0.8; 2]]).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let score = |x: &[f64]| criterion.score(x);
    let (best, value) = maximize_in_box(2, &score, &EvolutionConfig::default(), &mut rng);
    assert!(best.iter().all(|&v| v > 0.98), "{best:?}");
    assert_close(
        value,
        criterion.score(&best),
        1e-12,
        0.0,
        "score of the best",
    );
}

fn reference_ratio(lengthscale: f64, per_task: usize, seed: u64) -> f64 {
    let (m, n) = (20, 20 * per_task);
    let tasks = random_tasks(m, 5, seed);
    let x = random_tasks(n, 4, 1000 + seed);
    let of: Vec<usize> = (0..n).map(|i| i % m).collect();
    let gains = InformationGains::of(
        x.as_ref(),
        &of,
        tasks.as_ref(),
        &rbf(vec![lengthscale; 4]),
        &rbf(vec![lengthscale; 5]),
        0.01,
    );
    gains.unwrap().ratio()
}

#[test]
fn gain_ratios_agree_with_the_reference_values() {
    // The references come from one random design each: the mean of five has to lie near them.
    for (lengthscale, per_task, expected, tolerance) in [
        (0.3, 5, 0.993, 0.004),
        (0.3, 10, 0.997, 0.012),
        (0.693, 5, 0.826, 0.04),
        (0.693, 10, 0.780, 0.04),
        (1.0, 5, 0.636, 0.05),
        (1.0, 10, 0.611, 0.05),
    ] {
        let mean: f64 = (0..5)
            .map(|seed| reference_ratio(lengthscale, per_task, seed) / 5.0)
            .sum();
        assert!(
            (mean - expected).abs() < tolerance,
            "ℓ = {lengthscale}, {per_task} per task: {mean}, expected {expected}"
        );
    }
}

#[test]
fn gains_have_the_limits_of_unrelated_and_of_equal_tasks() {
    let (x, tasks) = (random_tasks(12, 2, 1), random_tasks(4, 2, 2));
    let of: Vec<usize> = (0..12).map(|i| i % 4).collect();
    let kernel = rbf(vec![0.5; 2]);
    let gains = |scale: f64| {
        let between = rbf(vec![scale; 2]);
        InformationGains::of(x.as_ref(), &of, tasks.as_ref(), &kernel, &between, 0.01).unwrap()
    };
    assert_close(gains(1e-3).ratio(), 1.0, 1e-9, 0.0, "unrelated tasks");
    let pooled = information_gain(kernel.gram(x.as_ref()).as_ref(), 0.01).unwrap();
    assert_close(gains(1e6).unified, pooled, 1e-6, 0.0, "equal tasks");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_criterion_is_the_mean_of_the_determinants(
        points in unit_points(8, 2),
        scales in proptest::collection::vec(0.05..0.4_f64, 6),
        n in 0..8_usize,
    ) {
        // Points of a lattice, jittered: no two alike, so that no jitter is needed.
        let tasks = Mat::from_fn(n, 2, |i, k| {
            let lattice = if k == 0 { i % 3 } else { i / 3 };
            (lattice as f64 + 0.5 * points[2 * i + k]) / 3.0
        });
        let lengthscales: Vec<Vec<f64>> = scales.chunks(2).map(<[f64]>::to_vec).collect();
        let criterion = DeterminantalCriterion::new(tasks.as_ref(), &lengthscales).expect("regular");
        let task = [points[14], 0.9 * points[15] + 0.05];
        let expected = brute_force(&tasks, &lengthscales, &task);
        let actual = criterion.log_value(&task);
        prop_assert!(
            (actual.exp() - expected.exp()).abs() < 1e-9 * expected.exp() + 1e-14,
            "{actual} but {expected}"
        );
    }

    #[test]
    fn crossover_and_mutation_stay_in_the_box(
        a in unit_points(1, 6),
        b in unit_points(1, 6),
        seed: u64,
        index in 0.0..40.0_f64,
    ) {
        let config = EvolutionConfig {
            crossover_index: index,
            mutation_index: index,
            mutation_coordinate: Some(1.0),
            ..EvolutionConfig::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut first, mut second) = simulated_binary_crossover(&a, &b, &config, &mut rng);
        polynomial_mutation(&mut first, &config, &mut rng);
        polynomial_mutation(&mut second, &config, &mut rng);
        prop_assert!(first.iter().chain(&second).all(|v| (0.0..=1.0).contains(v)));
    }

    #[test]
    fn the_best_of_evolution_stays_in_the_box_and_is_its_best(seed: u64, dim in 0..4_usize) {
        let config = EvolutionConfig { population: 8, generations: 5, ..EvolutionConfig::default() };
        let score = |x: &[f64]| x.iter().enumerate().map(|(k, v)| (v - 0.3 * k as f64).sin()).sum();
        let run = || maximize_in_box(dim, &score, &config, &mut ChaCha8Rng::seed_from_u64(seed));
        let (best, value) = run();
        prop_assert!(best.len() == dim && best.iter().all(|v| (0.0..=1.0).contains(v)));
        let again: f64 = score(&best);
        prop_assert!((value - again).abs() < 1e-15);
        prop_assert_eq!(best, run().0);
    }

    /// Fischer's inequality: on every design one model of all tasks gains no more.
    #[test]
    fn a_unified_model_never_gains_more_than_independent_ones(
        x in unit_points(12, 2),
        theta in unit_points(4, 3),
        of in proptest::collection::vec(0..4_usize, 12),
        within in 0.05..3.0_f64,
        between in 0.01..10.0_f64,
        noise in 1e-4..1.0_f64,
    ) {
        let x = Mat::from_fn(12, 2, |i, k| x[2 * i + k]);
        let tasks = Mat::from_fn(4, 3, |i, k| theta[3 * i + k]);
        let gains = InformationGains::of(
            x.as_ref(), &of, tasks.as_ref(), &rbf(vec![within; 2]), &rbf(vec![between; 3]), noise,
        ).expect("covariances");
        prop_assert!(gains.unified <= gains.independent * (1.0 + 1e-9));
        prop_assert!(gains.unified > 0.0 && gains.ratio() <= 1.0 + 1e-9);
    }

    /// The greedy choice is near the best of all choices, here found by trying them.
    #[test]
    fn greedy_gains_are_near_the_largest(points in unit_points(6, 2), noise in 1e-3..1.0_f64) {
        let x = Mat::from_fn(6, 2, |i, k| points[2 * i + k]);
        let covariance = rbf(vec![0.5; 2]).gram(x.as_ref());
        let (chosen, gain) = greedy_information_gain(covariance.as_ref(), noise, 2);
        let of = |i: usize, j: usize| {
            let index = [i, j];
            let block = Mat::from_fn(2, 2, |a, b| covariance[(index[a], index[b])]);
            information_gain(block.as_ref(), noise).expect("a covariance")
        };
        prop_assert!((of(chosen[0], chosen[1]) - gain).abs() < 1e-7 * gain.max(1.0));
        let best = (0..6).flat_map(|i| (0..6).map(move |j| of(i, j))).fold(0.0, f64::max);
        prop_assert!(gain >= (1.0 - (-1.0_f64).exp()) * best - 1e-9);
    }
}
