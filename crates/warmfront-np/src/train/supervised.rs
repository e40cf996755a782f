//! Contexts with known answers, and the likelihood of the answers.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use warmfront_core::{Purpose, Seed};

use super::workers::Workers;
use super::{SupervisedConfig, TrainConfig};
use crate::{Bar, Context, Frame, Heads, Network, OutputGradient, Scaling, Task, TaskSource};

/// A context and the scaled outcomes of its queries.
pub(super) struct Example {
    pub(super) context: Context,
    pub(super) targets: Vec<f32>,
}

/// How histories are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Histories {
    pub(super) sizes: (usize, usize),
    pub(super) queries: usize,
    pub(super) clustered: f64,
    pub(super) scaling: Scaling,
}

impl Histories {
    pub(super) fn of(config: &SupervisedConfig, scaling: Scaling) -> Self {
        Self {
            sizes: config.history,
            queries: config.queries,
            clustered: config.clustered,
            scaling,
        }
    }

    /// A history of the task and queries apart from it.
    pub(super) fn draw<R: Rng + ?Sized>(&self, task: &Task, rng: &mut R) -> Example {
        let size = self.size(rng).min(task.len() - 1);
        let mut order = shuffled(task.len(), rng);
        if rng.random::<f64>() < self.clustered {
            cluster(task, &mut order, size, rng);
        }
        let (history, rest) = order.split_at(size);
        let queries = &rest[..self.queries.min(rest.len())];
        let (context, frame) = context(task, history, queries, size, self.scaling);
        Example {
            context,
            targets: targets(task, queries, &frame),
        }
    }

    fn size<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        let (low, high) = (self.sizes.0 as f64, self.sizes.1 as f64 + 1.0);
        let (even, u) = (rng.random::<bool>(), rng.random::<f64>());
        let size = if even {
            low + (high - low) * u
        } else {
            (low + 1.0) * ((high + 1.0) / (low + 1.0)).powf(u) - 1.0
        };
        (size as usize).clamp(self.sizes.0, self.sizes.1)
    }
}

/// The context of a history and queries, by their rows in the task, and its frame.
pub(super) fn context(
    task: &Task,
    history: &[usize],
    queries: &[usize],
    budget: usize,
    scaling: Scaling,
) -> (Context, Frame) {
    let costs: Vec<f64> = history.iter().map(|&row| task.costs()[row]).collect();
    let frame = scaling.training(&costs, task.scale());
    let context = Context {
        history_x: task.rows(history),
        history_y: costs.iter().map(|&cost| frame.scaled(cost)).collect(),
        queries: task.rows(queries),
        incumbent: frame.incumbent(&costs),
        progress: (history.len() as f32 / budget.max(1) as f32).min(1.0),
    };
    (context, frame)
}

pub(super) fn targets(task: &Task, queries: &[usize], frame: &Frame) -> Vec<f32> {
    queries
        .iter()
        .map(|&row| frame.scaled(task.costs()[row]))
        .collect()
}

/// The sum of the negative log-likelihoods of targets; `weight` times its gradient goes to `gradient`.
pub(super) fn likelihood(
    bar: &Bar,
    logits: &[f32],
    targets: &[f32],
    weight: f64,
    gradient: &mut [f32],
) -> f64 {
    let buckets = bar.buckets();
    let rows = logits
        .chunks_exact(buckets)
        .zip(gradient.chunks_exact_mut(buckets));
    rows.zip(targets)
        .map(|((logits, gradient), &y)| {
            f64::from(bar.nll_gradient(logits, y, weight as f32, gradient))
        })
        .sum()
}

/// One step's examples, their mean likelihood and its gradient.
pub(super) fn gradient<'a>(
    network: &Network,
    config: &SupervisedConfig,
    scaling: Scaling,
    source: &dyn TaskSource,
    seed: Seed,
    workers: &'a mut Workers,
) -> (&'a mut [f32], f64) {
    let examples = examples(config, scaling, source, config.batch, seed);
    let bar = &network.config().bar;
    let (gradient, losses) = workers.run(network, &examples, |example, bench| {
        let count = example.targets.len() as f64;
        bench.run(&example.context, Heads::BAR, |output| {
            let mut logits = vec![0.0; output.logits.len()];
            let weight = 1.0 / (count * config.batch as f64);
            let loss = likelihood(bar, &output.logits, &example.targets, weight, &mut logits);
            let gradient = OutputGradient {
                logits,
                ..OutputGradient::default()
            };
            (gradient, loss / count)
        })
    });
    (gradient, losses.iter().sum::<f64>() / config.batch as f64)
}

fn examples(
    config: &SupervisedConfig,
    scaling: Scaling,
    source: &dyn TaskSource,
    count: usize,
    seed: Seed,
) -> Vec<Example> {
    let histories = Histories::of(config, scaling);
    (0..count)
        .into_par_iter()
        .map(|index| {
            let mut rng = seed.child(index as u64).stream(Purpose::Init, 0);
            let task = source.draw(config.history.1 + config.queries, &mut rng);
            histories.draw(&task, &mut rng)
        })
        .collect()
}

