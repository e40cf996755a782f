//! The surrogates of the baselines keep the promises of `DifferentiableSurrogate`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_core::{
    Candidate, Costs, MetaDataset, Observation, Outcome, TaskRecord, TrialId, UnitPoint,
};
use warmfront_gp::{AnchoredQuery, DifferentiableSurrogate};
use warmfront_linalg::{Mat, MatRef};
use warmfront_meta::baseline::{AblrConfig, AblrModel, IndependentGpModel, RgpeConfig, RgpeModel};
use warmfront_meta::{TargetData, TargetModel};
use warmfront_testkit::assert_close;

const D: usize = 3;
const M: usize = 2;

fn pseudo(i: usize, j: usize) -> f64 {
    (0.754_877 * (i + 1) as f64 + 0.569_84 * (j + 1) as f64 * (i + 2) as f64).fract()
}

fn costs(x: &[f64], shift: f64) -> Vec<f64> {
    let sum: f64 = x.iter().sum();
    (0..M)
        .map(|o| (2.5 * sum + 0.6 * o as f64 + shift).sin() + x[0])
        .collect()
}

fn meta() -> MetaDataset {
    let task = |t: usize| {
        let observations = (0..12)
            .map(|i| {
                let x: Vec<f64> = (0..D).map(|k| pseudo(i + 20 * t, k)).collect();
                let y = Costs::from_values(costs(&x, 0.2 * t as f64)).unwrap();
                Observation {
                    trial: TrialId(i as u64),
                    candidate: Candidate::at(UnitPoint::clamped(x)),
                    outcome: Outcome::Complete(y),
                }
            })
            .collect();
        TaskRecord::new(observations)
    };
    MetaDataset::new((0..3).map(task).collect())
}

fn target(n: usize) -> TargetData {
    let x = Mat::from_fn(n, D, |i, k| pseudo(i + 100, k));
    let rows: Vec<Vec<f64>> = (0..n)
        .map(|i| costs(&(0..D).map(|k| x[(i, k)]).collect::<Vec<_>>(), 0.1))
        .collect();
    TargetData {
        y: Mat::from_fn(n, M, |i, o| rows[i][o]),
        x,
    }
}

fn surrogates(n: usize) -> Vec<(&'static str, Box<dyn DifferentiableSurrogate>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let config = AblrConfig {
        layers: vec![7, 6],
        iterations: 40,
        ..AblrConfig::default()
    };
    let mut ablr = AblrModel::train(&meta(), D, M, config, &mut rng).unwrap();
    let mut rgpe = RgpeModel::train(&meta(), D, M, RgpeConfig::default(), &mut rng).unwrap();
    let mut gp = IndependentGpModel::default();
    let mut precise = IndependentGpModel::low_noise();
    let data = target(n);
    vec![
        ("ablr", ablr.fit(&data, &mut rng).unwrap()),
        ("rgpe", rgpe.fit(&data, &mut rng).unwrap()),
        ("gp", gp.fit(&data, &mut rng).unwrap()),
        ("gp, low noise", precise.fit(&data, &mut rng).unwrap()),
    ]
}

fn points(n: usize, offset: usize) -> Mat<f64> {
    Mat::from_fn(n, D, |i, k| pseudo(i + offset, k))
}

fn check(name: &str, what: &str, a: MatRef<'_, f64>, b: MatRef<'_, f64>, tolerance: f64) {
    assert_eq!(
        (a.nrows(), a.ncols()),
        (b.nrows(), b.ncols()),
        "{name}: {what}"
    );
    for j in 0..a.ncols() {
        for i in 0..a.nrows() {
            assert_close(
                a[(i, j)],
                b[(i, j)],
                tolerance,
                tolerance,
                &format!("{name}: {what}"),
            );
        }
    }
}

