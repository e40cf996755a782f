//! Sampled hypervolume improvements and scalarisations: values and gradients.

#[path = "support/toy.rs"]
mod toy;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use toy::{Features, conflicting, coupling, numeric_gradient, uniform};
use warmfront_acq::{AcquisitionConfig, AcquisitionContext, AcquisitionFunction};
use warmfront_gp::Surrogate;
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat};
use warmfront_math::special::ndtri;
use warmfront_pareto::{Points, hypervolume};
use warmfront_testkit::assert_close;

struct Setting {
    observed: Mat<f64>,
    costs: Mat<f64>,
    pending: Mat<f64>,
    model: Features,
}

impl Setting {
    fn new(n: usize, m: usize, correlation: f64, noise: f64) -> Self {
        let observed = uniform(n, 2, 0.5);
        let costs = conflicting(&observed, m);
        let model = Features::fit(&observed, &costs, coupling(m, correlation), noise);
        Self {
            observed,
            costs,
            pending: Mat::zeros(0, 2),
            model,
        }
    }

    fn build(&self, config: &AcquisitionConfig) -> Box<dyn AcquisitionFunction + '_> {
        let context = AcquisitionContext {
            model: &self.model,
            observed: self.observed.as_ref(),
            costs: self.costs.as_ref(),
            pending: self.pending.as_ref(),
            reference: None,
        };
        config
            .build(context, &mut ChaCha8Rng::seed_from_u64(11))
            .expect("finite data")
    }
}

fn all_configs(m: usize) -> Vec<AcquisitionConfig> {
    let mut configs = vec![
        AcquisitionConfig::LogEhvi,
        AcquisitionConfig::QLogEhvi { samples: 64 },
        AcquisitionConfig::QLogNehvi { samples: 64 },
        AcquisitionConfig::ParEgo { rho: 0.05 },
    ];
    if m == 1 {
        configs.extend([
            AcquisitionConfig::LogEi,
            AcquisitionConfig::NoisyLogEi,
            AcquisitionConfig::Ucb { beta: 9.0 },
        ]);
    }
    configs
}

fn is_joint(config: &AcquisitionConfig) -> bool {
    matches!(
        config,
        AcquisitionConfig::QLogEhvi { .. }
            | AcquisitionConfig::QLogNehvi { .. }
            | AcquisitionConfig::ParEgo { .. }
    )
}

