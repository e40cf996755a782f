//! Draws of Gaussian processes that were fitted to real tables.
//!
//! The published training never replays a table: it draws functions from the posterior of a model of
//! it, at rows moved a little. There the models were fitted in other coordinates than those they were
//! evaluated in; here both are the coordinates of the table.

use std::ops::Range;
use std::sync::Arc;

use rand::{Rng, RngExt};
use warmfront_core::{Purpose, Seed};
use warmfront_gp::{
    Dataset, ExactGp, ExactGpConfig, GpError, Hyperparameters, KernelKind, Standardization,
    Surrogate,
};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, lower_matvec};
use warmfront_math::distribution::{fill_standard_normal, open_uniform};
use warmfront_math::special::{ndtr, ndtri};

use crate::nap::families::{Hall, subset};
use crate::nap::task::Table;
use crate::stats;

/// Raised when a change of the surrogates or of what is drawn from them makes earlier results
/// incomparable.
pub const VERSION: u32 = 1;

/// Rows that a surrogate is fitted to.
const FIT_ROWS: usize = 300;

/// Draws after which it is given up.
const TRIES: usize = 20;

/// How a draw departs from the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmentation {
    /// Continuous coordinates move by up to this much.
    pub jitter: f64,
    /// So many categorical inputs of each row get a random value.
    pub mutations: usize,
    /// The fewest and most rows that the model is conditioned on, drawn anew each time (uniform in the
    /// logarithm); `None` for all that it was fitted to.
    ///
    /// Draws that know all of a table are that table over again, and a network learns twenty of them by
    /// heart. Draws that know a few rows have its lengthscales and its rough shape, and are otherwise new.
    pub rows: Option<(usize, usize)>,
    /// The probability that two draws, of different tables, are added up.
    pub blend: f64,
}

impl Default for Augmentation {
    /// Rows move as published, by ±0.05 and by one position of a sequence; functions vary more.
    fn default() -> Self {
        Self {
            rows: Some((5, 100)),
            blend: 0.3,
            ..Self::published()
        }
    }
}

impl Augmentation {
    /// As published: draws of the model of one whole table.
    #[must_use]
    pub fn published() -> Self {
        Self {
            jitter: 0.05,
            mutations: 1,
            rows: None,
            blend: 0.0,
        }
    }
}

/// Draws of the surrogates of a family's training tables.
pub struct Conditional {
    hall: Arc<Hall>,
    augmentation: Augmentation,
    categories: Vec<Range<usize>>,
}

impl Conditional {
    /// The surrogates must have been fitted.
    pub(super) fn new(hall: Arc<Hall>, augmentation: Augmentation) -> Self {
        Self {
            categories: hall.categories(),
            hall,
            augmentation,
        }
    }

    /// Number of coordinates.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.hall.dim()
    }

    /// A function near one of the training tables.
    ///
    /// # Panics
    /// If one draw after the other fails.
    pub fn table(&self, candidates: usize, rng: &mut dyn Rng) -> Table {
        // A covariance that cannot be factorised says something of the rows drawn: others are tried,
        // since a constant in its place would be a task without anything to learn.
        (0..TRIES)
            .find_map(|_| self.try_table(candidates, rng))
            .expect("draws near tables succeed")
    }

    fn try_table(&self, candidates: usize, rng: &mut dyn Rng) -> Option<Table> {
        let index = self.any(rng);
        let table = &self.hall.train[index];
        let x = moved_rows(table, &self.categories, &self.augmentation, candidates, rng);
        let mut scores = self.scores(index, &x, rng)?;
        if rng.random_bool(self.augmentation.blend) {
            let other = self.scores(self.any(rng), &x, rng)?;
            let angle = std::f64::consts::FRAC_PI_2 * open_uniform(rng);
            for (score, other) in scores.iter_mut().zip(other) {
                *score = angle.cos() * *score + angle.sin() * other;
            }
        }
        Some(Table {
            name: table.name.clone(),
            dim: table.dim,
            costs: unwarp(table, &scores),
            x,
        })
    }

    fn any(&self, rng: &mut dyn Rng) -> usize {
        rng.random_range(0..self.hall.train.len() as u64) as usize
    }

    /// A draw of the model of one table, conditioned on some of its rows.
    fn scores(&self, index: usize, x: &[f64], rng: &mut dyn Rng) -> Option<Vec<f64>> {
        let surrogates = self
            .hall
            .surrogates()
            .expect("fitted when the source was made");
        let gp = &surrogates[index];
        let Some((fewest, most)) = self.augmentation.rows else {
            return joint_draw(gp, x, rng);
        };
        let span = (most as f64 / fewest as f64).powf(open_uniform(rng));
        let rows = subset(gp.x().nrows(), (fewest as f64 * span) as usize, rng);
        joint_draw(&conditioned(gp, &rows)?, x, rng)
    }
}

