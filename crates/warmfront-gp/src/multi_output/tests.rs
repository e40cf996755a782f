use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_linalg::{JitterPolicy, Mat, MatRef};
use warmfront_math::distribution::open_uniform;
use warmfront_testkit::{Golden, assert_all_close, assert_close, check_gradient};

use super::fit::Layout;
use super::likelihood::Evaluator;
use super::*;
use crate::{KernelKind, MapConfig, MapObjective, ParameterScale};

fn rows(golden: &Golden, key: &str) -> Mat<f64> {
    let rows = golden.rows(key);
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn uniform(n: usize, d: usize, rng: &mut ChaCha8Rng) -> Mat<f64> {
    Mat::from_fn(n, d, |_, _| open_uniform(rng))
}

fn flat(a: MatRef<'_, f64>) -> Vec<f64> {
    (0..a.ncols())
        .flat_map(|j| (0..a.nrows()).map(move |i| a[(i, j)]))
        .collect()
}

#[track_caller]
fn check_close(a: &Mat<f64>, b: &Mat<f64>, tolerance: f64, context: &str) {
    assert_eq!((a.nrows(), a.ncols()), (b.nrows(), b.ncols()), "{context}");
    assert_all_close(
        &flat(a.as_ref()),
        &flat(b.as_ref()),
        tolerance,
        tolerance,
        context,
    );
}

/// Outcomes with some structure at random points.
fn example(n: usize, d: usize, m: usize, seed: u64) -> MultiOutputData {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x = uniform(n, d, &mut rng);
    let y = Mat::from_fn(n, m, |i, o| {
        let sum: f64 = (0..d).map(|k| x[(i, k)]).sum();
        3.0 + 10.0_f64.powi(o as i32)
            * ((3.0 * sum + 0.4 * o as f64).sin() + 0.1 * open_uniform(&mut rng))
    });
    MultiOutputData::new(x.as_ref(), y.as_ref()).unwrap()
}

fn with_holes(data: &MultiOutputData) -> MultiOutputData {
    MultiOutputData::with_missing(data.x(), data.y(), |i, o| (i + 2 * o) % 4 != 0).unwrap()
}

fn params(family: KernelKind, d: usize, rho: f64) -> MultiOutputParams {
    let lengthscales = (0..d).map(|k| 0.3 + 0.2 * k as f64).collect();
    MultiOutputParams::equicorrelated(family, lengthscales, 1.3, rho, 0.02)
}

#[test]
fn golden_values_on_both_paths() {
    let golden = Golden::parse(include_str!("../../tests/golden/multi_output_gp.json"));
    for (c, case) in golden.cases().iter().enumerate() {
        let (x, y, z) = (rows(case, "X"), rows(case, "Y"), rows(case, "Z"));
        let data = MultiOutputData::new(x.as_ref(), y.as_ref()).unwrap();
        let params = MultiOutputParams::equicorrelated(
            KernelKind::Rbf,
            case.vec("lengthscale"),
            case.f64("outputscale"),
            case.f64("rho"),
            case.f64("noise"),
        );
        let identity = OutcomeScaling::identity(y.ncols());
        let two = MultiOutputGp::condition(&data, identity.clone(), params.clone()).unwrap();
        let one = MultiOutputGp::condition_dense(&data, identity.clone(), params.clone()).unwrap();
        assert!(two.is_decoupled() && !one.is_decoupled());
        for gp in [&two, &one] {
            let context = format!("case {c}, decoupled {}", gp.is_decoupled());
            assert_close(
                gp.log_marginal_likelihood(),
                case.f64("mll"),
                1e-10,
                0.0,
                &context,
            );
            let joint = gp.posterior(z.as_ref()).unwrap();
            check_close(&joint.mean, &rows(case, "posterior_mean"), 1e-9, &context);
            check_close(
                &joint.covariance,
                &rows(case, "posterior_cov"),
                1e-10,
                &context,
            );
        }
        let gradient = log_marginal_likelihood_gradient(&data, &identity, &params).unwrap();
        assert_close(
            gradient.value,
            case.f64("mll"),
            1e-10,
            0.0,
            "value with gradient",
        );
    }
}

#[test]
fn both_paths_agree_in_everything() {
    for (m, rho) in [(1, 0.0), (2, 0.6), (3, -0.3), (5, 0.9)] {
        for family in [KernelKind::Rbf, KernelKind::Matern52] {
            let data = example(9, 2, m, 1);
            let scaling = OutcomeScaling::standardize(&data);
            let p = params(family, 2, rho);
            let two = MultiOutputGp::condition(&data, scaling.clone(), p.clone()).unwrap();
            let one = MultiOutputGp::condition_dense(&data, scaling.clone(), p.clone()).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let (z, a) = (uniform(3, 2, &mut rng), uniform(4, 2, &mut rng));
            let (anchored_two, anchored_one) = (two.anchor(a.as_ref()), one.anchor(a.as_ref()));
            let (q2, q1) = (
                anchored_two.query(z.as_ref()),
                anchored_one.query(z.as_ref()),
            );
            check_close(&q2.mean, &q1.mean, 1e-9, "mean");
            check_close(&q2.covariance, &q1.covariance, 1e-9, "covariance");
            check_close(&q2.cross, &q1.cross, 1e-9, "cross");
            let marginals = two.predict(z.as_ref());
            check_close(
                &marginals.variance,
                &one.predict(z.as_ref()).variance,
                1e-9,
                "variance",
            );
            let mut gradients = [Mat::zeros(3, 2), Mat::zeros(3, 2)];
            anchored_two.pullback(z.as_ref(), &q2, gradients[0].as_mut());
            anchored_one.pullback(z.as_ref(), &q2, gradients[1].as_mut());
            check_close(&gradients[0], &gradients[1], 1e-8, "pullback");

            let evaluator = Evaluator::new(&data, &scaling);
            let by_modes = evaluator.evaluate(&p, JitterPolicy::NONE).unwrap();
            let mut per_output = p.clone();
            per_output.noise = vec![0.02; m];
            let dense = evaluator.evaluate(&per_output, JitterPolicy::NONE).unwrap();
            assert_close(by_modes.value, dense.value, 1e-10, 1e-10, "likelihood");
            assert_close(
                by_modes.log_variance,
                dense.log_variance,
                1e-8,
                1e-8,
                "variance",
            );
            assert_close(by_modes.rho, dense.rho, 1e-8, 1e-8, "rho");
            assert_close(
                by_modes.log_noise[0],
                dense.log_noise.iter().sum(),
                1e-8,
                1e-8,
                "noise",
            );
            assert_all_close(
                &by_modes.log_lengthscales,
                &dense.log_lengthscales,
                1e-8,
                1e-8,
                "ls",
            );
        }
    }
}

#[test]
fn gradients_of_the_log_posterior_match_finite_differences() {
    use CoregionConfig::{Equicorrelated, EquicorrelatedScaled, Full};
    let coregions = [
        Equicorrelated(RhoConfig::Learned),
        Equicorrelated(RhoConfig::Signed),
        EquicorrelatedScaled(RhoConfig::Signed),
        Full,
    ];
    for coregion in coregions {
        for noise_config in [NoiseConfig::Shared, NoiseConfig::PerOutput] {
            for family in [KernelKind::Rbf, KernelKind::Matern52] {
                for data in [example(7, 2, 3, 5), with_holes(&example(7, 2, 3, 5))] {
                    let config = MultiOutputConfig {
                        kernel: family,
                        coregion,
                        noise_config,
                        ..Default::default()
                    };
                    let scaling = OutcomeScaling::standardize(&data);
                    let layout = Layout::new(&config, &data, &scaling);
                    let specs = layout.specs();
                    let log = |k: usize| specs[k].scale == ParameterScale::Log;
                    let to_values = |t: &[f64]| -> Vec<f64> {
                        t.iter()
                            .enumerate()
                            .map(|(k, &t)| if log(k) { t.exp() } else { t })
                            .collect()
                    };
                    let theta: Vec<f64> = specs
                        .iter()
                        .enumerate()
                        .map(|(k, spec)| {
                            let start = if log(k) {
                                spec.initial.ln()
                            } else {
                                spec.initial
                            };
                            start + 0.05 * (k as f64 + 1.0).sin()
                        })
                        .collect();
                    let mut gradient = vec![0.0; theta.len()];
                    layout
                        .evaluate(&to_values(&theta), &mut gradient, &mut ())
                        .unwrap();
                    let mut scratch = vec![0.0; theta.len()];
                    let value = |t: &[f64]| {
                        layout
                            .evaluate(&to_values(t), &mut scratch, &mut ())
                            .unwrap()
                    };
                    check_gradient(value, &gradient, &theta, 1e-7);
                }
            }
        }
    }
}

#[test]
fn pullback_matches_finite_differences() {
    for family in [KernelKind::Rbf, KernelKind::Matern52] {
        for (m, holes) in [(1, false), (3, false), (3, true)] {
            for anchors in [0, 3] {
                let data = example(8, 2, m, 9);
                let data = if holes { with_holes(&data) } else { data };
                let scaling = OutcomeScaling::standardize(&data);
                let gp = MultiOutputGp::condition(&data, scaling, params(family, 2, 0.4)).unwrap();
                assert_eq!(gp.is_decoupled(), !holes);
                let mut rng = ChaCha8Rng::seed_from_u64(4);
                let (q, z, a) = (2, uniform(2, 2, &mut rng), uniform(anchors, 2, &mut rng));
                let anchored = gp.anchor(a.as_ref());
                let adjoint = AnchoredQuery {
                    mean: uniform(q, m, &mut rng),
                    covariance: uniform(q * m, q * m, &mut rng),
                    cross: uniform(q * m, anchors * m, &mut rng),
                };
                let value = |flat: &[f64]| {
                    let x = Mat::from_fn(q, 2, |i, k| flat[i * 2 + k]);
                    let answer = anchored.query(x.as_ref());
                    ops::inner(&answer.mean, &adjoint.mean)
                        + ops::inner(&answer.covariance, &adjoint.covariance)
                        + ops::inner(&answer.cross, &adjoint.cross)
                };
                let mut gradient = Mat::zeros(q, 2);
                anchored.pullback(z.as_ref(), &adjoint, gradient.as_mut());
                let flatten = |a: &Mat<f64>| flat(a.as_ref().transpose());
                check_gradient(value, &flatten(&gradient), &flatten(&z), 1e-7);

                let (mut dmean, mut dvariance) = (Mat::zeros(2, m), Mat::zeros(2, m));
                let point = [0.3, 0.6];
                let (mean, variance) =
                    gp.predict_gradient(&point, dmean.as_mut(), dvariance.as_mut());
                for o in 0..m {
                    let at = |x: &[f64]| gp.predict(MatRef::from_row_major_slice(x, 1, 2));
                    let marginals = at(&point);
                    assert_close(mean[o], marginals.mean[(0, o)], 0.0, 1e-12, "mean");
                    assert_close(
                        variance[o],
                        marginals.variance[(0, o)],
                        0.0,
                        1e-12,
                        "variance",
                    );
                    check_gradient(|x| at(x).mean[(0, o)], dmean.col_as_slice(o), &point, 1e-7);
                    check_gradient(
                        |x| at(x).variance[(0, o)],
                        dvariance.col_as_slice(o),
                        &point,
                        1e-7,
                    );
                }
            }
        }
    }
}

#[test]
fn query_agrees_with_the_joint_posterior_and_with_extension() {
    for holes in [false, true] {
        let data = example(8, 2, 3, 9);
        let data = if holes { with_holes(&data) } else { data };
        let scaling = OutcomeScaling::standardize(&data);
        let gp = MultiOutputGp::condition(&data, scaling, params(KernelKind::Rbf, 2, 0.4)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let all = uniform(5, 2, &mut rng);
        let (z, a) = (all.as_ref().subrows(0, 2), all.as_ref().subrows(2, 3));
        let joint = gp.posterior(all.as_ref()).unwrap();
        let answer = gp.anchor(a).query(z);
        for o in 0..3 {
            for p in 0..3 {
                for i in 0..2 {
                    for j in 0..2 {
                        let expected = joint.covariance[(o * 5 + i, p * 5 + j)];
                        let found = answer.covariance[(o * 2 + i, p * 2 + j)];
                        assert_close(found, expected, 1e-9, 1e-9, "covariance");
                    }
                    for j in 0..3 {
                        let expected = joint.covariance[(o * 5 + i, p * 5 + 2 + j)];
                        assert_close(
                            answer.cross[(o * 2 + i, p * 3 + j)],
                            expected,
                            1e-9,
                            1e-9,
                            "cross",
                        );
                    }
                }
            }
        }
        let first = gp.prepare(all.as_ref().subrows(0, 3));
        let extended = gp.extend(&first, all.as_ref().subrows(3, 2));
        let whole = gp.prepare(all.as_ref());
        check_close(extended.mean(), whole.mean(), 1e-12, "mean");
        let dense = |prepared: &PreparedAnchors| prepared.covariance().to_weighted(&[1.0; 3]);
        check_close(&dense(&extended), &dense(&whole), 1e-10, "covariance");
        let query = |prepared| gp.query_standardized(prepared, &gp.evaluate(prepared, z, false));
        let (q1, q2) = (query(&extended), query(&whole));
        check_close(
            &q1.cross.to_weighted(&[1.0; 3]),
            &q2.cross.to_weighted(&[1.0; 3]),
            1e-10,
            "cross",
        );
    }
}

#[test]
fn missing_outcomes_are_as_if_never_made() {
    // Two outputs seen at disjoint points, uncorrelated: two separate models.
    let data = example(10, 1, 2, 3);
    let split = MultiOutputData::with_missing(data.x(), data.y(), |i, o| (i < 5) == (o == 0));
    let p = params(KernelKind::Rbf, 1, 0.0);
    let identity = OutcomeScaling::identity;
    let both = MultiOutputGp::condition(&split.unwrap(), identity(2), p.clone()).unwrap();
    let single = MultiOutputData::new(data.x().subrows(0, 5), data.y().subrows(0, 5).subcols(0, 1));
    let alone = MultiOutputGp::condition(&single.unwrap(), identity(1), p).unwrap();
    let z = Mat::from_fn(4, 1, |i, _| 0.1 + 0.2 * i as f64);
    let (joint, single) = (both.predict(z.as_ref()), alone.predict(z.as_ref()));
    for i in 0..4 {
        assert_close(
            joint.mean[(i, 0)],
            single.mean[(i, 0)],
            1e-10,
            1e-10,
            "mean",
        );
        assert_close(
            joint.variance[(i, 0)],
            single.variance[(i, 0)],
            1e-10,
            1e-10,
            "variance",
        );
    }
}

#[test]
fn fit_finds_the_correlation_of_its_outputs() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let x = uniform(25, 1, &mut rng);
    let similar = Mat::from_fn(25, 2, |i, o| (6.0 * x[(i, 0)] + 0.1 * o as f64).sin());
    let opposite = Mat::from_fn(25, 2, |i, o| {
        (1.0 - 2.0 * o as f64) * (6.0 * x[(i, 0)]).sin()
    });
    let fit = |y: &Mat<f64>, rho| {
        let data = MultiOutputData::new(x.as_ref(), y.as_ref()).unwrap();
        let config = MultiOutputConfig {
            coregion: CoregionConfig::Equicorrelated(rho),
            ..Default::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        MultiOutputGp::fit(&data, &config, &mut rng).unwrap()
    };
    let (gp, report) = fit(&similar, RhoConfig::Learned);
    assert!(gp.params().coregion.rho().unwrap() > 0.9);
    assert!(report.converged && report.restarts_failed == 0);
    let (gp, _) = fit(&opposite, RhoConfig::Signed);
    assert!(gp.params().coregion.rho().unwrap() < -0.5);
    let error = (0..25)
        .map(|i| (gp.predict(x.as_ref()).mean[(i, 0)] - opposite[(i, 0)]).abs())
        .fold(0.0, f64::max);
    assert!(error < 0.02, "{error}");
}

#[test]
fn every_kind_of_coregionalisation_fits() {
    let data = with_holes(&example(12, 2, 3, 21));
    for coregion in [
        CoregionConfig::EquicorrelatedScaled(RhoConfig::Learned),
        CoregionConfig::Full,
        CoregionConfig::Equicorrelated(RhoConfig::Fixed(0.0)),
    ] {
        let config = MultiOutputConfig {
            coregion,
            noise_config: NoiseConfig::PerOutput,
            map: MapConfig {
                restarts: 1,
                ..Default::default()
            },
            ..Default::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let (gp, report) = MultiOutputGp::fit(&data, &config, &mut rng).unwrap();
        assert!(report.log_posterior.is_finite());
        let marginals = gp.predict(data.x());
        for o in 0..3 {
            for i in 0..12 {
                if data.is_observed(i, o) {
                    let deviation = gp.scaling().scale[o];
                    let error = (marginals.mean[(i, o)] - data.y()[(i, o)]).abs();
                    assert!(error < 0.8 * deviation, "{coregion:?} {i} {o} {error}");
                }
            }
        }
    }
}

#[test]
fn standardisation_by_powers_of_two_changes_no_bit() {
    let data = example(9, 1, 1, 2);
    let scaled = Mat::from_fn(9, 1, |i, _| data.y()[(i, 0)] * 1024.0);
    let scaled = MultiOutputData::new(data.x(), scaled.as_ref()).unwrap();
    let (a, b) = (
        OutcomeScaling::standardize(&data),
        OutcomeScaling::standardize(&scaled),
    );
    for i in 0..9 {
        assert_eq!(
            a.apply(0, data.y()[(i, 0)]).to_bits(),
            b.apply(0, scaled.y()[(i, 0)]).to_bits()
        );
    }
}

#[test]
fn ugly_data_never_panics_and_bad_data_names_the_row() {
    let x = Mat::from_fn(4, 1, |i, _| [0.1, 0.1, 0.9, 0.5][i]);
    for values in [
        [1e300, -1e300, 0.0, 1.0],
        [1e-300, 2e-300, 0.0, 1e-300],
        [3.0; 4],
        [0.0, 1e9, 0.1, 0.0],
    ] {
        let y = Mat::from_fn(4, 2, |i, o| if o == 0 { values[i] } else { i as f64 });
        let data = MultiOutputData::new(x.as_ref(), y.as_ref()).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let config = MultiOutputConfig {
            map: MapConfig {
                restarts: 1,
                ..Default::default()
            },
            ..Default::default()
        };
        let (gp, _) = MultiOutputGp::fit(&data, &config, &mut rng).unwrap();
        let marginals = gp.predict(x.as_ref());
        for i in 0..4 {
            for o in 0..2 {
                assert!(marginals.mean[(i, o)].is_finite(), "{values:?}");
            }
        }
    }
    for n in [0, 1] {
        let data = MultiOutputData::new(Mat::zeros(n, 2).as_ref(), Mat::zeros(n, 2).as_ref());
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let (gp, _) =
            MultiOutputGp::fit(&data.unwrap(), &MultiOutputConfig::default(), &mut rng).unwrap();
        assert!(gp.predict(Mat::zeros(3, 2).as_ref()).variance[(2, 1)].is_finite());
    }
    let mut y = Mat::zeros(4, 2);
    y[(2, 1)] = f64::NAN;
    let error = MultiOutputData::new(x.as_ref(), y.as_ref()).unwrap_err();
    assert!(matches!(
        error,
        GpError::NotFinite {
            row: 2,
            column: 1,
            ..
        }
    ));
    assert!(MultiOutputData::with_missing(x.as_ref(), y.as_ref(), |i, o| (i, o) != (2, 1)).is_ok());
}
