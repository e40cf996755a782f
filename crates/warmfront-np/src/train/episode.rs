//! Runs of a policy on tasks.

use rand::{Rng, RngExt};

use super::Reward;
use super::supervised::context;
use crate::network::rankable;
use crate::{Heads, Network, Scaling, Task};

/// Where a run starts and how long it is.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) initial: Vec<usize>,
    pub(super) horizon: usize,
}

/// How decisions are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acting {
    pub(super) scaling: Scaling,
    pub(super) top_k: Option<usize>,
    /// Whether the value head is asked.
    pub(super) value: bool,
}

/// One decision of a policy.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    /// The rows that could be drawn.
    pub(super) choices: Vec<usize>,
    /// Which of them was.
    pub(super) chosen: usize,
    pub(super) log_probability: f64,
    pub(super) value: f64,
}

/// A run: its evaluations in order, the initial ones first.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) rows: Vec<usize>,
    pub(super) initial: usize,
    pub(super) decisions: Vec<Decision>,
}

impl Run {
    /// All evaluations, initial ones included.
    pub(super) fn budget(&self) -> usize {
        self.initial + self.decisions.len()
    }

    /// The history that a decision saw.
    pub(super) fn before(&self, decision: usize) -> &[usize] {
        &self.rows[..self.initial + decision]
    }

    /// The best cost before each decision and after the last; the task's highest where nothing was
    /// evaluated.
    pub(super) fn best(&self, task: &Task) -> Vec<f64> {
        let mut best = task.scale().highest;
        let mut curve = Vec::with_capacity(self.decisions.len() + 1);
        if self.initial == 0 {
            curve.push(best);
        }
        for (i, &row) in self.rows.iter().enumerate() {
            best = best.min(task.costs()[row]);
            if i + 1 >= self.initial {
                curve.push(best);
            }
        }
        curve
    }

    /// What the incumbent is worth before each decision and after the last.
    pub(super) fn standing(&self, task: &Task, reward: Reward) -> Vec<f64> {
        let logarithm = |best: f64, floor: f64| task.regret(best).max(floor).log10();
        let worth = |best: f64| match reward {
            Reward::Published => -logarithm(best, 1e-20),
            Reward::Incremental => -logarithm(best, 1e-3),
            Reward::Regret => -task.regret(best),
            Reward::Rank => {
                let rank = 1 + task.costs().iter().filter(|&&cost| cost < best).count();
                -(rank as f64).ln() / (task.len() as f64).ln().max(f64::MIN_POSITIVE)
            }
        };
        self.best(task).into_iter().map(worth).collect()
    }

    /// The reward of each decision.
    pub(super) fn rewards(&self, task: &Task, reward: Reward) -> Vec<f64> {
        self.standing(task, reward)
            .windows(2)
            .map(|worth| match reward {
                Reward::Incremental => worth[1] - worth[0],
                Reward::Published | Reward::Regret | Reward::Rank => worth[1],
            })
            .collect()
    }
}

/// Rows of a task that are not in a history, in order.
#[derive(Debug, Clone)]
pub(super) struct Unvisited(Vec<usize>);

impl Unvisited {
    pub(super) fn new(task: &Task, visited: &[usize]) -> Self {
        let mut free = vec![true; task.len()];
        for &row in visited {
            free[row] = false;
        }
        Self((0..task.len()).filter(|&row| free[row]).collect())
    }

    pub(super) fn rows(&self) -> &[usize] {
        &self.0
    }

    pub(super) fn visit(&mut self, row: usize) {
        self.0.retain(|&other| other != row);
    }
}

/// Runs a policy, drawing its decisions.
pub(super) fn run<R: Rng + ?Sized>(
    network: &Network,
    task: &Task,
    plan: &Plan,
    acting: Acting,
    rng: &mut R,
) -> Run {
    let mut rows = plan.initial.clone();
    let horizon = plan.horizon.min(task.len() - rows.len());
    let budget = rows.len() + horizon;
    let mut unvisited = Unvisited::new(task, &rows);
    let mut decisions = Vec::with_capacity(horizon);
    let heads = Heads {
        bar: false,
        acquisition: true,
        value: acting.value,
    };
    for _ in 0..horizon {
        let (context, _) = context(task, &rows, unvisited.rows(), budget, acting.scaling);
        let mut output = network.forward(&context, heads);
        rankable(&mut output.acquisition);
        let decision = decide(
            &output.acquisition,
            unvisited.rows(),
            acting.top_k,
            network.config().acquisition.temperature,
            f64::from(output.value),
            rng,
        );
        let row = decision.choices[decision.chosen];
        rows.push(row);
        unvisited.visit(row);
        decisions.push(decision);
    }
    Run {
        rows,
        initial: plan.initial.len(),
        decisions,
    }
}

