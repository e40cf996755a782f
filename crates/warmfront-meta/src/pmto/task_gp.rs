//! One output of a task model: a Gaussian process from tasks to one coordinate of their solutions.

use warmfront_gp::{
    ArdKernel, GpError, HyperPrior, KernelKind, MapConfig, ParameterSpec, fit_map_from,
};
use warmfront_linalg::{
    JitterPolicy, JitteredCholesky, Mat, MatRef, ScaledPoints, add_matmul_into, dot, lower_matmul,
    lower_matvec,
};
use warmfront_math::lbfgsb::LbfgsbConfig;

use super::likelihood::TiedLikelihood;
use super::published::{Optimizer, fit_published};

/// How the processes of a task model are fitted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum InverseFit {
    /// As in the published runs.
    Published(Optimizer),
    /// Maximum a posteriori from several starts, with weak priors. Ours.
    ///
    /// Lengthscales LogNormal(1.7, 1) in [0.05, 10], variance LogNormal(1.5, 2), noise
    /// LogNormal(−0.2, 3) in [10⁻⁸, 1]: densities of the values, largest at 2, 0.08 and 10⁻⁴.
    /// Few task coordinates matter to one coordinate of a solution, and best solutions found by
    /// search are noisy: priors that favour short lengthscales or no noise interpolate that noise.
    /// Starts at common lengthscales 0.3, 0.8, 0.15, 2, … in turn, from four on also at one
    /// short lengthscale for each task coordinate, and at the last fit's if there is one.
    Map {
        /// Number of common lengthscales to start from, at least 1.
        starts: usize,
        /// Likelihoods evaluated for each, at most.
        evaluations: usize,
    },
}

/// Hyperparameters of one output.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TaskHyper {
    pub(super) lengthscales: Vec<f64>,
    pub(super) variance: f64,
    pub(super) mean: f64,
    /// Noise of a row without slack.
    pub(super) noise: f64,
    /// Noise for each unit of slack.
    pub(super) noise_slope: f64,
}

/// A process conditioned on its rows.
#[derive(Debug, Clone)]
pub(super) struct TaskGp {
    pub(super) hyper: TaskHyper,
    kernel: ArdKernel,
    points: ScaledPoints,
    inverse_factor: Mat<f64>,
    alpha: Vec<f64>,
}

/// Start values of common lengthscales, most useful first.
const STARTS: [f64; 6] = [0.3, 0.8, 0.15, 2.0, 0.5, 0.08];

impl TaskGp {
    /// Fits hyperparameters to `values` at `tasks` (`n×D`, `n ≥ 1`) and conditions on them.
    ///
    /// `slack` is empty, or how little is known of each value, 0 for one that is certain.
    pub(super) fn fit(
        tasks: MatRef<'_, f64>,
        values: &[f64],
        slack: &[f64],
        isotropic: bool,
        fit: &InverseFit,
        warm: Option<&TaskHyper>,
    ) -> Result<Self, GpError> {
        let d = tasks.ncols();
        let groups: Vec<usize> = (0..d).map(|k| if isotropic { 0 } else { k }).collect();
        let hyper = match fit {
            InverseFit::Published(optimizer) => {
                let likelihood = TiedLikelihood::new(tasks, values, &groups, &[]);
                let end = fit_published(&likelihood, optimizer, None)?;
                TaskHyper {
                    lengthscales: likelihood.expand(&end.values),
                    variance: end.values[likelihood.lengthscales()],
                    mean: end.mean,
                    noise: end.values[likelihood.lengthscales() + 1],
                    noise_slope: 0.0,
                }
            }
            InverseFit::Map {
                starts,
                evaluations,
            } => {
                let likelihood = TiedLikelihood::new(tasks, values, &groups, slack);
                let count = likelihood.lengthscales();
                let parameters = specs(count, !slack.is_empty());
                let mut candidates: Vec<Vec<f64>> = Vec::new();
                if let Some(warm) = warm {
                    let mut own = vec![1.0; count];
                    for (&group, &l) in groups.iter().zip(&warm.lengthscales) {
                        own[group] = l;
                    }
                    own.extend([warm.variance, warm.noise]);
                    if !slack.is_empty() {
                        own.push(warm.noise_slope);
                    }
                    candidates.push(own);
                }
                let common = STARTS
                    .iter()
                    .take((*starts).max(1))
                    .map(|&l| vec![l; count]);
                // Few task coordinates matter to one coordinate of a solution: a start for each.
                let single = (0..if count > 1 && *starts >= 4 { count } else { 0 }).map(|k| {
                    let mut own = vec![3.0; count];
                    own[k] = 0.2;
                    own
                });
                for mut own in common.chain(single) {
                    own.extend([0.1, 1e-3]);
                    if !slack.is_empty() {
                        own.push(1e-2);
                    }
                    candidates.push(own);
                }
                let config = MapConfig {
                    restarts: 0,
                    lbfgsb: LbfgsbConfig {
                        max_evaluations: (*evaluations).max(1),
                        f_tolerance: 1e-6,
                        gradient_tolerance: 1e-4,
                        ..LbfgsbConfig::default()
                    },
                };
                let end = fit_map_from(&parameters, &likelihood, &candidates, &config)?;
                TaskHyper {
                    lengthscales: likelihood.expand(&end.values),
                    variance: end.values[count],
                    mean: likelihood.best_mean(&end.values)?,
                    noise: end.values[count + 1],
                    noise_slope: end.values.get(count + 2).copied().unwrap_or(0.0),
                }
            }
        };
        Self::condition(tasks, values, slack, hyper)
    }

