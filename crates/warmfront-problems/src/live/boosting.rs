//! Boosted regression trees on binned measurements.

use rand::RngExt;
use warmfront_core::{Purpose, Seed};

use super::data::{Data, FEATURES, Part};

const BINS: usize = 32;
/// Counted to each leaf as wines of the mean score, so that small leaves say little.
const SHRINK: f32 = 1.0;

#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// How many of the measurements are used.
    pub(super) inputs: usize,
    pub(super) learning_rate: f32,
    pub(super) depth: usize,
    pub(super) trees_per_epoch: usize,
    /// Share of the training part that each tree sees.
    pub(super) subsample: f64,
}

/// A sum of trees, each fitted to what the earlier ones leave of the scores, squared loss.
pub(super) struct Boosting {
    settings: Settings,
    training: Vec<[u8; FEATURES]>,
    validation: Vec<[u8; FEATURES]>,
    residuals: Vec<f32>,
    predictions: Vec<f32>,
    trees: usize,
    seed: Seed,
}

/// Sends a wine to the right if its bin of a measurement is above the threshold.
#[derive(Clone, Copy)]
struct Split {
    feature: usize,
    threshold: u8,
}

/// All to the left, where nothing is gained by a split.
const NO_SPLIT: Split = Split {
    feature: 0,
    threshold: u8::MAX,
};

impl Boosting {
    pub(super) fn new(settings: Settings, data: &Data, seed: Seed) -> Self {
        let edges: Vec<Vec<f32>> = (0..FEATURES)
            .map(|feature| edges(&data.training, feature))
            .collect();
        Self {
            settings,
            training: binned(&data.training, &edges),
            validation: binned(&data.validation, &edges),
            residuals: data.training.targets.clone(),
            predictions: vec![0.0; data.validation.rows()],
            trees: 0,
            seed,
        }
    }

    /// Comparisons and additions of one prediction.
    pub(super) fn operations(&self) -> usize {
        self.trees * (self.settings.depth + 1)
    }

    /// Adds the trees of one epoch.
    pub(super) fn train_epoch(&mut self) {
        for _ in 0..self.settings.trees_per_epoch {
            self.add_tree();
        }
    }

    /// Predictions for the validation part.
    pub(super) fn predictions(&self) -> &[f32] {
        &self.predictions
    }

    fn add_tree(&mut self) {
        let mut rng = self.seed.stream(Purpose::Evaluate, self.trees as u64);
        self.trees += 1;
        let share = self.settings.subsample;
        let n = self.training.len();
        let used: Vec<usize> = (0..n).filter(|_| rng.random::<f64>() < share).collect();

        let mut nodes = vec![0_usize; n];
        let mut tree: Vec<Vec<Split>> = Vec::with_capacity(self.settings.depth);
        for level in 0..self.settings.depth {
            let histogram = self.histogram(&used, &nodes, 1 << level);
            let splits: Vec<Split> = histogram
                .iter()
                .map(|node| best_split(&node[..self.settings.inputs]))
                .collect();
            for (node, bins) in nodes.iter_mut().zip(&self.training) {
                *node = splits[*node].child(*node, bins);
            }
            tree.push(splits);
        }

        let mut sums = vec![(0.0_f32, 0.0_f32); 1 << self.settings.depth];
        for &row in &used {
            let (sum, count) = &mut sums[nodes[row]];
            *sum += self.residuals[row];
            *count += 1.0;
        }
        let rate = self.settings.learning_rate;
        let leaves: Vec<f32> = sums
            .iter()
            .map(|(sum, count)| rate * sum / (count + SHRINK))
            .collect();
        for (residual, &leaf) in self.residuals.iter_mut().zip(&nodes) {
            *residual -= leaves[leaf];
        }
        for (prediction, bins) in self.predictions.iter_mut().zip(&self.validation) {
            let leaf = tree
                .iter()
                .fold(0, |node, splits| splits[node].child(node, bins));
            *prediction += leaves[leaf];
        }
    }

    /// Per node, measurement and bin: the sum of the residuals and how many they are.
    fn histogram(&self, used: &[usize], nodes: &[usize], count: usize) -> Vec<Histogram> {
        let mut histograms = vec![[[(0.0, 0.0); BINS]; FEATURES]; count];
        for &row in used {
            let histogram = &mut histograms[nodes[row]];
            for (feature, bin) in self.training[row].iter().enumerate() {
                let (sum, count) = &mut histogram[feature][usize::from(*bin)];
                *sum += self.residuals[row];
                *count += 1.0;
            }
        }
        histograms
    }
}

type Histogram = [[(f32, f32); BINS]; FEATURES];

impl Split {
    fn child(self, node: usize, bins: &[u8; FEATURES]) -> usize {
        2 * node + usize::from(bins[self.feature] > self.threshold)
    }
}

fn best_split(node: &[[(f32, f32); BINS]]) -> Split {
    let score = |(sum, count): (f32, f32)| sum * sum / (count + SHRINK);
    let add = |a: (f32, f32), b: (f32, f32)| (a.0 + b.0, a.1 + b.1);
    let whole = node[0].iter().copied().fold((0.0, 0.0), add);
    let mut best = (score(whole) + 1e-6, NO_SPLIT);
    for (feature, bins) in node.iter().enumerate() {
        let mut left = (0.0, 0.0);
        for threshold in 0..BINS - 1 {
            left = add(left, bins[threshold]);
            let right = (whole.0 - left.0, whole.1 - left.1);
            if left.1 < 2.0 || right.1 < 2.0 {
                continue;
            }
            let gain = score(left) + score(right);
            if gain > best.0 {
                let threshold = threshold as u8;
                best = (gain, Split { feature, threshold });
            }
        }
    }
    best.1
}

/// Upper edges of all bins but the last, with about as many training wines in each.
fn edges(part: &Part, feature: usize) -> Vec<f32> {
    let mut values: Vec<f32> = (0..part.rows()).map(|row| part.row(row)[feature]).collect();
    values.sort_by(f32::total_cmp);
    (1..BINS)
        .map(|bin| values[bin * (values.len() - 1) / BINS])
        .collect()
}

fn binned(part: &Part, edges: &[Vec<f32>]) -> Vec<[u8; FEATURES]> {
    (0..part.rows())
        .map(|row| {
            let mut bins = [0; FEATURES];
            for ((bin, value), edges) in bins.iter_mut().zip(part.row(row)).zip(edges) {
                *bin = edges.partition_point(|edge| edge < value) as u8;
            }
            bins
        })
        .collect()
}
