use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

/// A Gaussian log likelihood of log value `a` around 1 and value `b` around −2.
struct Bowl {
    fails_below: f64,
}

impl MapObjective for Bowl {
    type Workspace = ();

    fn workspace(&self) {}

    fn evaluate(&self, values: &[f64], gradient: &mut [f64], (): &mut ()) -> Result<f64, GpError> {
        if values[0] < self.fails_below {
            return Err(GpError::NotPositiveDefinite {
                size: 1,
                jitter: 0.0,
            });
        }
        let (u, v) = (values[0].ln() - 1.0, values[1] + 2.0);
        gradient[0] = -10.0 * u;
        gradient[1] = -10.0 * v;
        Ok(-5.0 * (u * u + v * v))
    }

    fn observations(&self) -> usize {
        10
    }
}

fn specs() -> Vec<ParameterSpec> {
    vec![
        ParameterSpec::positive(
            HyperPrior::LogNormal {
                mu: 1.0,
                sigma: 1.0,
            },
            1e-3,
            1e3,
        ),
        ParameterSpec::flat(0.0, -1.5, f64::INFINITY),
    ]
}

#[test]
fn finds_the_mode_of_likelihood_times_prior_inside_the_bounds() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let config = MapConfig {
        restarts: 3,
        ..MapConfig::default()
    };
    let fit = fit_map(
        &specs(),
        &Bowl { fails_below: 0.0 },
        None,
        &config,
        &mut rng,
    )
    .unwrap();
    // d/du of −5u² − u²/2 − (u + 1) is zero at u = −1/11.
    assert!((fit.values[0].ln() - (1.0 - 1.0 / 11.0)).abs() < 1e-4);
    assert!((fit.values[1] + 1.5).abs() < 1e-12);
    assert_eq!((fit.report.starts, fit.report.restarts_failed), (4, 0));
    assert!(fit.report.converged);
    let at_result = Bowl { fails_below: 0.0 }
        .evaluate(&fit.values, &mut [0.0; 2], &mut ())
        .unwrap();
    assert!((fit.report.log_marginal_likelihood - at_result).abs() < 1e-12);
}

/// Two modes of one linear parameter, at −1 (worse) and near 2.
struct TwoModes;

impl MapObjective for TwoModes {
    type Workspace = ();

    fn workspace(&self) {}

    fn evaluate(&self, values: &[f64], gradient: &mut [f64], (): &mut ()) -> Result<f64, GpError> {
        let x = values[0];
        gradient[0] = -4.0 * (x + 1.0) * x * (x - 2.0);
        Ok(-x.powi(4) + 4.0 / 3.0 * x.powi(3) + 4.0 * x * x)
    }

    fn observations(&self) -> usize {
        1
    }
}

#[test]
fn a_warm_start_in_the_wrong_mode_does_not_hide_the_better_one() {
    let specs = [ParameterSpec::flat(1.0, -5.0, 5.0)];
    let config = MapConfig::default();
    let fit = |warm: Option<&[f64]>| {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        fit_map(&specs, &TwoModes, warm, &config, &mut rng).unwrap()
    };
    assert_eq!(fit(None).report.starts, 1);
    let warm = fit(Some(&[-1.1]));
    assert_eq!(warm.report.starts, 2);
    assert!((warm.values[0] - 2.0).abs() < 1e-4, "{:?}", warm.values);
    // And the other way round: the warm start counts where the initial value is in the wrong mode.
    let specs = [ParameterSpec::flat(-1.1, -5.0, 5.0)];
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let warm = fit_map(&specs, &TwoModes, Some(&[1.5]), &config, &mut rng).unwrap();
    assert!((warm.values[0] - 2.0).abs() < 1e-4, "{:?}", warm.values);
}

#[test]
fn failed_starts_are_skipped_and_counted() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let config = MapConfig {
        restarts: 8,
        ..MapConfig::default()
    };
    let start = [1e-3, 0.0];
    let fit = fit_map(
        &specs(),
        &Bowl { fails_below: 0.5 },
        Some(&start),
        &config,
        &mut rng,
    )
    .unwrap();
    assert!(fit.report.restarts_failed >= 1 && fit.report.restarts_failed < 9);
    assert!((fit.values[0].ln() - (1.0 - 1.0 / 11.0)).abs() < 1e-4);
    let none = fit_map(
        &specs(),
        &Bowl { fails_below: 1e9 },
        None,
        &config,
        &mut rng,
    );
    assert_eq!(none.unwrap_err(), GpError::FitFailed { starts: 9 });
}