    /// Conditions on data with given hyperparameters.
    pub(super) fn condition(
        tasks: MatRef<'_, f64>,
        values: &[f64],
        slack: &[f64],
        hyper: TaskHyper,
    ) -> Result<Self, GpError> {
        let kernel = ArdKernel::new(KernelKind::Rbf, hyper.lengthscales.clone(), hyper.variance);
        let mut covariance = kernel.gram(tasks);
        for i in 0..tasks.nrows() {
            covariance[(i, i)] += hyper.noise + hyper.noise_slope * slack.get(i).unwrap_or(&0.0);
        }
        let factor = JitteredCholesky::factorize(covariance.as_ref(), JitterPolicy::default())?;
        let mut alpha: Vec<f64> = values.iter().map(|v| v - hyper.mean).collect();
        factor.solve_slice_in_place(&mut alpha);
        Ok(Self {
            points: kernel.scale(tasks),
            inverse_factor: factor.inverse_factor(),
            alpha,
            kernel,
            hyper,
        })
    }

    /// Posterior mean at a task.
    pub(super) fn mean(&self, task: &[f64], scratch: &mut Scratch) -> f64 {
        self.column(task, scratch);
        self.hyper.mean + dot(&scratch.column, &self.alpha)
    }

    /// Posterior mean and standard deviation of the latent function at a task.
    pub(super) fn predict(&self, task: &[f64], scratch: &mut Scratch) -> (f64, f64) {
        self.column(task, scratch);
        let mean = self.hyper.mean + dot(&scratch.column, &self.alpha);
        scratch.white.resize(self.alpha.len(), 0.0);
        lower_matvec(
            self.inverse_factor.as_ref(),
            &scratch.column,
            &mut scratch.white,
        );
        let variance = self.hyper.variance - dot(&scratch.white, &scratch.white);
        (mean, variance.max(0.0).sqrt())
    }

    /// Mean and standard deviation of each of its `values` given all others.
    ///
    /// # References
    /// Rasmussen, Williams 2006, equation 5.12.
    pub(super) fn leave_one_out(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let factor = self.inverse_factor.as_ref();
        values
            .iter()
            .zip(&self.alpha)
            .enumerate()
            .map(|(i, (value, alpha))| {
                let column = factor.col(i);
                let precision: f64 = column.iter().skip(i).map(|l| l * l).sum();
                (value - alpha / precision, precision.recip().sqrt())
            })
            .collect()
    }

    /// Posterior covariance of the latent function among several tasks.
    pub(super) fn covariance(&self, tasks: &[Vec<f64>]) -> Mat<f64> {
        let (n, g, d) = (self.alpha.len(), tasks.len(), self.kernel.dim());
        let at = Mat::from_fn(g, d, |i, k| tasks[i][k]);
        let mut cross = Mat::zeros(n, g);
        self.kernel.cross_into(
            &self.points,
            &self.kernel.scale(at.as_ref()),
            cross.as_mut(),
        );
        let mut white = Mat::zeros(n, g);
        lower_matmul(white.as_mut(), self.inverse_factor.as_ref(), cross.as_ref());
        let mut covariance = self.kernel.gram(at.as_ref());
        add_matmul_into(covariance.as_mut(), white.transpose(), white.as_ref(), -1.0);
        covariance
    }

