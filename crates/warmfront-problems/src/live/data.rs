//! The wine quality table, split and standardised.

use std::collections::BTreeMap;

use warmfront_core::{Purpose, Seed};

use crate::sample::permutation;

/// Measurements per wine.
pub(super) const FEATURES: usize = 11;

/// Wines with their standardised measurements and their scores.
pub(super) struct Part {
    /// Measurements, row after row, those first that go along with the score most.
    pub(super) inputs: Vec<f32>,
    /// Scores in units of the training part's standard deviation, from its mean.
    pub(super) targets: Vec<f32>,
    /// Scores.
    pub(super) scores: Vec<f64>,
}

impl Part {
    pub(super) fn rows(&self) -> usize {
        self.targets.len()
    }

    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.inputs[index * FEATURES..(index + 1) * FEATURES]
    }
}

pub(super) struct Data {
    pub(super) training: Part,
    pub(super) validation: Part,
    /// Mean and standard deviation of the training scores.
    pub(super) mean: f64,
    pub(super) deviation: f64,
    /// Lowest and highest training score.
    pub(super) range: (f64, f64),
}

impl Data {
    /// Two thirds of the wines for training, the others for validation.
    ///
    /// The table repeats some wines, perhaps tasted by several people. Each is kept once, or a wine of
    /// the training part could be met again in validation.
    pub(super) fn split(seed: Seed) -> Self {
        let table = linfa_datasets::winequality();
        let mut unique: BTreeMap<Vec<u64>, (Vec<f64>, f64)> = BTreeMap::new();
        for (row, &score) in table.records.outer_iter().zip(table.targets.iter()) {
            let row = row.to_vec();
            let key = row.iter().map(|value| value.to_bits()).collect();
            unique.entry(key).or_insert((row, score as f64));
        }
        let wines: Vec<(Vec<f64>, f64)> = unique.into_values().collect();
        let n = wines.len();
        let order = permutation(n, n, &mut seed.stream(Purpose::Init, 0));
        let (training, validation) = order.split_at(2 * n / 3);

        let moments: Vec<(f64, f64)> = (0..FEATURES)
            .map(|j| moments(training.iter().map(|&i| wines[i].0[j])))
            .collect();
        let scores = || training.iter().map(|&i| wines[i].1);
        let (mean, deviation) = self::moments(scores());
        let standard = |i: usize, j: usize| (wines[i].0[j] - moments[j].0) / moments[j].1;
        let telling = |j: usize| {
            let products = training
                .iter()
                .map(|&i| standard(i, j) * (wines[i].1 - mean));
            products.sum::<f64>().abs()
        };
        let mut columns: Vec<usize> = (0..FEATURES).collect();
        columns.sort_by(|&a, &b| telling(b).total_cmp(&telling(a)));
        let part = |rows: &[usize]| Part {
            inputs: rows
                .iter()
                .flat_map(|&i| columns.iter().map(move |&j| (i, j)))
                .map(|(i, j)| standard(i, j) as f32)
                .collect(),
            targets: rows
                .iter()
                .map(|&i| ((wines[i].1 - mean) / deviation) as f32)
                .collect(),
            scores: rows.iter().map(|&i| wines[i].1).collect(),
        };
        Self {
            training: part(training),
            validation: part(validation),
            mean,
            deviation,
            range: (
                scores().fold(f64::INFINITY, f64::min),
                scores().fold(f64::NEG_INFINITY, f64::max),
            ),
        }
    }

    /// Mean absolute error, in points of the score, of predictions for the validation part in the
    /// units of [`Part::targets`]; `None` if one is not finite.
    ///
    /// Predictions are clamped to the scores seen in training, as anyone would who uses them.
    pub(super) fn error(&self, predictions: &[f32]) -> Option<f64> {
        let mut total = 0.0;
        for (prediction, score) in predictions.iter().zip(&self.validation.scores) {
            if !prediction.is_finite() {
                return None;
            }
            let predicted = self.mean + self.deviation * f64::from(*prediction);
            total += (predicted.clamp(self.range.0, self.range.1) - score).abs();
        }
        Some(total / predictions.len() as f64)
    }
}

fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / n;
    // A constant column stays zero.
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    (mean, deviation)
}
