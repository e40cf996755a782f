//! Nothing the data or the model does makes an acquisition function panic or propose nonsense.

#[path = "support/toy.rs"]
mod toy;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use toy::{Features, coupling};
use warmfront_acq::{AcqError, AcquisitionConfig, AcquisitionContext, MaximizeConfig, maximize};
use warmfront_core::SearchSpace;
use warmfront_gp::{Dataset, DifferentiableSurrogate, ExactGpConfig, IndependentGps};
use warmfront_linalg::Mat;
use warmfront_testkit::{ugly_matrix, unit_points, with_non_finite};

fn configs(m: usize) -> Vec<AcquisitionConfig> {
    let mut configs = vec![
        AcquisitionConfig::default_for(m),
        AcquisitionConfig::LogEhvi,
        AcquisitionConfig::QLogEhvi { samples: 16 },
        AcquisitionConfig::QLogNehvi { samples: 16 },
        AcquisitionConfig::ParEgo { rho: 0.05 },
    ];
    if m == 1 {
        configs.push(AcquisitionConfig::Ucb { beta: 4.0 });
        configs.push(AcquisitionConfig::NoisyLogEi);
    }
    configs
}

fn matrix(values: &[f64], columns: usize) -> Mat<f64> {
    Mat::from_fn(values.len() / columns, columns, |i, j| {
        values[i * columns + j]
    })
}

