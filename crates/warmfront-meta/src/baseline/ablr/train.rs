//! Training of the shared network by the sum of the tasks' evidences.

use warmfront_linalg::Mat;
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};

use super::AblrConfig;
use super::head::{HeadPrior, LOG_PRECISION, evidence, residual};
use super::network::Network;
use crate::baseline::meta_columns::TaskColumn;

/// Trains `network` and every task's precisions; returns it with what the tasks say of a new one.
pub(super) fn train(
    mut network: Network,
    tasks: &[TaskColumn],
    config: &AblrConfig,
) -> (Network, HeadPrior) {
    let width = network.weights().len();
    let points: usize = tasks.iter().map(|task| task.y.len()).sum();
    let all = stacked_inputs(tasks);
    let mut start = network.weights().to_vec();
    // α = 1 and a noise of a tenth of the standardised variance: neither is decided yet.
    start.extend(tasks.iter().flat_map(|_| [0.0, 10f64.ln()]));
    let lower: Vec<f64> = (0..start.len())
        .map(|i| {
            if i < width {
                f64::NEG_INFINITY
            } else {
                LOG_PRECISION.0
            }
        })
        .collect();
    let upper: Vec<f64> = (0..start.len())
        .map(|i| {
            if i < width {
                f64::INFINITY
            } else {
                LOG_PRECISION.1
            }
        })
        .collect();
    let mut trial = network.clone();
    let mut objective = |p: &[f64], gradient: &mut [f64]| {
        let value =
            negative_log_evidence(&mut trial, p, tasks, &all, config.weight_decay, gradient);
        // Per observation, so that the tolerances mean the same for any amount of meta-data.
        for g in gradient.iter_mut() {
            *g /= points as f64;
        }
        value / points as f64
    };
    let settings = LbfgsbConfig {
        max_iterations: config.iterations,
        ..LbfgsbConfig::default()
    };
    let best = minimize(&mut objective, &start, &lower, &upper, &settings);
    network.set_weights(&best.x[..width]);
    let count = tasks.len() as f64;
    let mean = |value: &dyn Fn(usize) -> f64| (0..tasks.len()).map(|t| value(t) / count).sum();
    let prior = HeadPrior {
        log_alpha: mean(&|t| best.x[width + 2 * t]),
        log_beta: mean(&|t| best.x[width + 2 * t + 1]),
        location: mean(&|t| tasks[t].standardization.shift()),
        scale: mean(&|t| tasks[t].standardization.scale()),
    };
    (network, prior)
}

fn stacked_inputs(tasks: &[TaskColumn]) -> Mat<f64> {
    let d = tasks.first().map_or(0, |task| task.x.ncols());
    let rows: Vec<(usize, usize)> = tasks
        .iter()
        .enumerate()
        .flat_map(|(t, task)| (0..task.x.nrows()).map(move |i| (t, i)))
        .collect();
    Mat::from_fn(rows.len(), d, |r, k| tasks[rows[r].0].x[(rows[r].1, k)])
}

