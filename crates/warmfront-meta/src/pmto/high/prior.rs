//! How one coordinate of the solutions moves with the task: a Gaussian process over tasks seen through messages.

use warmfront_gp::{
    ArdKernel, GpError, HyperPrior, KernelKind, MapConfig, ParameterSpec, fit_map_from,
};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatRef, dot, matvec};
use warmfront_math::lbfgsb::LbfgsbConfig;

use crate::pmto::likelihood::TiedLikelihood;
use crate::pmto::task_gp::TaskHyper;

/// By how much the fit may correct the noise that the surface states for its messages.
const NOISE_FACTOR: f64 = 1.5;

/// Common lengthscales that a fit without a predecessor starts from.
const STARTS: [f64; 4] = [0.4, 0.12, 1.2, 0.06];

/// A process before it has seen anything.
pub(super) fn vague(task_dim: usize) -> TaskHyper {
    TaskHyper {
        lengthscales: vec![0.5; task_dim],
        variance: 0.08,
        mean: 0.5,
        noise: 1e-3,
        noise_slope: 1.0,
    }
}

/// Maximum a posteriori hyperparameters of messages whose noise is about `slope·slack`.
pub(super) fn fit(
    tasks: MatRef<'_, f64>,
    messages: &[f64],
    slack: &[f64],
    slope: f64,
    warm: Option<&TaskHyper>,
    evaluations: usize,
) -> Result<TaskHyper, GpError> {
    let d = tasks.ncols();
    let groups: Vec<usize> = (0..d).collect();
    let likelihood = TiedLikelihood::new(tasks, messages, &groups, slack);
    let positive = |mu, sigma, low, high| {
        ParameterSpec::positive(HyperPrior::LogNormal { mu, sigma }, low, high)
    };
    let mut parameters = vec![positive(-0.3, 1.0, 0.05, 10.0); d];
    parameters.push(positive(-2.5, 1.5, 1e-4, 10.0));
    parameters.push(positive(-8.0, 3.0, 1e-8, 1.0));
    parameters.push(positive(
        slope.ln(),
        0.3,
        slope / NOISE_FACTOR,
        slope * NOISE_FACTOR,
    ));
    let mut starts = Vec::with_capacity(STARTS.len() + 1);
    if let Some(warm) = warm {
        let mut own = warm.lengthscales.clone();
        own.extend([warm.variance, warm.noise, slope]);
        starts.push(own);
    }
    for l in STARTS {
        let mut own = vec![l; d];
        own.extend([0.08, 1e-4, slope]);
        starts.push(own);
    }
    // Beside a fit of most of the data the far ends are not worth their time.
    starts.truncate(if warm.is_some() { 3 } else { STARTS.len() });
    let config = MapConfig {
        restarts: 0,
        lbfgsb: LbfgsbConfig {
            max_evaluations: evaluations,
            f_tolerance: 1e-5,
            gradient_tolerance: 1e-3,
            ..LbfgsbConfig::default()
        },
    };
    let end = fit_map_from(&parameters, &likelihood, &starts, &config)?;
    Ok(TaskHyper {
        lengthscales: end.values[..d].to_vec(),
        variance: end.values[d],
        mean: 0.5,
        noise: end.values[d + 1],
        noise_slope: end.values[d + 2],
    })
}

/// The linear map from messages at tasks to posterior means at the same tasks, the constant mean
/// of largest likelihood included.
#[derive(Debug, Clone)]
pub(super) struct Smoother {
    noise: Vec<f64>,
    /// Inverse of the covariance of the messages.
    precision: Mat<f64>,
    /// Its row sums and their sum.
    ones: Vec<f64>,
    total: f64,
}

impl Smoother {
    /// The noise of the process itself is part of what is to be found at its tasks.
    pub(super) fn new(
        tasks: MatRef<'_, f64>,
        hyper: &TaskHyper,
        noise: &[f64],
    ) -> Result<Self, GpError> {
        let kernel = ArdKernel::new(KernelKind::Rbf, hyper.lengthscales.clone(), hyper.variance);
        let mut covariance = kernel.gram(tasks);
        for (i, noise) in noise.iter().enumerate() {
            covariance[(i, i)] += hyper.noise + noise;
        }
        let factor = JitteredCholesky::factorize(covariance.as_ref(), JitterPolicy::default())?;
        let precision = factor.inverse();
        let mut ones = vec![0.0; noise.len()];
        matvec(precision.as_ref(), &vec![1.0; noise.len()], &mut ones);
        let total: f64 = ones.iter().sum();
        Ok(Self {
            noise: noise.to_vec(),
            precision,
            total: total.max(f64::MIN_POSITIVE),
            ones,
        })
    }

    /// The constant mean of largest likelihood.
    pub(super) fn mean(&self, messages: &[f64]) -> f64 {
        dot(&self.ones, messages) / self.total
    }

    /// Writes posterior means at the tasks into `out`.
    pub(super) fn smooth(&self, messages: &[f64], scratch: &mut Vec<f64>, out: &mut [f64]) {
        let mean = self.mean(messages);
        scratch.clear();
        scratch.extend(messages.iter().map(|m| m - mean));
        matvec(self.precision.as_ref(), scratch, out);
        for ((out, message), noise) in out.iter_mut().zip(messages).zip(&self.noise) {
            *out = message - noise * *out;
        }
    }

    /// Posterior variances at the tasks.
    pub(super) fn variances(&self) -> impl Iterator<Item = f64> {
        let each = self.noise.iter().enumerate();
        each.map(|(i, noise)| (noise - noise * noise * self.precision[(i, i)]).max(0.0))
    }

    /// Their mean.
    pub(super) fn mean_variance(&self) -> f64 {
        self.variances().sum::<f64>() / self.noise.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pmto::task_gp::TaskGp;

    #[test]
    fn smoothing_is_the_posterior_at_the_tasks() {
        let n = 7;
        let tasks = Mat::from_fn(n, 2, |i, k| ((i * (k + 2)) as f64 * 0.31).fract());
        let noise: Vec<f64> = (0..n).map(|i| 0.1 + i as f64 / 8.0).collect();
        let messages: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        let mut hyper = TaskHyper {
            noise: 0.0,
            ..vague(2)
        };
        let smoother = Smoother::new(tasks.as_ref(), &hyper, &noise).unwrap();
        let mut smoothed = vec![0.0; n];
        smoother.smooth(&messages, &mut Vec::new(), &mut smoothed);
        hyper.mean = smoother.mean(&messages);
        let gp = TaskGp::condition(tasks.as_ref(), &messages, &noise, hyper.clone()).unwrap();
        let mut scratch = Default::default();
        for (i, variance) in smoother.variances().enumerate() {
            let at: Vec<f64> = (0..2).map(|k| tasks[(i, k)]).collect();
            let (mean, sd) = gp.predict(&at, &mut scratch);
            assert!((mean - smoothed[i]).abs() < 1e-10);
            assert!((variance - sd * sd).abs() < 1e-10);
        }
        // What is a process's own noise is found at its tasks, and not smoothed away.
        hyper.noise = 1e6;
        let loose = Smoother::new(tasks.as_ref(), &hyper, &noise).unwrap();
        loose.smooth(&messages, &mut Vec::new(), &mut smoothed);
        for (found, message) in smoothed.iter().zip(&messages) {
            assert!((found - message).abs() < 1e-5);
        }
    }
}