/// The same model conditioned on some of its rows; `None` if the covariance cannot be factorised.
fn conditioned(gp: &ExactGp, rows: &[usize]) -> Option<ExactGp> {
    let scale = gp.standardization();
    let x = Mat::from_fn(rows.len(), gp.input_dim(), |i, k| gp.x()[(rows[i], k)]);
    let y = Mat::from_fn(rows.len(), 1, |i, _| {
        scale.restore(gp.standardized_y()[rows[i]])
    });
    let data = Dataset::new(x, y).ok()?;
    let (kind, h) = (gp.kernel().kind(), gp.hyperparameters());
    ExactGp::with_hyperparameters(&data, kind, &h, scale).ok()
}

/// Rows drawn with replacement and moved.
pub(super) fn moved_rows(
    table: &Table,
    categories: &[Range<usize>],
    augmentation: &Augmentation,
    rows: usize,
    rng: &mut dyn Rng,
) -> Vec<f64> {
    let d = table.dim;
    let mut continuous = vec![true; d];
    for category in categories {
        continuous[category.clone()].fill(false);
    }
    let mut x = Vec::with_capacity(rows * d);
    for _ in 0..rows {
        let row = rng.random_range(0..table.len() as u64) as usize;
        let start = x.len();
        x.extend_from_slice(table.row(row));
        let point = &mut x[start..];
        for (coordinate, moves) in point.iter_mut().zip(&continuous) {
            if *moves {
                let step = augmentation.jitter * (2.0 * open_uniform(rng) - 1.0);
                *coordinate = (*coordinate + step).clamp(0.0, 1.0);
            }
        }
        for _ in 0..augmentation.mutations.min(categories.len()) {
            let which = rng.random_range(0..categories.len() as u64) as usize;
            let range = categories[which].clone();
            let value = rng.random_range(0..range.len() as u64) as usize;
            point[range.clone()].fill(0.0);
            point[range.start + value] = 1.0;
        }
    }
    x
}

/// A joint draw of observations, with the likelihood's noise, at the rows of `x`; `None` if their
/// covariance cannot be factorised.
pub(super) fn joint_draw(gp: &ExactGp, x: &[f64], rng: &mut dyn Rng) -> Option<Vec<f64>> {
    draws(gp, x, 1, gp.noise_variance(), rng).map(|mut one| one.remove(0))
}

/// Joint draws of the function itself at the rows of `x`; `None` if their covariance cannot be
/// factorised.
pub fn latent_draws(
    gp: &ExactGp,
    x: &[f64],
    count: usize,
    rng: &mut dyn Rng,
) -> Option<Vec<Vec<f64>>> {
    draws(gp, x, count, 0.0, rng)
}

/// Joint draws with noise of this variance.
fn draws(
    gp: &ExactGp,
    x: &[f64],
    count: usize,
    noise: f64,
    rng: &mut dyn Rng,
) -> Option<Vec<Vec<f64>>> {
    let d = gp.input_dim();
    let n = x.len() / d;
    let points = Mat::from_fn(n, d, |i, k| x[i * d + k]);
    let posterior = gp.posterior(points.as_ref()).ok()?;
    let mut covariance = posterior.covariance;
    for i in 0..n {
        covariance[(i, i)] += noise;
    }
    let factor = JitteredCholesky::factorize(covariance.as_ref(), JitterPolicy::default()).ok()?;
    let mean = &posterior.mean;
    let one = |_| {
        let mut z = vec![0.0; n];
        fill_standard_normal(&mut z, rng);
        let mut values = vec![0.0; n];
        lower_matvec(factor.factor(), &z, &mut values);
        (0..n).map(|i| mean[(i, 0)] + values[i]).collect()
    };
    Some((0..count).map(one).collect())
}

