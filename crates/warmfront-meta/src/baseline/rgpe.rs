//! Ranking-weighted Gaussian process ensemble, one per objective.
//!
//! A GP is fitted to every meta-task once; the target's posterior is a weighted sum of them and of a
//! GP fitted to the target, where a model's weight is the fraction of posterior samples in which it
//! ranks the target's observations best.
//!
//! # References
//! *Feurer et al. 2018*, "Scalable meta-learning for Bayesian optimization using ranking-weighted
//! Gaussian process ensembles", sections 4.1–4.2.
//!
//! # Departures
//! With fewer than two observations nothing can be ranked: all meta-models then have equal weight,
//! so that the first proposal already uses them. Meta-observations that lack an
//! objective are left out. Models are summed in the target's standardised units, as the authors do.

use std::sync::Arc;

use rand::Rng;
use rayon::prelude::*;
use warmfront_core::{MetaDataset, Purpose, Seed};
use warmfront_gp::{
    Dataset, DifferentiableSurrogate, ExactGp, ExactGpConfig, Independent, JointPosterior,
    Standardization, Surrogate,
};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatRef};
use warmfront_math::distribution::{fill_standard_normal, open_uniform};

use super::gp::searched_config;
use super::meta_columns::MetaColumns;
use super::weighted_sum::WeightedSum;
use crate::{MetaError, TargetData, TargetModel};

/// How the ensemble is built.
#[derive(Debug, Clone, PartialEq)]
pub struct RgpeConfig {
    /// Kernel, priors and restarts of every GP.
    pub gp: ExactGpConfig,
    /// Posterior samples that vote on the weights; at least 1.
    pub samples: usize,
    /// A meta-model is dropped when its median loss exceeds this quantile of the target model's
    /// losses; in [0, 1].
    pub dilution_quantile: f64,
}

impl Default for RgpeConfig {
    fn default() -> Self {
        Self {
            gp: searched_config(),
            samples: 256,
            dilution_quantile: 0.95,
        }
    }
}

/// Independent RGPE ensembles, one per objective.
#[derive(Debug, Clone)]
pub struct RgpeModel {
    config: RgpeConfig,
    /// Fitted meta-models of each objective.
    base: Vec<Vec<Arc<ExactGp>>>,
}

impl RgpeModel {
    /// Fits one GP per meta-task and objective, in parallel.
    ///
    /// # Errors
    /// If a shape of the meta-data does not fit, no task has two usable observations, a fit
    /// fails, or a setting is outside its range.
    pub fn train(
        meta: &MetaDataset,
        dim: usize,
        objectives: usize,
        config: RgpeConfig,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetaError> {
        if config.samples == 0 || !(0.0..=1.0).contains(&config.dilution_quantile) {
            return Err(MetaError::RankingConfig {
                samples: config.samples,
                quantile: config.dilution_quantile,
            });
        }
        let columns = MetaColumns::new(meta, dim, objectives, 2)?;
        let seed = Seed(rng.next_u64());
        let tasks = columns.tasks();
        let fitted: Vec<Arc<ExactGp>> = (0..objectives * tasks.len())
            .into_par_iter()
            .map(|job| {
                let (o, t) = (job / tasks.len(), job % tasks.len());
                let (x, y) = &tasks[t];
                let dataset = Dataset::new(x.clone(), column(y, o))?;
                let mut rng = seed.stream(Purpose::Init, job as u64);
                Ok(Arc::new(ExactGp::fit(&dataset, &config.gp, &mut rng)?))
            })
            .collect::<Result<_, MetaError>>()?;
        let base = fitted.chunks(tasks.len()).map(<[_]>::to_vec).collect();
        Ok(Self { config, base })
    }

    fn ensemble(
        &self,
        data: &TargetData,
        o: usize,
        rng: &mut dyn Rng,
    ) -> Result<WeightedSum, MetaError> {
        let base = &self.base[o];
        if data.len() < 2 {
            let count = base.len() as f64;
            let mean = |value: fn(Standardization) -> f64| {
                base.iter()
                    .map(|gp| value(gp.standardization()) / count)
                    .sum::<f64>()
            };
            let target = Standardization::new(mean(|s| s.shift()), mean(|s| s.scale()));
            return Ok(in_units_of(
                target,
                base.iter().map(|gp| (1.0 / count, Arc::clone(gp))),
            ));
        }
        let y: Vec<f64> = (0..data.len()).map(|i| data.y[(i, o)]).collect();
        let dataset = Dataset::new(data.x.clone(), column(&data.y, o))?;
        let target = Arc::new(ExactGp::fit(&dataset, &self.config.gp, rng)?);
        let mut losses: Vec<Vec<f64>> = base
            .iter()
            .map(|gp| self.base_losses(gp, data.x.as_ref(), &y, rng))
            .collect::<Result<_, _>>()?;
        losses.push(self.target_losses(&target, &y, rng));
        let weights = ranking_weights(&losses, self.config.dilution_quantile, rng);
        let all = base.iter().chain([&target]).cloned();
        Ok(in_units_of(
            target.standardization(),
            weights.into_iter().zip(all),
        ))
    }

    /// Misranked pairs in each joint posterior sample (with noise) of a meta-model.
    fn base_losses(
        &self,
        gp: &ExactGp,
        x: MatRef<'_, f64>,
        y: &[f64],
        rng: &mut dyn Rng,
    ) -> Result<Vec<f64>, MetaError> {
        let JointPosterior {
            mean,
            mut covariance,
        } = gp.posterior(x)?;
        let n = y.len();
        for i in 0..n {
            covariance[(i, i)] += gp.noise_variance();
        }
        let factor = JitteredCholesky::factorize(covariance.as_ref(), JitterPolicy::default())
            .map_err(warmfront_gp::GpError::from)?;
        let l = factor.factor();
        let mut z = vec![0.0; n];
        let mut sample = vec![0.0; n];
        Ok((0..self.config.samples)
            .map(|_| {
                fill_standard_normal(&mut z, rng);
                for i in 0..n {
                    sample[i] = mean[(i, 0)] + (0..=i).map(|j| l[(i, j)] * z[j]).sum::<f64>();
                }
                misranked(n, y, |i, j| sample[i] < sample[j])
            })
            .collect())
    }

    /// The same for the target model, each observation predicted from all the others.
    fn target_losses(&self, gp: &ExactGp, y: &[f64], rng: &mut dyn Rng) -> Vec<f64> {
        let left_out = gp.leave_one_out();
        let n = y.len();
        let mut z = vec![0.0; n];
        (0..self.config.samples)
            .map(|_| {
                fill_standard_normal(&mut z, rng);
                // The left-out prediction of i is ranked against the true value of j.
                misranked(n, y, |i, j| {
                    let variance = left_out.variance[(i, 0)] + gp.noise_variance();
                    left_out.mean[(i, 0)] + variance.sqrt() * z[i] < y[j]
                })
            })
            .collect()
    }
}

/// The weighted sum of standardised models, restored to the target's units.
fn in_units_of(
    target: Standardization,
    models: impl Iterator<Item = (f64, Arc<ExactGp>)>,
) -> WeightedSum {
    let mut offset = target.shift();
    let parts = models
        .map(|(weight, gp)| {
            let own = gp.standardization();
            let factor = weight * target.scale() / own.scale();
            offset -= factor * own.shift();
            (factor, gp as Arc<dyn DifferentiableSurrogate>)
        })
        .collect();
    WeightedSum::new(parts, offset)
}

fn column(y: &Mat<f64>, o: usize) -> Mat<f64> {
    Mat::from_fn(y.nrows(), 1, |i, _| y[(i, o)])
}

/// Ordered pairs whose predicted order is not the observed one.
fn misranked(n: usize, y: &[f64], predicted_less: impl Fn(usize, usize) -> bool) -> f64 {
    let wrong = (0..n)
        .flat_map(|i| (0..n).filter(move |j| *j != i).map(move |j| (i, j)))
        .filter(|&(i, j)| predicted_less(i, j) != (y[i] < y[j]))
        .count();
    wrong as f64
}

/// The empirical quantile, rounded to a sample.
fn quantile_of(losses: &[f64], quantile: f64) -> f64 {
    let mut sorted = losses.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((losses.len() - 1) as f64 * quantile).round() as usize]
}

