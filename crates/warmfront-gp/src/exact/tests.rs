use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_math::distribution::{fill_standard_normal, open_uniform};
use warmfront_testkit::{Golden, assert_all_close, assert_close, check_gradient};

use super::*;
use crate::{AnchoredQuery, DifferentiableSurrogate, MapObjective, Surrogate};

mod large;

const KINDS: [KernelKind; 2] = [KernelKind::Rbf, KernelKind::Matern52];

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn points(n: usize, d: usize, seed: u64) -> Mat<f64> {
    let mut rng = rng(seed);
    Mat::from_fn(n, d, |_, _| open_uniform(&mut rng))
}

fn outcomes(x: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(x.nrows(), 1, |i, _| {
        5.0 + (0..x.ncols())
            .map(|k| (3.0 * x[(i, k)] + k as f64).sin())
            .sum::<f64>()
    })
}

/// A model with data-unit scale and shift, so that un-standardising is tested too.
fn model(kind: KernelKind, n: usize, d: usize) -> ExactGp {
    let x = points(n, d, 1);
    let y = outcomes(&x);
    let h = Hyperparameters {
        lengthscales: (0..d).map(|k| 0.4 + 0.2 * k as f64).collect(),
        outputscale: 1.3,
        noise: 1e-3,
        mean: 0.2,
    };
    let s = Standardization::of(y.col_as_slice(0));
    ExactGp::with_hyperparameters(&Dataset::new(x, y).unwrap(), kind, &h, s).unwrap()
}

fn rows(golden: &Golden, key: &str) -> Mat<f64> {
    let rows = golden.rows(key);
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

#[test]
fn likelihood_gradient_and_posterior_agree_with_the_reference() {
    let golden = Golden::parse(include_str!("../../tests/golden/gp.json"));
    for case in golden.cases() {
        let kind = match case.str("kernel").as_str() {
            "rbf" => KernelKind::Rbf,
            _ => KernelKind::Matern52,
        };
        let (x, z, y) = (rows(&case, "X"), rows(&case, "Z"), case.vec("y"));
        let h = Hyperparameters {
            lengthscales: case.vec("lengthscale"),
            outputscale: case.f64("outputscale"),
            noise: case.f64("noise"),
            mean: case.f64("mean"),
        };
        let data = Dataset::new(x.clone(), Mat::from_fn(y.len(), 1, |i, _| y[i])).unwrap();
        let gp = ExactGp::with_hyperparameters(&data, kind, &h, Standardization::IDENTITY).unwrap();
        let mll = case.f64("mll");
        assert_close(gp.report().log_marginal_likelihood, mll, 1e-8, 0.0, "mll");

        let config = ExactGpConfig {
            kernel: kind,
            ..ExactGpConfig::default()
        };
        let likelihood = ExactLikelihood::new(x.as_ref(), &y, &config);
        let mut gradient = vec![0.0; x.ncols()];
        let (value, rest) = likelihood
            .value_and_gradient(
                gp.kernel(),
                h.noise,
                Some(h.mean),
                &mut gradient,
                &mut likelihood.workspace(),
            )
            .unwrap();
        gradient.extend(rest);
        assert_close(value, mll, 1e-8, 0.0, "mll in the fit");
        let expected = case.vec("grad_log_lengthscale_log_outputscale_log_noise_mean");
        let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
        assert_all_close(&gradient, &expected, 1e-8, 1e-8 * largest, "gradient");

        let joint = gp.posterior(z.as_ref()).unwrap();
        let mean: Vec<f64> = (0..z.nrows()).map(|i| joint.mean[(i, 0)]).collect();
        assert_all_close(
            &mean,
            &case.vec("posterior_mean"),
            1e-8,
            1e-8,
            "posterior mean",
        );
        let covariance = rows(&case, "posterior_cov");
        for i in 0..z.nrows() {
            for j in 0..z.nrows() {
                assert_close(
                    joint.covariance[(i, j)],
                    covariance[(i, j)],
                    1e-8,
                    1e-8 * h.outputscale,
                    "covariance",
                );
            }
        }
    }
}

#[test]
fn fitted_objective_has_the_gradient_it_says() {
    let x = points(15, 2, 4);
    let y = outcomes(&x);
    let z: Vec<f64> = y.col_as_slice(0).iter().map(|v| v - 5.0).collect();
    for kind in KINDS {
        for (mean, learn) in [(MeanKind::Constant, true), (MeanKind::Zero, false)] {
            let config = ExactGpConfig {
                kernel: kind,
                mean,
                outputscale: learn.then(|| {
                    ParameterSpec::positive(
                        HyperPrior::Gamma {
                            shape: 2.0,
                            rate: 0.15,
                        },
                        1e-4,
                        1e2,
                    )
                }),
                ..ExactGpConfig::default()
            };
            let likelihood = ExactLikelihood::new(x.as_ref(), &z, &config);
            let log: Vec<f64> = if learn {
                vec![-0.5, 0.2, 0.4, -4.0]
            } else {
                vec![-0.5, 0.2, -4.0]
            };
            let at = |log: &[f64], gradient: &mut [f64]| {
                let values: Vec<f64> = log.iter().map(|v| v.exp()).collect();
                likelihood
                    .evaluate(&values, gradient, &mut likelihood.workspace())
                    .unwrap()
            };
            let mut gradient = vec![0.0; log.len()];
            at(&log, &mut gradient);
            check_gradient(|p| at(p, &mut vec![0.0; p.len()]), &gradient, &log, 1e-7);
        }
    }
}

#[test]
fn predict_gradient_agrees_with_differences() {
    for kind in KINDS {
        for (n, d) in [(0, 2), (1, 1), (20, 3)] {
            let gp = model(kind, n, d);
            let x: Vec<f64> = (0..d).map(|k| 0.3 + 0.2 * k as f64).collect();
            let (mut dmean, mut dvariance) = (Mat::zeros(d, 1), Mat::zeros(d, 1));
            let (mean, variance) = gp.predict_gradient(&x, dmean.as_mut(), dvariance.as_mut());
            let at = |x: &[f64]| gp.predict(Mat::from_fn(1, d, |_, k| x[k]).as_ref());
            assert_close(mean[0], at(&x).mean[(0, 0)], 1e-12, 1e-12, "mean");
            assert_close(
                variance[0],
                at(&x).variance[(0, 0)],
                1e-10,
                1e-10,
                "variance",
            );
            check_gradient(|x| at(x).mean[(0, 0)], dmean.col_as_slice(0), &x, 1e-7);
            check_gradient(
                |x| at(x).variance[(0, 0)],
                dvariance.col_as_slice(0),
                &x,
                1e-6,
            );
        }
    }
}

fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let mut out = Mat::zeros(rows, columns);
    let mut rng = rng(seed);
    for j in 0..columns {
        fill_standard_normal(out.col_as_slice_mut(j), &mut rng);
    }
    out
}