/// A Gaussian process of the normal scores of a table's costs.
///
/// Costs of real tables are skewed and full of ties; their ranks are not. [`unwarp`] gives draws the
/// table's own distribution of costs back.
///
/// # Errors
/// If no fit succeeds.
pub fn fit_surrogate(table: &Table, categorical: bool, seed: Seed) -> anyhow::Result<ExactGp> {
    let mut rng = seed.stream(Purpose::Init, 0);
    let scores = scores(&table.costs);
    let rows = subset(table.len(), FIT_ROWS, &mut rng);
    let d = table.dim;
    let x = Mat::from_fn(rows.len(), d, |i, k| table.row(rows[i])[k]);
    let y = Mat::from_fn(rows.len(), 1, |i, _| scores[rows[i]]);
    let data = Dataset::new(x, y)?;
    if !categorical {
        let config = ExactGpConfig {
            kernel: KernelKind::Matern52,
            ..ExactGpConfig::default()
        };
        return Ok(ExactGp::fit(&data, &config, &mut rng)?);
    }
    Ok(fit_shared(&data)?)
}

/// One lengthscale for all letters of all positions, and the noise, by their likelihood.
///
/// # Errors
/// If a covariance cannot be factorised.
pub fn fit_shared(data: &Dataset) -> Result<ExactGp, GpError> {
    let standardization = Standardization::of(data.output(0));
    let fit = |lengthscale: f64, noise: f64| {
        let hyperparameters = Hyperparameters {
            lengthscales: vec![lengthscale; data.dim()],
            outputscale: 1.0,
            noise,
            mean: 0.0,
        };
        ExactGp::with_hyperparameters(data, KernelKind::Rbf, &hyperparameters, standardization)
    };
    let mut best = fit(LENGTHSCALES[0], NOISES[0])?;
    for lengthscale in LENGTHSCALES {
        for noise in NOISES {
            let gp = fit(lengthscale, noise)?;
            let likelihood = |gp: &ExactGp| gp.report().log_marginal_likelihood;
            if likelihood(&gp) > likelihood(&best) {
                best = gp;
            }
        }
    }
    Ok(best)
}

/// What [`fit_shared`] tries; two sequences that differ in one position are √2 apart.
const LENGTHSCALES: [f64; 5] = [1.0, 1.5, 2.2, 3.2, 4.6];
const NOISES: [f64; 4] = [0.03, 0.1, 0.25, 0.5];

/// Normal scores of the averaged ranks.
fn scores(costs: &[f64]) -> Vec<f64> {
    let n = costs.len() as f64;
    let ranks = stats::ranks(costs);
    ranks.iter().map(|rank| ndtri((rank - 0.5) / n)).collect()
}

/// The costs with these normal scores: quantiles of the table's costs, continued beyond its ends as
/// they come in over the outermost hundredth.
#[must_use]
pub fn unwarp(table: &Table, scores: &[f64]) -> Vec<f64> {
    let mut sorted = table.costs.clone();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let last = n - 1;
    let outer = (n / 100).clamp(usize::from(n > 1), last.max(1)).min(last);
    let score = |index: usize| ndtri((index as f64 + 0.5) / n as f64);
    let slope = |a: usize, b: usize| {
        let width = score(b) - score(a);
        if width > 0.0 {
            (sorted[b] - sorted[a]) / width
        } else {
            0.0
        }
    };
    let (below, above) = (slope(0, outer), slope(last - outer, last));
    scores
        .iter()
        .map(|&z| {
            let position = ndtr(z) * n as f64 - 0.5;
            if position <= 0.0 {
                sorted[0] - below * (score(0) - z).clamp(0.0, 3.0)
            } else if position >= last as f64 {
                sorted[last] + above * (z - score(last)).clamp(0.0, 3.0)
            } else {
                let low = position.floor() as usize;
                let part = position - low as f64;
                sorted[low] + part * (sorted[(low + 1).min(last)] - sorted[low])
            }
        })
        .collect()
}
