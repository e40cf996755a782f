//! The intrinsic coregionalisation model over fixed tasks: `B[t, t']·exp(−‖x − x'‖²/2ℓ²)`, `B = LLᵀ + diag(v)`.
//!
//! The published comparator has one more scale in front, which `B` makes redundant.

use rand::Rng;
use warmfront_gp::{ArdKernel, GpError, KernelGram, KernelKind, PointGradients, Standardization};
use warmfront_linalg::{
    JitterPolicy, JitteredCholesky, Mat, MatRef, ScaledPoints, column_square_norms, dot,
    lower_matmul, lower_transpose_matmul, matvec_transpose,
};
use warmfront_math::distribution::fill_standard_normal;
use warmfront_math::special::softplus;

use super::config::ForwardFit;
use super::forward::shuffled;
use super::published::{Optimizer, climb};
use super::view::TaskView;
use crate::MetaError;

const NOISE_FLOOR: f64 = 1e-4;

/// A fitted model.
#[derive(Debug, Clone)]
pub(super) struct Coregionalized {
    kernel: ArdKernel,
    points: ScaledPoints,
    of: Vec<usize>,
    /// `T×rank`.
    loadings: Mat<f64>,
    between: Mat<f64>,
    noise: f64,
    mean: f64,
    standardization: Standardization,
    inverse_factor: Mat<f64>,
    alpha: Vec<f64>,
    /// Unconstrained `[mean, ℓ, noise, v of each task, L by columns]`.
    raw: Vec<f64>,
    /// Evaluations at the last fit of hyperparameters.
    fitted_at: usize,
}

/// The likelihood of unconstrained parameters.
struct Descent<'a> {
    x: MatRef<'a, f64>,
    y: &'a [f64],
    of: &'a [usize],
    tasks: usize,
    rank: usize,
    gram: KernelGram,
    covariance: Mat<f64>,
    factor: JitteredCholesky,
    inverse: Mat<f64>,
    scratch: Mat<f64>,
}

struct Parameters {
    mean: f64,
    lengthscale: f64,
    noise: f64,
    /// `T×rank`.
    loadings: Mat<f64>,
    between: Mat<f64>,
}

impl<'a> Descent<'a> {
    fn new(x: MatRef<'a, f64>, y: &'a [f64], of: &'a [usize], tasks: usize, rank: usize) -> Self {
        let n = y.len();
        Self {
            x,
            y,
            of,
            tasks,
            rank,
            gram: KernelGram::new(KernelKind::Rbf, n, x.ncols()),
            covariance: Mat::zeros(n, n),
            factor: JitteredCholesky::from_lower(Mat::identity(n, n), 0.0),
            inverse: Mat::zeros(0, 0),
            scratch: Mat::zeros(0, 0),
        }
    }

    fn parameters(&self, raw: &[f64]) -> Parameters {
        let t = self.tasks;
        let loadings = Mat::from_fn(t, self.rank, |i, r| raw[3 + t + r * t + i]);
        let between = Mat::from_fn(t, t, |i, j| {
            let shared: f64 = (0..self.rank)
                .map(|r| loadings[(i, r)] * loadings[(j, r)])
                .sum();
            shared + if i == j { softplus(raw[3 + i]) } else { 0.0 }
        });
        Parameters {
            mean: raw[0],
            lengthscale: softplus(raw[1]).max(1e-6),
            noise: softplus(raw[2]) + NOISE_FLOOR,
            loadings,
            between,
        }
    }

    fn kernel(&self, p: &Parameters) -> ArdKernel {
        ArdKernel::new(KernelKind::Rbf, vec![p.lengthscale; self.x.ncols()], 1.0)
    }

    fn solve(&mut self, p: &Parameters) -> Result<(Vec<f64>, Vec<f64>), GpError> {
        let n = self.y.len();
        self.gram.update(&self.kernel(p), self.x);
        for j in 0..n {
            for i in j..n {
                self.covariance[(i, j)] =
                    self.gram.value()[(i, j)] * p.between[(self.of[i], self.of[j])];
            }
            self.covariance[(j, j)] += p.noise;
        }
        self.factor
            .refactorize(self.covariance.as_ref(), JitterPolicy::default())?;
        let residual: Vec<f64> = self.y.iter().map(|y| y - p.mean).collect();
        let mut alpha = residual.clone();
        self.factor.solve_slice_in_place(&mut alpha);
        Ok((residual, alpha))
    }