fn contract(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    let entry = |i: usize, j: usize| a[(i, j)] * b[(i, j)];
    (0..a.nrows())
        .map(|i| (0..a.ncols()).map(|j| entry(i, j)).sum::<f64>())
        .sum()
}

#[test]
fn pullback_agrees_with_differences() {
    for kind in KINDS {
        for (n, a, q) in [(12, 0, 1), (12, 3, 1), (12, 2, 3), (0, 2, 2), (12, 4, 2)] {
            let d = 2;
            let gp = model(kind, n, d);
            let anchored = gp.anchor(points(a, d, 7).as_ref());
            let adjoint = AnchoredQuery {
                mean: random(q, 1, 8),
                covariance: random(q, q, 9),
                cross: random(q, a, 10),
            };
            let x: Vec<f64> = points(q * d, 1, 11).col_as_slice(0).to_vec();
            let at = |x: &[f64]| {
                let query = anchored.query(Mat::from_fn(q, d, |i, k| x[i * d + k]).as_ref());
                contract(&query.mean, &adjoint.mean)
                    + contract(&query.covariance, &adjoint.covariance)
                    + contract(&query.cross, &adjoint.cross)
            };
            let mut gradient = Mat::zeros(q, d);
            let query = Mat::from_fn(q, d, |i, k| x[i * d + k]);
            anchored.pullback(query.as_ref(), &adjoint, gradient.as_mut());
            let flat: Vec<f64> = (0..q * d).map(|r| gradient[(r / d, r % d)]).collect();
            check_gradient(at, &flat, &x, 1e-6);
        }
    }
}

#[test]
fn anchored_query_is_the_joint_posterior() {
    for kind in KINDS {
        let gp = model(kind, 25, 2);
        let (anchors, x) = (points(4, 2, 20), points(3, 2, 21));
        let anchored = gp.anchor(anchors.as_ref());
        let query = anchored.query(x.as_ref());
        let both = Mat::from_fn(7, 2, |i, k| {
            if i < 3 {
                x[(i, k)]
            } else {
                anchors[(i - 3, k)]
            }
        });
        let joint = gp.posterior(both.as_ref()).unwrap();
        for i in 0..3 {
            assert_close(query.mean[(i, 0)], joint.mean[(i, 0)], 1e-12, 0.0, "mean");
            for j in 0..7 {
                let value = if j < 3 {
                    query.covariance[(i, j)]
                } else {
                    query.cross[(i, j - 3)]
                };
                assert_close(value, joint.covariance[(i, j)], 1e-9, 1e-11, "covariance");
            }
        }
        for i in 0..4 {
            for j in 0..4 {
                let (own, whole) = (
                    anchored.anchors().covariance[(i, j)],
                    joint.covariance[(3 + i, 3 + j)],
                );
                assert_close(own, whole, 1e-9, 1e-11, "anchors");
            }
        }
    }
}

