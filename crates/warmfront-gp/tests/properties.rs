//! Data as users bring it: no panic, no NaN, and errors that name the row.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_gp::{
    AnchoredQuery, Dataset, DifferentiableSurrogate, ExactGp, ExactGpConfig, GpError,
    IndependentGps, KernelKind, MapConfig, Surrogate,
};
use warmfront_linalg::{Mat, MatRef};
use warmfront_testkit::{ugly_column, unit_points, with_non_finite};

fn matrix(rows: usize, columns: usize, values: &[f64]) -> Mat<f64> {
    Mat::from_fn(rows, columns, |i, j| values[i * columns + j])
}

fn config(kind: KernelKind) -> ExactGpConfig {
    ExactGpConfig {
        kernel: kind,
        ..ExactGpConfig::default()
    }
}

fn kinds() -> impl Strategy<Value = KernelKind> {
    prop_oneof![Just(KernelKind::Rbf), Just(KernelKind::Matern52)]
}

fn finite(values: MatRef<'_, f64>) -> bool {
    (0..values.ncols()).all(|j| values.col(j).iter().all(|v| v.is_finite()))
}

fn data() -> impl Strategy<Value = (usize, usize, Vec<f64>, Vec<f64>)> {
    (0_usize..12, 1_usize..4)
        .prop_flat_map(|(n, d)| (Just(n), Just(d), unit_points(n, d), ugly_column(n)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ugly_data_give_finite_predictions((n, d, x, y) in data(), kind in kinds(), query in unit_points(3, 3)) {
        let data = Dataset::new(matrix(n, d, &x), matrix(n, 1, &y)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let gp = ExactGp::fit(&data, &config(kind), &mut rng).unwrap();
        let at = matrix(3, d, &query);
        let marginals = gp.predict(at.as_ref());
        prop_assert!(finite(marginals.mean.as_ref()), "{:?}", marginals.mean);
        prop_assert!(finite(marginals.variance.as_ref()));
        prop_assert!(marginals.variance.col(0).iter().all(|v| *v >= 0.0));
        let joint = gp.posterior(at.as_ref()).unwrap();
        prop_assert!(finite(joint.covariance.as_ref()));
        let out_of_sample = gp.leave_one_out();
        prop_assert!(finite(out_of_sample.mean.as_ref()) && finite(out_of_sample.variance.as_ref()));
        let (mut dmean, mut dvariance) = (Mat::zeros(d, 1), Mat::zeros(d, 1));
        let point: Vec<f64> = (0..d).map(|k| at[(0, k)]).collect();
        gp.predict_gradient(&point, dmean.as_mut(), dvariance.as_mut());
        prop_assert!(finite(dmean.as_ref()) && finite(dvariance.as_ref()));
        let anchored = gp.anchor(data.x());
        let result = anchored.query(at.as_ref());
        prop_assert!(finite(result.cross.as_ref()) && finite(result.covariance.as_ref()));
        let adjoint = AnchoredQuery {
            mean: Mat::zeros(3, 1),
            covariance: Mat::from_fn(3, 3, |_, _| 1e-3),
            cross: Mat::from_fn(3, n, |_, _| 1e-3),
        };
        let mut gradient = Mat::zeros(3, d);
        anchored.pullback(at.as_ref(), &adjoint, gradient.as_mut());
        prop_assert!(finite(gradient.as_ref()));
        if n > 0 {
            let grown = gp.condition_on(at.as_ref(), &[y[0]; 3]).unwrap();
            prop_assert!(finite(grown.predict(at.as_ref()).mean.as_ref()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bad_outcomes_are_named((y, at) in with_non_finite(ugly_column(7))) {
        let error = Dataset::new(Mat::zeros(7, 2), matrix(7, 1, &y)).unwrap_err();
        let named = matches!(error, GpError::NotFinite { what: "outcomes", row, column: 0, .. } if row == at);
        prop_assert!(named, "{error} instead of row {at}");
    }

    #[test]
    fn an_observation_never_raises_the_variance(x in unit_points(9, 2), kind in kinds()) {
        let y: Vec<f64> = (0..8).map(|i| (3.0 * x[2 * i]).sin()).collect();
        let data = Dataset::new(matrix(8, 2, &x), matrix(8, 1, &y)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let gp = ExactGp::fit(&data, &config(kind), &mut rng).unwrap();
        let new = matrix(1, 2, &x[16..]);
        let grown = gp.condition_on(new.as_ref(), &[0.3]).unwrap();
        let (before, after) = (gp.predict(data.x()), grown.predict(data.x()));
        for i in 0..8 {
            prop_assert!(after.variance[(i, 0)] <= before.variance[(i, 0)] + 1e-9);
        }
    }

    #[test]
    fn rescaled_outcomes_give_rescaled_predictions(y in proptest::collection::vec(-1.0..1.0_f64, 8), exponent in -3..=3_i32) {
        let x = Mat::from_fn(8, 1, |i, _| (i as f64 * 0.618_033).fract());
        let factor = 8.0_f64.powi(exponent);
        let fit = |scale: f64| {
            let data = Dataset::new(x.clone(), Mat::from_fn(8, 1, |i, _| scale * y[i])).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            ExactGp::fit(&data, &ExactGpConfig::default(), &mut rng).unwrap().predict(x.as_ref())
        };
        let (unit, scaled) = (fit(1.0), fit(factor));
        for i in 0..8 {
            prop_assert!((scaled.mean[(i, 0)] / factor - unit.mean[(i, 0)]).abs() < 1e-6);
            prop_assert!((scaled.variance[(i, 0)] / factor.powi(2) - unit.variance[(i, 0)]).abs() < 1e-6);
        }
    }
}

#[test]
fn independent_models_take_ugly_outputs_side_by_side() {
    let x = Mat::from_fn(6, 1, |i, _| i as f64 / 5.0);
    let y = Mat::from_fn(6, 4, |i, o| match o {
        0 => 3.0,
        1 => 1e300 * i as f64,
        2 => 1e-300 * (i as f64 - 2.0),
        _ => {
            if i == 3 {
                1e9
            } else {
                i as f64
            }
        }
    });
    let data = Dataset::new(x.clone(), y).unwrap();
    let config = ExactGpConfig {
        map: MapConfig {
            restarts: 2,
            ..MapConfig::default()
        },
        ..ExactGpConfig::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let gps = IndependentGps::fit(&data, &config, &[], &mut rng).unwrap();
    let at = gps.predict(x.as_ref());
    assert!(finite(at.mean.as_ref()) && finite(at.variance.as_ref()));
    assert!((at.mean[(2, 0)] - 3.0).abs() < 1e-9);
}

#[test]
fn outcomes_of_another_size_than_the_first_ones_leave_the_model_finite() {
    let x = Mat::from_fn(2, 1, |i, _| i as f64);
    let at = Mat::from_fn(3, 1, |i, _| 0.4 * i as f64);
    for (first, later) in [
        ([1e-300, 3e-300], 1e10),
        ([1.0, 1.0], -1e300),
        ([1e300, 1e300 * (1.0 + f64::EPSILON)], 0.0),
    ] {
        let data = Dataset::new(x.clone(), matrix(2, 1, &first)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let gp = ExactGp::fit(&data, &ExactGpConfig::default(), &mut rng).unwrap();
        let grown = gp
            .condition_on(at.as_ref().subrows(1, 1), &[later])
            .unwrap();
        for gp in [gp, grown] {
            let marginals = gp.predict(at.as_ref());
            assert!(finite(marginals.mean.as_ref()), "{first:?}, {later}");
            assert!(finite(marginals.variance.as_ref()), "{first:?}, {later}");
            assert!(gp.report().log_marginal_likelihood.is_finite());
        }
    }
}