    /// The negative log likelihood over `n` and its gradient.
    fn evaluate(&mut self, raw: &[f64], gradient: &mut [f64]) -> Result<f64, GpError> {
        let (n, t) = (self.y.len(), self.tasks);
        let p = self.parameters(raw);
        let (residual, alpha) = self.solve(&p)?;
        if self.inverse.nrows() != n {
            self.inverse = Mat::zeros(n, n);
            self.scratch = Mat::zeros(n, n);
        }
        self.factor
            .inverse_lower_into(self.inverse.as_mut(), &mut self.scratch);
        let value = -0.5
            * (dot(&residual, &alpha)
                + self.factor.log_det()
                + n as f64 * (2.0 * std::f64::consts::PI).ln());
        // S[t, t'] = Σ G_ij K_ij over the rows of both tasks, and G∘B for the lengthscale.
        let mut sums = Mat::<f64>::zeros(t, t);
        let mut trace = 0.0;
        for j in 0..n {
            for i in j..n {
                let g = 0.5 * (alpha[i] * alpha[j] - self.inverse[(i, j)]);
                let (a, b) = (self.of[i], self.of[j]);
                let product = g * self.gram.value()[(i, j)];
                sums[(a, b)] += product;
                if i == j {
                    trace += g;
                } else {
                    sums[(b, a)] += product;
                }
                self.covariance[(i, j)] = g * p.between[(a, b)];
            }
        }
        let mut by_lengthscale = vec![0.0; self.x.ncols()];
        self.gram
            .add_lengthscale_gradient(self.covariance.as_ref(), &mut by_lengthscale);
        let slope = |r: f64| 1.0 / (1.0 + (-r).exp());
        gradient[0] = alpha.iter().sum();
        gradient[1] = by_lengthscale.iter().sum::<f64>() / p.lengthscale * slope(raw[1]);
        gradient[2] = trace * slope(raw[2]);
        for i in 0..t {
            gradient[3 + i] = sums[(i, i)] * slope(raw[3 + i]);
            for r in 0..self.rank {
                gradient[3 + t + r * t + i] = (0..t)
                    .map(|j| (sums[(i, j)] + sums[(j, i)]) * p.loadings[(j, r)])
                    .sum();
            }
        }
        for g in &mut *gradient {
            *g /= -(n as f64);
        }
        if value.is_finite() && gradient.iter().all(|g| g.is_finite()) {
            Ok(-value / n as f64)
        } else {
            Err(GpError::FitFailed { starts: 1 })
        }
    }
}