#[test]
fn joint_diagonal_is_the_marginal_in_every_block_size() {
    for (n, count) in [(0, 3), (30, 1), (30, 2), (30, 70), (200, 700)] {
        let gp = model(KernelKind::Matern52, n, 2);
        let x = points(count, 2, 3);
        let marginal = gp.predict(x.as_ref());
        let joint = gp.posterior(x.as_ref()).unwrap();
        for i in 0..count {
            assert_close(
                marginal.mean[(i, 0)],
                joint.mean[(i, 0)],
                1e-11,
                1e-11,
                "mean",
            );
            assert_close(
                marginal.variance[(i, 0)],
                joint.covariance[(i, i)],
                1e-8,
                1e-11,
                "variance",
            );
        }
    }
}

#[test]
fn interpolates_and_reverts_to_the_prior() {
    for kind in KINDS {
        let x = points(10, 2, 1);
        let y = outcomes(&x);
        let h = Hyperparameters {
            lengthscales: vec![0.3, 0.3],
            outputscale: 1.0,
            noise: 1e-9,
            mean: 0.5,
        };
        let s = Standardization::of(y.col_as_slice(0));
        let data = Dataset::new(x.clone(), y.clone()).unwrap();
        let gp = ExactGp::with_hyperparameters(&data, kind, &h, s).unwrap();
        let at = gp.predict(x.as_ref());
        for i in 0..10 {
            assert_close(at.mean[(i, 0)], y[(i, 0)], 1e-6, 0.0, "interpolation");
            assert!(at.variance[(i, 0)] < 1e-6);
        }
        let far = gp.predict(Mat::from_fn(1, 2, |_, _| 100.0).as_ref());
        assert_close(far.mean[(0, 0)], s.restore(0.5), 1e-10, 0.0, "prior mean");
        assert_close(
            far.variance[(0, 0)],
            s.scale().powi(2),
            1e-10,
            0.0,
            "prior variance",
        );
    }
}

#[test]
fn conditioning_on_more_data_equals_starting_with_it() {
    let all = model(KernelKind::Matern52, 24, 2);
    let h = all.hyperparameters();
    let (x, s) = (points(24, 2, 1), all.standardization());
    let y = outcomes(&x);
    let part = Dataset::new(
        x.as_ref().subrows(0, 20).to_owned(),
        y.as_ref().subrows(0, 20).to_owned(),
    );
    let part = ExactGp::with_hyperparameters(&part.unwrap(), KernelKind::Matern52, &h, s).unwrap();
    let grown = part
        .condition_on(x.as_ref().subrows(20, 4), &y.col_as_slice(0)[20..])
        .unwrap();
    let query = points(5, 2, 9);
    let (a, b) = (all.predict(query.as_ref()), grown.predict(query.as_ref()));
    for i in 0..5 {
        assert_close(a.mean[(i, 0)], b.mean[(i, 0)], 1e-10, 1e-10, "mean");
        assert_close(
            a.variance[(i, 0)],
            b.variance[(i, 0)],
            1e-8,
            1e-11,
            "variance",
        );
    }
    let error = part
        .condition_on(query.as_ref(), &[1.0, 2.0, f64::NAN, 0.0, 1.0])
        .unwrap_err();
    assert!(matches!(
        error,
        GpError::NotFinite {
            what: "outcomes",
            row: 2,
            ..
        }
    ));
}

#[test]
fn leave_one_out_equals_leaving_one_out() {
    let gp = model(KernelKind::Rbf, 12, 2);
    let (x, s, h) = (points(12, 2, 1), gp.standardization(), gp.hyperparameters());
    let y = outcomes(&x);
    let closed = gp.leave_one_out();
    for out in 0..12 {
        let keep = |i: usize| if i < out { i } else { i + 1 };
        let data = Dataset::new(
            Mat::from_fn(11, 2, |i, k| x[(keep(i), k)]),
            Mat::from_fn(11, 1, |i, _| y[(keep(i), 0)]),
        );
        let rest = ExactGp::with_hyperparameters(&data.unwrap(), KernelKind::Rbf, &h, s).unwrap();
        let at = rest.predict(x.as_ref().subrows(out, 1));
        assert_close(closed.mean[(out, 0)], at.mean[(0, 0)], 1e-9, 1e-9, "mean");
        assert_close(
            closed.variance[(out, 0)],
            at.variance[(0, 0)],
            1e-7,
            1e-9,
            "variance",
        );
    }
}

