//! Models of so many observations that their algebra runs in tiles.

use warmfront_linalg::LARGE;

use super::*;

/// One below the threshold, at it, and with a rest that is no tile.
const SIZES: [usize; 3] = [LARGE - 1, LARGE, LARGE + 70];

fn on_threads<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(run)
}

fn config(kernel: KernelKind) -> ExactGpConfig {
    ExactGpConfig {
        kernel,
        ..ExactGpConfig::default()
    }
}

#[test]
fn likelihoods_and_predictions_are_the_same_for_any_number_of_threads() {
    for kind in KINDS {
        for n in SIZES {
            let x = points(n, 3, 1);
            let y = outcomes(&x);
            let at = points(600, 3, 2);
            let results = || {
                let config = config(kind);
                let likelihood = ExactLikelihood::new(x.as_ref(), y.col_as_slice(0), &config);
                let mut gradient = [0.0; 4];
                let value = likelihood
                    .evaluate(
                        &[0.4, 0.6, 0.8, 1e-3],
                        &mut gradient,
                        &mut likelihood.workspace(),
                    )
                    .unwrap();
                let gp = model(kind, n, 3);
                let posterior = gp.predict(at.as_ref());
                let joint = gp.joint(at.subrows(0, 20));
                let mut bits = vec![value.to_bits()];
                bits.extend(gradient.map(f64::to_bits));
                for matrix in [&posterior.mean, &posterior.variance, &joint.covariance] {
                    let columns = (0..matrix.ncols()).map(|j| matrix.col_as_slice(j));
                    bits.extend(columns.flatten().map(|v| v.to_bits()));
                }
                bits
            };
            let one = on_threads(1, results);
            for threads in [2, 5] {
                assert!(
                    one == on_threads(threads, results),
                    "{kind:?}, {n} observations, {threads} threads"
                );
            }
        }
    }
}

#[test]
fn a_fit_is_the_same_for_any_number_of_threads() {
    let x = points(LARGE, 2, 3);
    let data = Dataset::new(x.clone(), outcomes(&x)).unwrap();
    let mut config = config(KernelKind::Rbf);
    config.map.restarts = 1;
    config.map.lbfgsb.max_iterations = 4;
    let fit = |threads| {
        on_threads(threads, || {
            let gp = ExactGp::fit(&data, &config, &mut rng(1)).unwrap();
            (gp.hyperparameters(), gp.predict(x.as_ref()))
        })
    };
    assert_eq!(fit(1), fit(2));
}

#[test]
fn the_likelihood_of_many_observations_agrees_with_its_definition() {
    for kind in KINDS {
        let n = LARGE + 70;
        let x = points(n, 2, 4);
        let y = outcomes(&x);
        let y = y.col_as_slice(0);
        let config = config(kind);
        let likelihood = ExactLikelihood::new(x.as_ref(), y, &config);
        let mut w = likelihood.workspace();
        let kernel = ArdKernel::new(kind, vec![0.5, 0.9], 1.0);
        let (noise, mut gradient) = (1e-2, [0.0; 2]);
        let (value, others) = likelihood
            .value_and_gradient(&kernel, noise, None, &mut gradient, &mut w)
            .unwrap();

        // Generalised least squares and the density by the explicit inverse.
        let mut covariance = kernel.gram(x.as_ref());
        for i in 0..n {
            covariance[(i, i)] += noise;
        }
        let factor = JitteredCholesky::factorize(covariance.as_ref(), config.jitter).unwrap();
        let inverse = factor.inverse();
        let bilinear = |u: &dyn Fn(usize) -> f64, v: &dyn Fn(usize) -> f64| -> f64 {
            let entry = |i: usize, j: usize| u(i) * inverse[(i, j)] * v(j);
            (0..n)
                .map(|j| (0..n).map(|i| entry(i, j)).sum::<f64>())
                .sum()
        };
        let mean = bilinear(&|_| 1.0, &|j| y[j]) / bilinear(&|_| 1.0, &|_| 1.0);
        let best = likelihood.best_mean(&[0.5, 0.9, noise]).unwrap();
        assert_close(best, mean, 1e-8, 1e-8, "mean");
        let square = bilinear(&|i| y[i] - mean, &|j| y[j] - mean);
        let constant = n as f64 * (2.0 * std::f64::consts::PI).ln();
        let expected = -0.5 * (square + factor.log_det() + constant);
        assert_close(value, expected, 1e-9, 1e-8, "likelihood");

        // With the mean given, both solves are made: another way to the same weights.
        let mut given = [0.0; 2];
        let (same, by) = likelihood
            .value_and_gradient(&kernel, noise, Some(mean), &mut given, &mut w)
            .unwrap();
        assert_close(same, value, 1e-9, 1e-8, "likelihood at the given mean");
        for (a, b) in given.iter().chain(&by).zip(gradient.iter().chain(&others)) {
            assert_close(*a, *b, 1e-7, 1e-6, "gradient at the given mean");
        }

        let mut difference = |k: usize| {
            let step = 1e-5_f64;
            let mut at = |sign: f64| {
                let mut lengthscales = vec![0.5, 0.9];
                lengthscales[k] *= (sign * step).exp();
                let kernel = ArdKernel::new(kind, lengthscales, 1.0);
                likelihood
                    .value_and_gradient(&kernel, noise, None, &mut [0.0; 2], &mut w)
                    .unwrap()
                    .0
            };
            (at(1.0) - at(-1.0)) / (2.0 * step)
        };
        for k in 0..2 {
            assert_close(gradient[k], difference(k), 1e-5, 1e-4, "∂likelihood");
        }
    }
}