/// Scaled outcomes of the queries that the warm-up of a recipe would train on: the sample for
/// [`Bar::quantiles`].
///
/// A recipe without a warm-up counts as one with the compact size's.
#[must_use]
pub fn sample_targets(
    config: &TrainConfig,
    source: &dyn TaskSource,
    contexts: usize,
    seed: Seed,
) -> Vec<f32> {
    let compact = SupervisedConfig::compact();
    let warm_up = config.warm_up.as_ref().unwrap_or(&compact);
    examples(warm_up, config.scaling, source, contexts, seed)
        .into_iter()
        .flat_map(|example| example.targets)
        .collect()
}

/// A random order of `0..n`.
pub(super) fn shuffled<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    shuffle(&mut order, rng);
    order
}

pub(super) fn shuffle<T, R: Rng + ?Sized>(items: &mut [T], rng: &mut R) {
    for i in (1..items.len()).rev() {
        items.swap(i, rng.random_range(0..=i as u64) as usize);
    }
}

/// Rearranges a random order so that its first `size` rows are those of a local search: a few even
/// draws, then mostly rows near the best so far. It looks at no cost of a row before it is chosen.
fn cluster<R: Rng + ?Sized>(task: &Task, order: &mut [usize], size: usize, rng: &mut R) {
    let first = rng.random_range(1..=6_u64) as usize;
    let reach = 0.03_f64.powf(rng.random::<f64>()) * (task.dim() as f64).sqrt();
    let better = |a: usize, b: usize| task.costs()[a] < task.costs()[b];
    let mut best = order[0];
    for t in 1..size {
        if t >= first && rng.random::<f64>() > 0.25 {
            let key = |row: usize, rng: &mut R| {
                let square: f32 = task
                    .row(row)
                    .iter()
                    .zip(task.row(best))
                    .map(|(a, b)| (a - b) * (a - b))
                    .sum();
                // The largest of these keys is a draw with the kernel's weights (Gumbel).
                let u = rng.random::<f64>().max(f64::MIN_POSITIVE);
                -0.5 * f64::from(square) / (reach * reach) - (-u.ln()).ln()
            };
            let mut chosen = (t, f64::NEG_INFINITY);
            for (i, &row) in order.iter().enumerate().skip(t) {
                let key = key(row, rng);
                if key > chosen.1 {
                    chosen = (i, key);
                }
            }
            order.swap(t, chosen.0);
        }
        if better(order[t], best) {
            best = order[t];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize) -> Task {
        let x: Vec<f32> = (0..n).map(|i| i as f32 / n as f32).collect();
        let costs = x.iter().map(|&x| f64::from((x - 0.3).abs())).collect();
        Task::new(1, x, costs).unwrap()
    }

    #[test]
    fn examples_are_disjoint_and_of_all_sizes() {
        let task = line(60);
        let mut rng = Seed(1).stream(Purpose::Init, 0);
        let mut sizes = [0; 31];
        for clustered in [0.0, 1.0] {
            let histories = Histories {
                sizes: (0, 30),
                queries: 20,
                clustered,
                scaling: Scaling::History,
            };
            for _ in 0..400 {
                let Example { context, targets } = histories.draw(&task, &mut rng);
                assert_eq!((context.queries.len(), targets.len()), (20, 20));
                let seen = |x: &f32| context.history_x.contains(x);
                assert!(!context.queries.iter().any(seen));
                sizes[context.history_y.len()] += 1;
                // The best of the history is the incumbent.
                let best = context.history_y.iter().copied().fold(f32::MIN, f32::max);
                if !context.history_y.is_empty() {
                    assert!((best - context.incumbent).abs() < 1e-6);
                }
            }
        }
        assert!(sizes.iter().all(|&count| count > 0), "{sizes:?}");
        assert!(sizes[..5].iter().sum::<i32>() > sizes[20..25].iter().sum::<i32>());
    }

    #[test]
    fn clusters_lie_near_their_best() {
        let task = line(500);
        let mut rng = Seed(2).stream(Purpose::Init, 0);
        let spread = |clustered: bool, rng: &mut dyn Rng| {
            let mut total = 0.0;
            for _ in 0..50 {
                let mut order = shuffled(500, rng);
                if clustered {
                    cluster(&task, &mut order, 40, rng);
                }
                let mean = order[..40].iter().map(|&r| task.costs()[r]).sum::<f64>() / 40.0;
                total += mean / 50.0;
                order.sort_unstable();
                assert!(order.iter().enumerate().all(|(i, &row)| i == row));
            }
            total
        };
        let (even, near) = (spread(false, &mut rng), spread(true, &mut rng));
        assert!(near < 0.8 * even, "{near} {even}");
    }
}