impl Coregionalized {
    /// Fits `y` at the rows of `x` (`n×V`), of which row `i` belongs to task `of[i] < tasks`.
    ///
    /// Hyperparameters are fitted to `subset` random rows at most, then all rows are conditioned on.
    pub(super) fn fit(
        x: Mat<f64>,
        y: &[f64],
        of: &[usize],
        (tasks, rank): (usize, usize),
        fit: &ForwardFit,
        subset: usize,
        last: Option<&Self>,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetaError> {
        let (standardization, optimizer, warm_start) = match fit {
            ForwardFit::Published {
                optimizer,
                warm_start,
                ..
            } => (Standardization::IDENTITY, optimizer.clone(), *warm_start),
            ForwardFit::Map { evaluations, .. } => (
                Standardization::of(y),
                Optimizer::Reachable {
                    learning_rate: 0.01,
                    steps: 500,
                    evaluations: *evaluations,
                },
                true,
            ),
        };
        let z: Vec<f64> = y.iter().map(|&v| standardization.apply(v)).collect();
        let last = last.filter(|_| warm_start).map(|last| last.raw.as_slice());
        let raw = if y.len() <= subset {
            fitted(
                Descent::new(x.as_ref(), &z, of, tasks, rank),
                &optimizer,
                last,
                rng,
            )?
        } else {
            let mut rows = shuffled(y.len(), rng);
            rows.truncate(subset);
            rows.sort_unstable();
            let own = Mat::from_fn(subset, x.ncols(), |i, k| x[(rows[i], k)]);
            let own_z: Vec<f64> = rows.iter().map(|&i| z[i]).collect();
            let own_of: Vec<usize> = rows.iter().map(|&i| of[i]).collect();
            let descent = Descent::new(own.as_ref(), &own_z, &own_of, tasks, rank);
            fitted(descent, &optimizer, last, rng)?
        };
        Self::conditioned(raw, x.as_ref(), &z, of, (tasks, rank), standardization)
    }

    /// The same hyperparameters given more rows.
    ///
    /// # Panics
    /// If a row belongs to a task that the model does not know.
    pub(super) fn extended(
        &self,
        x: MatRef<'_, f64>,
        y: &[f64],
        of: &[usize],
    ) -> Result<Self, MetaError> {
        let shape = (self.num_tasks(), self.loadings.ncols());
        let standardization = self.standardization;
        let z: Vec<f64> = y.iter().map(|&v| standardization.apply(v)).collect();
        Ok(Self {
            fitted_at: self.fitted_at,
            ..Self::conditioned(self.raw.clone(), x, &z, of, shape, standardization)?
        })
    }

    /// Evaluations at the last fit of hyperparameters.
    pub(super) fn fitted_at(&self) -> usize {
        self.fitted_at
    }

    fn conditioned(
        raw: Vec<f64>,
        x: MatRef<'_, f64>,
        z: &[f64],
        of: &[usize],
        (tasks, rank): (usize, usize),
        standardization: Standardization,
    ) -> Result<Self, MetaError> {
        let mut all = Descent::new(x, z, of, tasks, rank);
        let p = all.parameters(&raw);
        let (_, alpha) = all.solve(&p)?;
        let kernel = all.kernel(&p);
        Ok(Self {
            points: kernel.scale(x),
            inverse_factor: all.factor.inverse_factor(),
            kernel,
            of: of.to_vec(),
            loadings: p.loadings,
            between: p.between,
            noise: p.noise,
            mean: p.mean,
            standardization,
            alpha,
            raw,
            fitted_at: of.len(),
        })
    }

    pub(super) fn num_tasks(&self) -> usize {
        self.between.nrows()
    }

    pub(super) fn view(&self, task: usize) -> CoregionalizedView<'_> {
        CoregionalizedView { model: self, task }
    }

    /// Prior covariance of two tasks at one solution.
    pub(super) fn between(&self, a: usize, b: usize) -> f64 {
        self.between[(a, b)]
    }

    /// The part of it that tasks have in common, `(LLᵀ)_ab`.
    pub(super) fn shared(&self, a: usize, b: usize) -> f64 {
        (0..self.loadings.ncols())
            .map(|r| self.loadings[(a, r)] * self.loadings[(b, r)])
            .sum()
    }
}

/// Unconstrained parameters of large likelihood, from `last` or the defaults.
fn fitted(
    mut descent: Descent<'_>,
    optimizer: &Optimizer,
    last: Option<&[f64]>,
    rng: &mut dyn Rng,
) -> Result<Vec<f64>, MetaError> {
    let (tasks, rank) = (descent.tasks, descent.rank);
    let size = 3 + tasks * (1 + rank);
    let mut raw = match last {
        Some(last) if last.len() == size => last.to_vec(),
        _ => {
            // At zero loadings the gradient vanishes: they start at standard normal values.
            let mut raw = vec![0.0; size];
            fill_standard_normal(&mut raw[3 + tasks..], rng);
            raw
        }
    };
    climb(&mut raw, optimizer, |r, g| descent.evaluate(r, g))?;
    Ok(raw)
}

/// One task of a [`Coregionalized`] model.
#[derive(Debug, Clone, Copy)]
pub(super) struct CoregionalizedView<'a> {
    model: &'a Coregionalized,
    task: usize,
}