#[track_caller]
fn check_gradient(acqf: &dyn AcquisitionFunction, x: &Mat<f64>, what: &str) {
    let mut gradient = Mat::zeros(x.nrows(), x.ncols());
    let value = acqf
        .utility_gradient(x.as_ref(), gradient.as_mut())
        .expect("all have gradients");
    assert_close(value, acqf.utility(x.as_ref()), 1e-10, 1e-10, what);
    let numeric = numeric_gradient(x, |x| acqf.utility(x));
    let scale = numeric.norm_max().max(1.0);
    for i in 0..x.nrows() {
        for j in 0..x.ncols() {
            assert_close(gradient[(i, j)], numeric[(i, j)], 0.0, 2e-4 * scale, what);
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (m, correlation, noise) in [
        (1, 0.0, 1e-2),
        (2, 0.0, 1e-6),
        (2, 0.6, 1e-2),
        (3, -0.3, 1e-2),
        (4, 0.2, 1e-3),
    ] {
        for pending in [0, 2] {
            let mut setting = Setting::new(9, m, correlation, noise);
            setting.pending = uniform(pending, 2, 7.5);
            for config in all_configs(m) {
                let acqf = setting.build(&config);
                for q in 1..=3 {
                    if q > 1 && !is_joint(&config) {
                        continue;
                    }
                    for salt in [1.25, 2.25] {
                        let x = uniform(q, 2, salt);
                        let what = format!("{config:?}, m {m}, q {q}, pending {pending}");
                        check_gradient(&*acqf, &x, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn five_objectives_are_scalarised() {
    let setting = Setting::new(8, 5, 0.1, 1e-3);
    let acqf = setting.build(&AcquisitionConfig::default_for(5));
    check_gradient(&*acqf, &uniform(1, 2, 3.5), "five objectives");
}

#[test]
fn batched_utilities_are_those_of_single_points() {
    for m in 1..=4 {
        let mut setting = Setting::new(9, m, 0.3, 1e-2);
        for pending in [0, 1] {
            setting.pending = uniform(pending, 2, 7.5);
            for config in all_configs(m) {
                let acqf = setting.build(&config);
                let x = uniform(40, 2, 9.5);
                for (i, utility) in acqf.utilities(x.as_ref()).into_iter().enumerate() {
                    let alone = acqf.utility(x.as_ref().subrows(i, 1));
                    assert_close(utility, alone, 2e-6, 2e-6, &format!("{config:?}, m {m}"));
                }
            }
        }
    }
}

#[test]
fn samples_converge_to_the_closed_form() {
    for m in 1..=3 {
        // Free of noise, so that the noisy version has the same front.
        let setting = Setting::new(8, m, 0.0, 1e-10);
        let exact = setting.build(&AcquisitionConfig::LogEhvi);
        for config in [
            AcquisitionConfig::QLogEhvi { samples: 8192 },
            AcquisitionConfig::QLogNehvi { samples: 8192 },
        ] {
            let sampled = setting.build(&config);
            for i in 0..20 {
                let x = uniform(1, 2, f64::from(i) + 0.3);
                let expected = exact.utility(x.as_ref()).exp();
                let found = sampled.utility(x.as_ref()).exp();
                assert_close(found, expected, 0.03, 2e-5, &format!("{config:?}, m {m}"));
            }
        }
    }
}

/// Improvement by plain Monte Carlo with correlated outcomes.
fn brute_force(setting: &Setting, x: &Mat<f64>, reference: &[f64]) -> f64 {
    let (q, m) = (x.nrows(), setting.costs.ncols());
    let joint = setting.model.posterior(x.as_ref()).expect("closed form");
    let root = JitteredCholesky::factorize(joint.covariance.as_ref(), JitterPolicy::default())
        .expect("jittered");
    let mut front: Vec<f64> = (0..setting.costs.nrows())
        .flat_map(|i| (0..m).map(move |o| (i, o)))
        .map(|at| setting.costs[at])
        .collect();
    let base = front.len();
    let volume = |front: &[f64]| hypervolume(Points::new(front, m).expect("finite"), reference);
    let before = volume(&front);
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let samples = 20_000;
    let mut total = 0.0;
    for _ in 0..samples {
        let z: Vec<f64> = (0..q * m).map(|_| ndtri(rng.random::<f64>())).collect();
        front.truncate(base);
        for i in 0..q {
            for o in 0..m {
                let r = o * q + i;
                let l = root.factor();
                let noise: f64 = (0..=r).map(|k| l[(r, k)] * z[k]).sum();
                front.push(joint.mean[(i, o)] + noise);
            }
        }
        total += volume(&front) - before;
    }
    total / f64::from(samples)
}

#[test]
fn correlated_and_joint_improvements_agree_with_brute_force() {
    for correlation in [-0.7, 0.7] {
        let setting = Setting::new(7, 2, correlation, 1e-10);
        let reference = [1.2, 1.2];
        let context = AcquisitionContext {
            model: &setting.model,
            observed: setting.observed.as_ref(),
            costs: setting.costs.as_ref(),
            pending: setting.pending.as_ref(),
            reference: Some(&reference),
        };
        let config = AcquisitionConfig::QLogEhvi { samples: 8192 };
        let acqf = config
            .build(context, &mut ChaCha8Rng::seed_from_u64(4))
            .expect("finite");
        for q in 1..=4 {
            let x = uniform(q, 2, 0.9);
            let expected = brute_force(&setting, &x, &reference);
            let found = acqf.utility(x.as_ref()).exp();
            assert_close(found, expected, 0.04, 0.0, &format!("q {q}, {correlation}"));
        }
    }
}

#[test]
fn a_pair_is_worth_as_much_as_one_after_the_other() {
    // The gain of {a, b} is that of b with a pending plus that of a alone.
    let mut setting = Setting::new(7, 2, 0.4, 1e-2);
    let config = AcquisitionConfig::QLogNehvi { samples: 8192 };
    let pair = uniform(2, 2, 4.4);
    let first = pair.as_ref().subrows(0, 1).to_owned();
    let second = pair.as_ref().subrows(1, 1).to_owned();
    let (both, alone) = {
        let acqf = setting.build(&config);
        (
            acqf.utility(pair.as_ref()).exp(),
            acqf.utility(first.as_ref()).exp(),
        )
    };
    setting.pending = first;
    let then = setting.build(&config).utility(second.as_ref()).exp();
    assert_close(alone + then, both, 0.03, 0.0, "pair");
}

#[test]
fn pending_points_lower_the_utility_around_them() {
    for m in 1..=3 {
        let mut setting = Setting::new(8, m, 0.2, 1e-3);
        for config in all_configs(m) {
            setting.pending = Mat::zeros(0, 2);
            let near = uniform(1, 2, 2.75);
            let before = setting.build(&config).utility(near.as_ref());
            setting.pending = near.clone();
            let after = setting.build(&config).utility(near.as_ref());
            assert!(after < before - 0.1, "{config:?}: {before} then {after}");
        }
    }
}

#[test]
fn deep_in_the_dominated_region_the_utility_still_tells_where_to_go() {
    let model = toy::Fixed {
        mean: vec![5.0, 5.0],
        sd: vec![0.1, 0.2],
    };
    let observed = Mat::<f64>::zeros(1, 1);
    let costs = Mat::from_fn(1, 2, |_, _| 1.0);
    let pending = Mat::<f64>::zeros(0, 1);
    let utility = |mean: f64, config: &AcquisitionConfig| {
        let model = toy::Fixed {
            mean: vec![mean; 2],
            sd: model.sd.clone(),
        };
        let context = AcquisitionContext {
            model: &model,
            observed: observed.as_ref(),
            costs: costs.as_ref(),
            pending: pending.as_ref(),
            reference: Some(&[2.0, 2.0]),
        };
        let acqf = config
            .build(context, &mut ChaCha8Rng::seed_from_u64(4))
            .expect("finite");
        acqf.utility(Mat::<f64>::zeros(1, 1).as_ref())
    };
    for config in [
        AcquisitionConfig::LogEhvi,
        AcquisitionConfig::QLogEhvi { samples: 128 },
    ] {
        let (far, less) = (utility(6.0, &config), utility(5.9, &config));
        assert!(
            far.is_finite() && less > far + 1e-3,
            "{config:?}: {far} {less}"
        );
        assert!(utility(1e9, &config).is_finite(), "{config:?}");
    }
}

#[test]
fn without_observations_the_prior_decides() {
    for m in 1..=3 {
        let empty = Mat::<f64>::zeros(0, 2);
        let costs = Mat::<f64>::zeros(0, m);
        let model = Features::fit(&empty, &costs, coupling(m, 0.0), 1e-3);
        for config in all_configs(m) {
            for reference in [None, Some(vec![1.0; m])] {
                let context = AcquisitionContext {
                    model: &model,
                    observed: empty.as_ref(),
                    costs: costs.as_ref(),
                    pending: empty.as_ref(),
                    reference: reference.as_deref(),
                };
                let acqf = config
                    .build(context, &mut ChaCha8Rng::seed_from_u64(4))
                    .expect("a prior is enough");
                let x = uniform(1, 2, 0.2);
                assert!(acqf.utility(x.as_ref()).is_finite(), "{config:?}, m {m}");
                check_gradient(&*acqf, &x, "prior");
            }
        }
    }
}

#[test]
fn the_same_generator_builds_the_same_function() {
    let setting = Setting::new(9, 2, 0.3, 1e-2);
    let x = uniform(1, 2, 8.8);
    for config in all_configs(2) {
        let utility = || setting.build(&config).utility(x.as_ref()).to_bits();
        assert_eq!(utility(), utility(), "{config:?}");
    }
}