/// Builds and maximises everything. A typed error is a legitimate answer to a model whose posterior
/// overflows; with any other everything `must_build`.
fn survive(
    model: &dyn DifferentiableSurrogate,
    x: &Mat<f64>,
    y: &Mat<f64>,
    pending: &Mat<f64>,
    must_build: bool,
) {
    let space = SearchSpace::unit_cube(x.ncols());
    let quick = MaximizeConfig {
        raw_samples: 16,
        around_best: 4,
        restarts: 2,
        max_iterations: 5,
        parallel: false,
    };
    for config in configs(y.ncols()) {
        let context = AcquisitionContext {
            model,
            observed: x.as_ref(),
            costs: y.as_ref(),
            pending: pending.as_ref(),
            reference: None,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        match config.build(context, &mut rng) {
            Ok(acqf) => {
                let top = maximize(&*acqf, &space, &[], &quick, &mut rng);
                assert!(top.is_some_and(|top| !top.utility.is_nan()), "{config:?}");
            }
            Err(error) => assert!(!must_build, "{config:?}: {error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ugly_costs_with_a_toy_model(
        x in unit_points(6, 2), y in ugly_matrix(6, 2), pending in unit_points(1, 2),
    ) {
        let (x, y) = (matrix(&x, 2), matrix(&y, 2));
        let model = Features::fit(&x, &y, coupling(2, 0.5), 1e-6);
        survive(&model, &x, &y, &matrix(&pending, 2), false);
        survive(&model, &x, &y, &Mat::zeros(0, 2), false);
    }

    #[test]
    fn ugly_costs_with_gaussian_processes(
        x in unit_points(5, 2), y in ugly_matrix(5, 3), m in 1_usize..=3,
    ) {
        let (x, y) = (matrix(&x, 2), matrix(&y, 3));
        let y = Mat::from_fn(5, m, |i, o| y[(i, o)]);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let data = Dataset::new(x.clone(), y.clone()).expect("finite");
        let model = IndependentGps::fit(&data, &ExactGpConfig::default(), &[], &mut rng)
            .expect("a model can be fitted");
        survive(&model, &x, &y, &Mat::from_fn(1, 2, |_, j| x[(0, j)]), true);
    }

    #[test]
    fn costs_that_are_no_numbers_are_named(
        (y, at) in with_non_finite(Just(vec![1.0; 8])), x in unit_points(4, 2),
    ) {
        let (x, good) = (matrix(&x, 2), Mat::from_fn(4, 2, |i, j| (i * j) as f64));
        let model = Features::fit(&x, &good, coupling(2, 0.0), 1e-3);
        let costs = matrix(&y, 2);
        let pending = Mat::<f64>::zeros(0, 2);
        let context = AcquisitionContext {
            model: &model,
            observed: x.as_ref(),
            costs: costs.as_ref(),
            pending: pending.as_ref(),
            reference: None,
        };
        for config in configs(2) {
            let built = config.build(context, &mut ChaCha8Rng::seed_from_u64(1));
            match built {
                Err(AcqError::NotFinite { row, column, .. }) => {
                    prop_assert_eq!(row * 2 + column, at);
                }
                _ => prop_assert!(false, "{:?} accepted it", config),
            }
        }
    }
}

#[test]
fn one_observation_and_repeated_ones_are_enough() {
    for n in [1, 2, 4] {
        let x = Mat::from_fn(n, 2, |_, _| 0.5);
        let y = Mat::from_fn(n, 2, |_, _| 1.0);
        let model = Features::fit(&x, &y, coupling(2, 0.0), 1e-9);
        survive(&model, &x, &y, &x.clone(), true);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let data = Dataset::new(x.clone(), y.clone()).expect("finite");
        let model = IndependentGps::fit(&data, &ExactGpConfig::default(), &[], &mut rng)
            .expect("constant outcomes can be fitted");
        survive(&model, &x, &y, &Mat::zeros(0, 2), true);
    }
}

#[test]
fn constant_outcomes_and_one_outlier_still_get_a_suggestion() {
    let x = toy::uniform(8, 2, 0.3);
    let space = SearchSpace::unit_cube(2);
    for (name, outlier, scale) in [
        ("constant", 1.0, 0.0),
        ("outlier", 1e9, 1.0),
        ("large", 1.0, 1e100),
        ("small", 1.0, 1e-100),
    ] {
        let y = Mat::from_fn(8, 2, |i, o| {
            let factor = if i == 3 { outlier } else { 1.0 };
            scale * factor * (x[(i, 0)] - 0.5 * o as f64).powi(2)
        });
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let data = Dataset::new(x.clone(), y.clone()).expect("finite");
        let model = IndependentGps::fit(&data, &ExactGpConfig::default(), &[], &mut rng)
            .expect("a model can be fitted");
        let pending = Mat::<f64>::zeros(0, 2);
        let context = AcquisitionContext {
            model: &model,
            observed: x.as_ref(),
            costs: y.as_ref(),
            pending: pending.as_ref(),
            reference: None,
        };
        for config in configs(2) {
            let acqf = config.build(context, &mut rng).expect(name);
            let top = maximize(&*acqf, &space, &[], &MaximizeConfig::default(), &mut rng);
            let utility = top.expect("no table").utility;
            assert!(utility.is_finite(), "{name}, {config:?}: {utility}");
        }
    }
}

#[test]
fn wrong_settings_and_objective_counts_are_typed_errors() {
    let x = toy::uniform(4, 2, 0.0);
    let y = toy::conflicting(&x, 2);
    let model = Features::fit(&x, &y, coupling(2, 0.0), 1e-3);
    let pending = Mat::<f64>::zeros(0, 2);
    let context = AcquisitionContext {
        model: &model,
        observed: x.as_ref(),
        costs: y.as_ref(),
        pending: pending.as_ref(),
        reference: None,
    };
    let error = |config: AcquisitionConfig| {
        config
            .build(context, &mut ChaCha8Rng::seed_from_u64(1))
            .err()
            .map(|error| error.to_string())
    };
    for (config, message) in [
        (
            AcquisitionConfig::LogEi,
            "the expected improvement works for one objective, the model has 2 outputs",
        ),
        (
            AcquisitionConfig::QLogNehvi { samples: 0 },
            "the number of samples is 0, expected at least 1",
        ),
        (
            AcquisitionConfig::ParEgo { rho: -1.0 },
            "rho is -1, expected a finite number of at least 0",
        ),
    ] {
        assert_eq!(error(config).as_deref(), Some(message));
    }
}