    /// The kernel and weights `w` of the mean `hyper.mean + Σ_i w_i·k(θ, θ_i)`.
    pub(super) fn mean_function(&self) -> (&ArdKernel, &[f64]) {
        (&self.kernel, &self.alpha)
    }

    fn column(&self, task: &[f64], scratch: &mut Scratch) {
        scratch.point.resize(task.len(), 0.0);
        scratch.column.resize(self.alpha.len(), 0.0);
        self.kernel.scale_point(task, &mut scratch.point);
        self.kernel
            .column_into(&self.points, &scratch.point, &mut scratch.column);
    }
}

/// Room for one query.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    point: Vec<f64>,
    column: Vec<f64>,
    white: Vec<f64>,
}

fn specs(lengthscales: usize, slack: bool) -> Vec<ParameterSpec> {
    let positive = |mu, sigma, low, high| {
        ParameterSpec::positive(HyperPrior::LogNormal { mu, sigma }, low, high)
    };
    let mut specs = vec![positive(1.7, 1.0, 0.05, 10.0); lengthscales];
    specs.push(positive(1.5, 2.0, 1e-4, 10.0));
    specs.push(positive(-0.2, 3.0, 1e-8, 1.0));
    if slack {
        specs.push(positive(2.0, 3.0, 1e-8, 1.0));
    }
    specs
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn task(rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..5).map(|_| rng.random()).collect()
    }

    #[test]
    fn solutions_caught_in_wrong_optima_are_averaged_out() {
        // 2.5 periods along one of five task coordinates; half the rows are off by a quarter.
        let truth = |task: &[f64]| 0.5 + 0.3 * (5.0 * std::f64::consts::PI * task[3]).sin();
        let fit = InverseFit::Map {
            starts: 4,
            evaluations: 60,
        };
        for seed in 0..3 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let rows: Vec<Vec<f64>> = (0..70).map(|_| task(&mut rng)).collect();
            let values: Vec<f64> = rows
                .iter()
                .map(|row| truth(row) + 0.25 * f64::from(rng.random_range(-1..=2) % 2))
                .collect();
            let tasks = Mat::from_fn(70, 5, |i, k| rows[i][k]);
            let gp = TaskGp::fit(tasks.as_ref(), &values, &[], false, &fit, None).unwrap();
            let mut scratch = Scratch::default();
            let mut sum = 0.0;
            for _ in 0..300 {
                let task = task(&mut rng);
                sum += (gp.mean(&task, &mut scratch) - truth(&task)).powi(2) / 300.0;
            }
            assert!(
                sum.sqrt() < 0.13,
                "seed {seed}: {} {:?}",
                sum.sqrt(),
                gp.hyper
            );
        }
    }

    #[test]
    fn leaving_one_out_is_leaving_one_out() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let rows: Vec<Vec<f64>> = (0..12).map(|_| task(&mut rng)).collect();
        let values: Vec<f64> = rows.iter().map(|r| r[0] * r[1]).collect();
        let matrix = |rows: &[Vec<f64>]| Mat::from_fn(rows.len(), 5, |i, k| rows[i][k]);
        let hyper = TaskHyper {
            lengthscales: vec![0.7; 5],
            variance: 0.5,
            mean: 0.2,
            noise: 0.01,
            noise_slope: 0.0,
        };
        let own = |rows: &[Vec<f64>], values: &[f64]| {
            TaskGp::condition(matrix(rows).as_ref(), values, &[], hyper.clone()).unwrap()
        };
        let all = own(&rows, &values).leave_one_out(&values);
        for (i, (mean, sd)) in all.into_iter().enumerate() {
            let (mut fewer, mut rest) = (rows.clone(), values.clone());
            let (at, _) = (fewer.remove(i), rest.remove(i));
            let gp = own(&fewer, &rest);
            let (expected, latent) = gp.predict(&at, &mut Scratch::default());
            assert!((mean - expected).abs() < 1e-9);
            assert!((sd * sd - latent * latent - hyper.noise).abs() < 1e-9);
        }
    }
}