impl CoregionalizedView<'_> {
    /// Variance before any observation, in data units.
    pub(super) fn largest_variance(&self) -> f64 {
        let prior = self.model.between[(self.task, self.task)];
        prior * self.model.standardization.variance_factor()
    }

    /// Covariances of the rows of `x` (`b×V`) with the data, `n×b`.
    fn cross(&self, scaled: &ScaledPoints) -> Mat<f64> {
        let model = self.model;
        let mut cross = Mat::zeros(model.of.len(), scaled.len());
        model
            .kernel
            .cross_into(&model.points, scaled, cross.as_mut());
        for j in 0..scaled.len() {
            for (value, &of) in cross.col_as_slice_mut(j).iter_mut().zip(&model.of) {
                *value *= model.between[(self.task, of)];
            }
        }
        cross
    }
}

impl TaskView for CoregionalizedView<'_> {
    fn dim(&self) -> usize {
        self.model.kernel.dim()
    }

    fn means(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let model = self.model;
        let cross = self.cross(&model.kernel.scale(x));
        let mut mean = vec![0.0; x.nrows()];
        matvec_transpose(cross.as_ref(), &model.alpha, &mut mean);
        mean.iter()
            .map(|m| model.standardization.restore(m + model.mean))
            .collect()
    }

    fn marginals(&self, x: MatRef<'_, f64>) -> (Vec<f64>, Vec<f64>) {
        let model = self.model;
        let cross = self.cross(&model.kernel.scale(x));
        let mut mean = vec![0.0; x.nrows()];
        matvec_transpose(cross.as_ref(), &model.alpha, &mut mean);
        let mut white = Mat::zeros(model.of.len(), x.nrows());
        lower_matmul(
            white.as_mut(),
            model.inverse_factor.as_ref(),
            cross.as_ref(),
        );
        let prior = model.between[(self.task, self.task)];
        let factor = model.standardization.variance_factor();
        (
            mean.iter()
                .map(|m| model.standardization.restore(m + model.mean))
                .collect(),
            column_square_norms(white.as_ref())
                .iter()
                .map(|e| (prior - e).max(0.0) * factor)
                .collect(),
        )
    }

    fn gradients(&self, x: MatRef<'_, f64>) -> PointGradients {
        let model = self.model;
        let (n, d, b) = (model.of.len(), x.ncols(), x.nrows());
        let scaled = model.kernel.scale(x);
        let mut cross = self.cross(&scaled);
        let mut mean = vec![0.0; b];
        matvec_transpose(cross.as_ref(), &model.alpha, &mut mean);
        let mut white = Mat::zeros(n, b);
        lower_matmul(
            white.as_mut(),
            model.inverse_factor.as_ref(),
            cross.as_ref(),
        );
        let explained = column_square_norms(white.as_ref());
        lower_transpose_matmul(
            cross.as_mut(),
            model.inverse_factor.as_ref(),
            white.as_ref(),
        );
        let (scale, factor) = (
            model.standardization.scale(),
            model.standardization.variance_factor(),
        );
        let own: Vec<f64> = model
            .of
            .iter()
            .map(|&of| model.between[(self.task, of)])
            .collect();
        let (mut dmean, mut dvariance) = (Mat::zeros(d, b), Mat::zeros(d, b));
        let mut point = vec![0.0; d];
        for j in 0..b {
            scaled.copy_point(j, &mut point);
            let mut weights: Vec<f64> = model
                .alpha
                .iter()
                .zip(&own)
                .map(|(a, o)| a * o * scale)
                .collect();
            let by = dmean.col_as_slice_mut(j);
            model
                .kernel
                .add_input_gradient(&model.points, &point, &mut weights, by);
            for ((w, s), o) in weights.iter_mut().zip(cross.col_as_slice(j)).zip(&own) {
                *w = -2.0 * factor * s * o;
            }
            let by = dvariance.col_as_slice_mut(j);
            model
                .kernel
                .add_input_gradient(&model.points, &point, &mut weights, by);
        }
        let prior = model.between[(self.task, self.task)];
        PointGradients {
            mean: mean
                .iter()
                .map(|m| model.standardization.restore(m + model.mean))
                .collect(),
            variance: explained
                .iter()
                .map(|e| (prior - e).max(0.0) * factor)
                .collect(),
            dmean,
            dvariance,
        }
    }

    fn mean_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let model = self.model;
        let at = Mat::from_fn(1, x.len(), |_, k| x[k]);
        let mut point = vec![0.0; x.len()];
        model.kernel.scale_point(x, &mut point);
        let mut weights: Vec<f64> = model
            .alpha
            .iter()
            .zip(&model.of)
            .map(|(a, &of)| a * model.between[(self.task, of)] * model.standardization.scale())
            .collect();
        gradient.fill(0.0);
        model
            .kernel
            .add_input_gradient(&model.points, &point, &mut weights, gradient);
        self.means(at.as_ref())[0]
    }

    fn noise_variance(&self) -> f64 {
        self.model.noise * self.model.standardization.variance_factor()
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_testkit::check_gradient;

    use super::*;

    fn data(n: usize) -> (Mat<f64>, Vec<f64>, Vec<usize>) {
        let x = Mat::from_fn(n, 2, |i, k| ((i * (k + 2)) as f64 * 0.31).fract());
        let of: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let y = (0..n)
            .map(|i| (4.0 * x[(i, 0)]).sin() * (1.0 + of[i] as f64) + x[(i, 1)])
            .collect();
        (x, y, of)
    }

    #[test]
    fn gradients_agree_with_differences() {
        let (x, y, of) = data(10);
        for rank in [1, 2] {
            let mut descent = Descent::new(x.as_ref(), &y, &of, 3, rank);
            let raw: Vec<f64> = (0..3 + 3 * (1 + rank))
                .map(|k| (1.0 + k as f64).sin())
                .collect();
            let mut gradient = vec![0.0; raw.len()];
            descent.evaluate(&raw, &mut gradient).unwrap();
            let mut rest = vec![0.0; raw.len()];
            let value = |r: &[f64]| descent.evaluate(r, &mut rest).unwrap();
            check_gradient(value, &gradient, &raw, 1e-6);
        }
    }

    #[test]
    fn views_have_the_gradients_of_their_moments_and_fit_the_data() {
        let (x, y, of) = data(24);
        let fit = ForwardFit::Map {
            restarts: 0,
            growth: 2.0,
            subset: 100,
            evaluations: 100,
            finest: 0.05,
            aligned: None,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let model =
            Coregionalized::fit(x.clone(), &y, &of, (3, 1), &fit, 24, None, &mut rng).unwrap();
        for i in 0..24 {
            let own = model.view(of[i]).means(x.as_ref().subrows(i, 1));
            assert!(
                (own[0] - y[i]).abs() < 0.3,
                "{} at row {i}, {}",
                own[0],
                y[i]
            );
        }
        // Half of the rows, and the others later under the same hyperparameters: the same as all at once.
        let half = Coregionalized::conditioned(
            model.raw.clone(),
            x.as_ref().subrows(0, 12),
            &y[..12],
            &of[..12],
            (3, 1),
            Standardization::IDENTITY,
        );
        let whole = half.unwrap().extended(x.as_ref(), &y, &of).unwrap();
        assert_eq!((whole.fitted_at(), model.fitted_at()), (12, 24));
        let all = Coregionalized::conditioned(
            model.raw.clone(),
            x.as_ref(),
            &y,
            &of,
            (3, 1),
            Standardization::IDENTITY,
        );
        let expected = all.unwrap().view(1).means(x.as_ref());
        assert_eq!(whole.view(1).means(x.as_ref()), expected);
        let view = model.view(2);
        let at = |p: &[f64]| view.gradients(Mat::from_fn(1, 2, |_, k| p[k]).as_ref());
        let point = [0.4, 0.7];
        let here = at(&point);
        let (mean, variance) = view.marginals(Mat::from_fn(1, 2, |_, k| point[k]).as_ref());
        assert!((mean[0] - here.mean[0]).abs() < 1e-10);
        assert!((variance[0] - here.variance[0]).abs() < 1e-10);
        check_gradient(|p| at(p).mean[0], here.dmean.col_as_slice(0), &point, 1e-6);
        check_gradient(
            |p| at(p).variance[0],
            here.dvariance.col_as_slice(0),
            &point,
            1e-5,
        );
        let mut gradient = [0.0; 2];
        let mean = view.mean_gradient(&point, &mut gradient);
        assert!((mean - here.mean[0]).abs() < 1e-10);
        for k in 0..2 {
            assert!((gradient[k] - here.dmean[(k, 0)]).abs() < 1e-9);
        }
    }
}