/// Weight of each model, the target last: how often it has the fewest misranked pairs.
fn ranking_weights(losses: &[Vec<f64>], quantile: f64, rng: &mut dyn Rng) -> Vec<f64> {
    let target = losses.len() - 1;
    let samples = losses[target].len();
    let limit = quantile_of(&losses[target], quantile);
    let kept: Vec<bool> = losses
        .iter()
        .enumerate()
        .map(|(i, l)| i == target || quantile_of(l, 0.5) <= limit)
        .collect();
    let mut weights = vec![0.0; losses.len()];
    for s in 0..samples {
        let least = (0..losses.len())
            .filter(|&i| kept[i])
            .map(|i| losses[i][s])
            .fold(f64::INFINITY, f64::min);
        let best: Vec<usize> = (0..losses.len())
            .filter(|&i| kept[i] && losses[i][s] <= least)
            .collect();
        let winner = if best.contains(&target) {
            target
        } else {
            best[(open_uniform(rng) * best.len() as f64) as usize % best.len()]
        };
        weights[winner] += 1.0 / samples as f64;
    }
    weights
}

impl TargetModel for RgpeModel {
    fn name(&self) -> &str {
        "ind-rgpe"
    }

    fn min_observations(&self) -> usize {
        0
    }

    fn fit(
        &mut self,
        data: &TargetData,
        rng: &mut dyn Rng,
    ) -> Result<Box<dyn DifferentiableSurrogate>, MetaError> {
        assert!(
            data.num_objectives() == self.base.len(),
            "trained for {} objectives, got {}",
            self.base.len(),
            data.num_objectives()
        );
        let ensembles = (0..self.base.len())
            .map(|o| self.ensemble(data, o, rng))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(Independent::new(ensembles)))
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    use super::*;

    #[test]
    fn the_model_that_ranks_best_gets_the_weight_and_the_target_wins_ties() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let losses = vec![vec![0.0; 8], vec![5.0; 8], vec![2.0; 8]];
        assert_eq!(
            ranking_weights(&losses, 0.95, &mut rng),
            vec![1.0, 0.0, 0.0]
        );
        let tied = vec![vec![2.0; 8], vec![5.0; 8], vec![2.0; 8]];
        assert_eq!(ranking_weights(&tied, 0.95, &mut rng), vec![0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_model_worse_than_the_target_is_dropped() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        // On average worse than the target at its worst, although best in one sample.
        let losses = vec![vec![0.0, 9.0, 9.0, 9.0], vec![1.0, 1.0, 1.0, 1.0]];
        assert_eq!(ranking_weights(&losses, 0.95, &mut rng), vec![0.0, 1.0]);
    }

    #[test]
    fn misranked_pairs_are_counted_in_both_directions() {
        let y = [1.0, 2.0, 3.0];
        let reversed = [3.0, 2.0, 1.0];
        assert!((misranked(3, &y, |i, j| reversed[i] < reversed[j]) - 6.0).abs() < 1e-12);
        assert!(misranked(3, &y, |i, j| y[i] < y[j]).abs() < 1e-12);
    }
}