fn decide<R: Rng + ?Sized>(
    scores: &[f32],
    rows: &[usize],
    top_k: Option<usize>,
    temperature: f32,
    value: f64,
    rng: &mut R,
) -> Decision {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    if let Some(k) = top_k.filter(|&k| k < order.len()) {
        let higher = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
        order.select_nth_unstable_by(k - 1, higher);
        order.truncate(k);
        order.sort_unstable_by(higher);
    }
    let kept: Vec<f32> = order.iter().map(|&i| scores[i]).collect();
    let log_probabilities = log_softmax(&kept, temperature);
    let mut left = rng.random::<f64>();
    let last = kept.len() - 1;
    let chosen = log_probabilities
        .iter()
        .position(|log| {
            left -= log.exp();
            left < 0.0
        })
        .unwrap_or(last);
    Decision {
        log_probability: log_probabilities[chosen],
        choices: order.into_iter().map(|i| rows[i]).collect(),
        chosen,
        value,
    }
}

/// `ln softmax(scores / temperature)`.
pub(super) fn log_softmax(scores: &[f32], temperature: f32) -> Vec<f64> {
    let scaled: Vec<f64> = scores
        .iter()
        .map(|&s| f64::from(s) / f64::from(temperature))
        .collect();
    let total = warmfront_math::special::logsumexp(&scaled);
    scaled.into_iter().map(|s| s - total).collect()
}

#[cfg(test)]
mod tests {
    use warmfront_core::{Purpose, Seed};
    use warmfront_testkit::{assert_all_close, assert_close};

    use super::*;

    #[test]
    fn softmax_does_not_see_a_shift() {
        let scores = [0.1, -0.3, 0.25];
        let shifted = scores.map(|s| s + 8.0);
        let log = log_softmax(&scores, 0.1);
        assert_all_close(&log, &log_softmax(&shifted, 0.1), 1e-4, 1e-4, "shift");
        let sum: f64 = log.iter().map(|l| l.exp()).sum();
        assert_close(sum, 1.0, 1e-12, 0.0, "sum");
    }

    #[test]
    fn decisions_follow_their_probabilities_within_the_mask() {
        let scores = [0.0, 0.05, -5.0, 0.1, 0.1];
        let rows = [10, 11, 12, 13, 14];
        let mut rng = Seed(4).stream(Purpose::Ask, 0);
        let mut counts = [0_u32; 15];
        let mut decision = None;
        for _ in 0..20_000 {
            let d = decide(&scores, &rows, Some(3), 0.1, 0.0, &mut rng);
            assert_eq!(d.choices, [13, 14, 11]);
            counts[d.choices[d.chosen]] += 1;
            decision = Some(d);
        }
        let p = log_softmax(&[0.1, 0.1, 0.05], 0.1);
        for (row, log) in [13, 14, 11].into_iter().zip(&p) {
            let share = f64::from(counts[row]) / 20_000.0;
            assert_close(share, log.exp(), 0.0, 0.015, "share");
        }
        let decision = decision.unwrap();
        assert_close(
            decision.log_probability,
            p[decision.chosen],
            1e-12,
            0.0,
            "kept",
        );
        // Fewer candidates than the mask: all of them.
        let few = decide(&scores[..2], &rows[..2], Some(3), 0.1, 0.0, &mut rng);
        assert_eq!(few.choices, [10, 11]);
    }

    #[test]
    fn rewards_of_a_run() {
        let task = Task::new(1, vec![0.0; 5], vec![10.0, 0.0, 1.0, 4.0, 9.0]).unwrap();
        let decision = Decision {
            choices: vec![0],
            chosen: 0,
            log_probability: 0.0,
            value: 0.0,
        };
        let run = Run {
            rows: vec![0, 2, 3, 1],
            initial: 1,
            decisions: vec![decision; 3],
        };
        assert_all_close(&run.best(&task), &[10.0, 1.0, 1.0, 0.0], 0.0, 0.0, "best");
        let check = |reward, expected: [f64; 3]| {
            let rewards = run.rewards(&task, reward);
            assert_all_close(&rewards, &expected, 1e-12, 1e-12, "reward");
        };
        check(Reward::Published, [1.0, 1.0, 20.0]);
        check(Reward::Incremental, [1.0, 0.0, 2.0]);
        check(Reward::Regret, [-0.1, -0.1, 0.0]);
        let second = -(2.0_f64).ln() / 5.0_f64.ln();
        check(Reward::Rank, [second, second, 0.0]);
        let from_nothing = Run {
            initial: 0,
            rows: vec![2],
            ..run
        };
        assert_all_close(&from_nothing.best(&task), &[10.0, 1.0], 0.0, 0.0, "empty");
    }
}
