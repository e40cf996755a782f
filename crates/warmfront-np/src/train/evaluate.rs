//! Greedy runs on given tasks: for the choice of a checkpoint, and for controls.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use warmfront_core::{Purpose, Seed};

use super::episode::Unvisited;
use super::supervised::{context, shuffle, shuffled};
use crate::{Network, Scaling, Task, Utility};

/// How networks are compared on given tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Random evaluations before the first decision.
    pub initial: usize,
    /// Decisions.
    pub horizon: usize,
    /// Runs on each task, from different initial designs. These depend on the seed, the task and the
    /// repetition only.
    pub repeats: usize,
    /// What the next candidate is the best by; `None`: chance picks it.
    pub utility: Option<Utility>,
    /// What the network sees of costs.
    pub scaling: Scaling,
    /// Control: before each decision the outcomes are dealt anew to the points of the history. A
    /// network that uses what it observes becomes worse.
    pub shuffled: bool,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            initial: 5,
            horizon: 100,
            repeats: 1,
            utility: Some(Utility::Acquisition),
            scaling: Scaling::History,
            shuffled: false,
        }
    }
}

/// The normalised simple regret of each run after its initial design and after every decision: task by
/// task, its repetitions next to each other, `horizon + 1` values a run.
///
/// A run that has evaluated every candidate repeats its last value.
#[must_use]
pub fn regret_curves(
    network: &Network,
    tasks: &[Task],
    evaluation: &Evaluation,
    seed: Seed,
) -> Vec<Vec<f64>> {
    let repeats = evaluation.repeats;
    (0..tasks.len() * repeats)
        .into_par_iter()
        .with_max_len(1)
        .map(|index| {
            let (task, repeat) = (index / repeats, index % repeats);
            let seed = seed.child(task as u64).child(repeat as u64);
            greedy(network, &tasks[task], evaluation, seed)
        })
        .collect()
}

/// The mean over runs after each of these numbers of decisions.
///
/// # Panics
/// If a run is shorter.
#[must_use]
#[track_caller]
pub fn mean_regret(curves: &[Vec<f64>], at: &[usize]) -> Vec<f64> {
    let runs = curves.len().max(1) as f64;
    at.iter()
        .map(|&step| curves.iter().map(|curve| curve[step]).sum::<f64>() / runs)
        .collect()
}

fn greedy(network: &Network, task: &Task, evaluation: &Evaluation, seed: Seed) -> Vec<f64> {
    let mut rng = seed.stream(Purpose::Init, 0);
    let mut rows = shuffled(task.len(), &mut rng);
    rows.truncate(evaluation.initial);
    let mut rng = seed.stream(Purpose::Ask, 0);
    let mut unvisited = Unvisited::new(task, &rows);
    let mut best = rows
        .iter()
        .map(|&row| task.costs()[row])
        .fold(task.scale().highest, f64::min);
    let mut curve = vec![task.regret(best)];
    for _ in 0..evaluation.horizon {
        if !unvisited.rows().is_empty() {
            let row =
                unvisited.rows()[pick(network, task, &rows, &unvisited, evaluation, &mut rng)];
            rows.push(row);
            unvisited.visit(row);
            best = best.min(task.costs()[row]);
        }
        curve.push(task.regret(best));
    }
    curve
}

fn pick<R: Rng + ?Sized>(
    network: &Network,
    task: &Task,
    rows: &[usize],
    unvisited: &Unvisited,
    evaluation: &Evaluation,
    rng: &mut R,
) -> usize {
    let queries = unvisited.rows();
    let Some(utility) = evaluation.utility else {
        return rng.random_range(0..queries.len() as u64) as usize;
    };
    let budget = (evaluation.initial + evaluation.horizon).min(task.len());
    let (mut context, _) = context(task, rows, queries, budget, evaluation.scaling);
    if evaluation.shuffled {
        shuffle(&mut context.history_y, rng);
    }
    let history = network.encode(&context.history_x, &context.history_y);
    let utilities = network.utilities(
        &history,
        &context.queries,
        context.incumbent,
        context.progress,
        utility,
    );
    let mut best = 0;
    for (i, utility) in utilities.iter().enumerate() {
        if *utility > utilities[best] {
            best = i;
        }
    }
    best
}