#[test]
fn joint_anchored_and_marginal_posteriors_agree() {
    for n in [1, 6] {
        for (name, model) in surrogates(n) {
            let (x, a) = (points(2, 300), points(3, 400));
            let both = Mat::from_fn(5, D, |i, k| if i < 2 { x[(i, k)] } else { a[(i - 2, k)] });
            let joint = model.posterior(both.as_ref()).unwrap();
            let marginals = model.predict(both.as_ref());
            let anchored = model.anchor(a.as_ref());
            let query = anchored.query(x.as_ref());
            check(
                name,
                "mean",
                joint.mean.as_ref(),
                marginals.mean.as_ref(),
                1e-9,
            );
            for o in 0..M {
                for i in 0..5 {
                    let v = joint.covariance[(o * 5 + i, o * 5 + i)];
                    assert_close(v, marginals.variance[(i, o)], 1e-7, 1e-9, name);
                }
                for p in 0..M {
                    let block = |r: usize, c: usize, rows: usize, columns: usize| {
                        joint
                            .covariance
                            .as_ref()
                            .submatrix(o * 5 + r, p * 5 + c, rows, columns)
                    };
                    let own = query.covariance.as_ref().submatrix(o * 2, p * 2, 2, 2);
                    check(name, "covariance", own, block(0, 0, 2, 2), 1e-8);
                    let cross = query.cross.as_ref().submatrix(o * 2, p * 3, 2, 3);
                    check(name, "cross", cross, block(0, 2, 2, 3), 1e-8);
                    let anchors = &anchored.anchors().covariance;
                    let anchors = anchors.as_ref().submatrix(o * 3, p * 3, 3, 3);
                    check(name, "anchors", anchors, block(2, 2, 3, 3), 1e-8);
                }
            }
        }
    }
}

#[test]
fn gradients_match_finite_differences() {
    for (name, model) in surrogates(6) {
        let x = [0.31, 0.62, 0.44];
        let (mut dmean, mut dvariance) = (Mat::zeros(D, M), Mat::zeros(D, M));
        model.predict_gradient(&x, dmean.as_mut(), dvariance.as_mut());
        for o in 0..M {
            let at = |p: &[f64]| model.predict(MatRef::from_row_major_slice(p, 1, D));
            let mean = warmfront_testkit::gradient(|p| at(p).mean[(0, o)], &x);
            let variance = warmfront_testkit::gradient(|p| at(p).variance[(0, o)], &x);
            for k in 0..D {
                assert_close(dmean[(k, o)], mean[k], 1e-5, 1e-6, &format!("{name}: mean"));
                assert_close(
                    dvariance[(k, o)],
                    variance[k],
                    1e-5,
                    1e-6,
                    &format!("{name}: variance"),
                );
            }
        }
    }
}

#[test]
fn pullback_is_the_adjoint_of_query() {
    for (name, model) in surrogates(6) {
        let (q, a) = (2, 3);
        let anchored_points = points(a, 400);
        let anchored = model.anchor(anchored_points.as_ref());
        let adjoint = AnchoredQuery {
            mean: Mat::from_fn(q, M, |i, j| pseudo(i, j) - 0.5),
            covariance: Mat::from_fn(q * M, q * M, |i, j| pseudo(i + 7, j) - 0.5),
            cross: Mat::from_fn(q * M, a * M, |i, j| pseudo(i + 9, j) - 0.5),
        };
        let inner = |a: &Mat<f64>, b: &Mat<f64>| -> f64 {
            (0..a.ncols())
                .map(|j| (0..a.nrows()).map(|i| a[(i, j)] * b[(i, j)]).sum::<f64>())
                .sum()
        };
        let scalar = |p: &[f64]| {
            let query = anchored.query(MatRef::from_row_major_slice(p, q, D));
            inner(&query.mean, &adjoint.mean)
                + inner(&query.covariance, &adjoint.covariance)
                + inner(&query.cross, &adjoint.cross)
        };
        let x: Vec<f64> = (0..q * D).map(|i| pseudo(i / D + 300, i % D)).collect();
        let expected = warmfront_testkit::gradient(scalar, &x);
        let mut gradient = Mat::zeros(q, D);
        anchored.pullback(
            MatRef::from_row_major_slice(&x, q, D),
            &adjoint,
            gradient.as_mut(),
        );
        for i in 0..q {
            for k in 0..D {
                assert_close(gradient[(i, k)], expected[i * D + k], 1e-5, 1e-6, name);
            }
        }
    }
}
