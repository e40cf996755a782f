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
    let (u, v): (f64, f64) = (-1.0 / 11.0, 0.5);
    assert!((fit.report.log_marginal_likelihood + 5.0 * (u * u + v * v)).abs() < 1e-3);
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