/// Minus the sum of log evidences plus the weight decay; `p` is the network's weights, then
/// (log α, log β) of each task. Infinite where a task's precision matrix cannot be factorised.
fn negative_log_evidence(
    network: &mut Network,
    p: &[f64],
    tasks: &[TaskColumn],
    all: &Mat<f64>,
    decay: f64,
    gradient: &mut [f64],
) -> f64 {
    let width = network.weights().len();
    let points = all.nrows() as f64;
    network.set_weights(&p[..width]);
    let activations = network.forward(all.as_ref());
    let features = activations.features();
    let d = features.ncols();
    let mut d_features = Mat::zeros(features.nrows(), d);
    gradient.fill(0.0);
    let mut value = 0.0;
    let mut row = 0;
    for (t, task) in tasks.iter().enumerate() {
        let n = task.y.len();
        let own = features.as_ref().subrows(row, n);
        let (a, b) = (width + 2 * t, width + 2 * t + 1);
        let Ok(e) = evidence(own, &task.y, p[a], p[b]) else {
            return f64::INFINITY;
        };
        value -= e.value;
        gradient[a] = -e.d_log_alpha;
        gradient[b] = -e.d_log_beta;
        let beta = p[b].exp();
        let misfit = residual(own, &task.y, &e.mean);
        let spread = warmfront_linalg::matmul(own, e.covariance.as_ref());
        for j in 0..d {
            for i in 0..n {
                // d(−log evidence)/dΦ = β ΦA⁻¹ − β (y − Φw) wᵀ.
                d_features[(row + i, j)] = beta * (spread[(i, j)] - misfit[i] * e.mean[j]);
            }
        }
        row += n;
    }
    network.backward(&activations, d_features, Some(&mut gradient[..width]));
    for (g, w) in gradient.iter_mut().zip(&p[..width]) {
        *g += points * decay * w;
        value += 0.5 * points * decay * w * w;
    }
    value
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    use warmfront_gp::Standardization;

    use super::*;

    fn tasks() -> Vec<TaskColumn> {
        (0..3)
            .map(|t| {
                let n = 5 + t;
                let x = Mat::from_fn(n, 2, |i, k| {
                    (0.37 * (i + 1) as f64 * (k + 2) as f64 + 0.1 * t as f64).fract()
                });
                let y = (0..n)
                    .map(|i| (4.0 * x[(i, 0)] + t as f64).sin() + x[(i, 1)])
                    .collect();
                TaskColumn {
                    x,
                    y,
                    standardization: Standardization::new(0.0, 1.0),
                }
            })
            .collect()
    }

    #[test]
    fn evidence_gradient_matches_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let network = Network::random(2, &[4, 3], &mut rng);
        let tasks = tasks();
        let all = stacked_inputs(&tasks);
        let mut p = network.weights().to_vec();
        p.extend([0.3, 1.0, -0.2, 2.0, 0.1, 0.5]);
        let mut trial = network.clone();
        let mut gradient = vec![0.0; p.len()];
        negative_log_evidence(&mut trial, &p, &tasks, &all, 0.01, &mut gradient);
        let expected = warmfront_testkit::gradient(
            |p| {
                let mut unused = vec![0.0; p.len()];
                negative_log_evidence(&mut network.clone(), p, &tasks, &all, 0.01, &mut unused)
            },
            &p,
        );
        for (i, (g, e)) in gradient.iter().zip(&expected).enumerate() {
            assert!(
                (g - e).abs() < 1e-6 * (1.0 + e.abs()),
                "parameter {i}: {g} against {e}"
            );
        }
    }

    #[test]
    fn evidence_is_the_density_of_the_marginal_gaussian() {
        // y ~ N(0, β⁻¹I + α⁻¹ΦΦᵀ), here with two points and the 2×2 determinant written out.
        let phi = Mat::from_fn(2, 3, |i, j| [[0.5, -0.2, 0.9], [0.1, 0.7, -0.4]][i][j]);
        let y = [0.3, -1.1];
        let (log_alpha, log_beta) = (0.4, 1.2);
        let e = evidence(phi.as_ref(), &y, log_alpha, log_beta).unwrap();
        let c = |i: usize, j: usize| {
            let inner: f64 = (0..3).map(|k| phi[(i, k)] * phi[(j, k)]).sum();
            inner / f64::exp(log_alpha) + if i == j { f64::exp(-log_beta) } else { 0.0 }
        };
        let det = c(0, 0) * c(1, 1) - c(0, 1) * c(1, 0);
        let quadratic =
            (y[0] * y[0] * c(1, 1) - 2.0 * y[0] * y[1] * c(0, 1) + y[1] * y[1] * c(0, 0)) / det;
        let expected = -0.5 * (quadratic + det.ln()) - std::f64::consts::TAU.ln();
        assert!(
            (e.value - expected).abs() < 1e-10,
            "{} against {expected}",
            e.value
        );
    }
}