#[test]
fn samples_have_the_posterior_moments() {
    let gp = model(KernelKind::Rbf, 6, 1);
    let joint = gp
        .posterior(Mat::from_fn(3, 1, |i, _| 0.2 + 0.9 * i as f64).as_ref())
        .unwrap();
    let draws = joint.sample(20_000, &mut rng(5)).unwrap();
    let mean = |f: &dyn Fn(usize) -> f64| (0..20_000).map(f).sum::<f64>() / 20_000.0;
    for i in 0..3 {
        let m = mean(&|s| draws[(i, s)]);
        assert!((m - joint.mean[(i, 0)]).abs() < 0.05);
        for j in 0..3 {
            let c = mean(&|s| {
                (draws[(i, s)] - joint.mean[(i, 0)]) * (draws[(j, s)] - joint.mean[(j, 0)])
            });
            assert!((c - joint.covariance[(i, j)]).abs() < 0.05);
        }
    }
}

#[test]
fn fit_finds_what_generated_the_data_and_warm_starts_add_little() {
    // Only the first input matters; noise of standard deviation 0.1 on a signal of about 0.7.
    let x = points(60, 3, 12);
    let mut noise = vec![0.0; 60];
    fill_standard_normal(&mut noise, &mut rng(13));
    let y = Mat::from_fn(60, 1, |i, _| (6.0 * x[(i, 0)]).sin() + 0.1 * noise[i]);
    let data = Dataset::new(x, y).unwrap();
    for kind in KINDS {
        let config = ExactGpConfig {
            kernel: kind,
            ..ExactGpConfig::default()
        };
        let gp = ExactGp::fit(&data, &config, &mut rng(0)).unwrap();
        let h = gp.hyperparameters();
        assert!(gp.report().converged && gp.report().jitter.abs() < 1e-300);
        assert!(
            h.lengthscales[0] < 1.0 && h.lengthscales[1] > 2.0 && h.lengthscales[2] > 2.0,
            "{h:?}"
        );
        assert!(
            (0.05..0.2).contains(&gp.noise_variance().sqrt()),
            "{}",
            gp.noise_variance()
        );
        let warm = ExactGp::fit_warm(&data, &config, Some(&h), &mut rng(0)).unwrap();
        assert!(
            warm.report().evaluations <= gp.report().evaluations + 8,
            "{} after {}",
            warm.report().evaluations,
            gp.report().evaluations
        );
        assert!(warm.report().log_posterior >= gp.report().log_posterior - 1e-4);
        let more = ExactGpConfig {
            map: MapConfig {
                restarts: 4,
                ..MapConfig::default()
            },
            ..config
        };
        let best = ExactGp::fit(&data, &more, &mut rng(0)).unwrap();
        assert!(best.report().log_posterior >= gp.report().log_posterior - 1e-9);
        // A second mode nearby is a little better; a single start must not be far from it.
        assert!(best.report().log_posterior <= gp.report().log_posterior + 0.2);
    }
}

#[test]
fn a_fit_without_observations_is_converged() {
    let data = Dataset::new(Mat::zeros(0, 2), Mat::zeros(0, 1)).unwrap();
    let gp = ExactGp::fit(&data, &ExactGpConfig::default(), &mut rng(0)).unwrap();
    assert!(gp.report().converged && gp.report().evaluations == 0);
}

#[test]
fn independent_fits_do_not_depend_on_the_number_of_threads() {
    let x = points(20, 2, 30);
    let y = Mat::from_fn(20, 3, |i, o| (3.0 * x[(i, 0)] + o as f64).sin() + x[(i, 1)]);
    let data = Dataset::new(x.clone(), y).unwrap();
    let config = ExactGpConfig {
        map: MapConfig {
            restarts: 2,
            ..MapConfig::default()
        },
        ..ExactGpConfig::default()
    };
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| IndependentGps::fit(&data, &config, &[], &mut rng(1)).unwrap())
    };
    let (one, four) = (fit(1), fit(4));
    assert_eq!(one.num_outputs(), 3);
    assert_eq!(one.predict(x.as_ref()), four.predict(x.as_ref()));
}

#[test]
fn the_configuration_for_low_noise_interpolates_outcomes_without_noise() {
    let x = points(25, 2, 40);
    let data = Dataset::new(x.clone(), outcomes(&x)).unwrap();
    let truth = outcomes(&x);
    let error = |config: &ExactGpConfig| {
        let fitted = ExactGp::fit(&data, config, &mut rng(1)).unwrap();
        let posterior = fitted.predict(x.as_ref());
        let square: f64 = (0..25)
            .map(|i| (posterior.mean[(i, 0)] - truth[(i, 0)]).powi(2))
            .sum();
        (square / 25.0).sqrt()
    };
    let (usual, low) = (
        error(&ExactGpConfig::default()),
        error(&ExactGpConfig::low_noise()),
    );
    assert!(low < 0.1 * usual, "{low} instead of {usual}");
}
