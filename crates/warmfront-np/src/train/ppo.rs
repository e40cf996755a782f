//! Proximal policy optimisation.
//!
//! Candidates do not see each other, and a rollout draws among the `k` candidates of the highest scores
//! only. The probability of a decision is therefore a function of `k` scores, and an update's forward
//! and backward pass have `k` queries (and those of the auxiliary likelihood) where the rollout had all
//! candidates. That is exact, and makes an update cheaper than the rollout.

use rand::RngExt;
use rayon::prelude::*;
use warmfront_core::{Purpose, Seed};

use super::adam::{Adam, clip_norm};
use super::advantage::{discounted, explain_by, gae, moments, standardise_groups};
use super::episode::{Acting, Plan, Run, Unvisited, log_softmax, run};
use super::record::PolicyProgress;
use super::supervised::{Example, Histories, context, likelihood, shuffle, shuffled, targets};
use super::workers::{Bench, Workers};
use super::{Advantage, AuxiliaryContexts, PpoConfig};
use crate::{Heads, Network, OutputGradient, Scaling, Task, TaskSource};

/// What an iteration needs beside the network and its optimiser.
pub(super) struct Setting<'a> {
    pub(super) config: &'a PpoConfig,
    pub(super) scaling: Scaling,
    pub(super) clip_norm: f64,
    /// How the histories of drawn auxiliary contexts are made.
    pub(super) histories: Histories,
    pub(super) learning_rate: f64,
    pub(super) lambda: f64,
    pub(super) source: &'a dyn TaskSource,
    pub(super) seed: Seed,
}

/// What an iteration tells.
pub(super) struct Outcome {
    pub(super) progress: PolicyProgress,
    pub(super) nll: Option<f64>,
    pub(super) gradient_norm: f64,
}

/// A state to learn from.
#[derive(Debug, Clone, Copy)]
struct State {
    run: usize,
    decision: usize,
    advantage: f64,
    target: f64,
}

/// The runs of an iteration, each with its task.
struct Batch {
    tasks: Vec<Task>,
    runs: Vec<Run>,
    trajectories: usize,
}

impl Batch {
    fn task(&self, run: usize) -> &Task {
        &self.tasks[run / self.trajectories]
    }
}

/// One part of a minibatch.
enum Job<'a> {
    State {
        state: State,
        /// For the queries of the auxiliary likelihood.
        seed: Seed,
    },
    Drawn(&'a Example),
}

/// What the loss of a state depends on, for all states of a minibatch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surrogate {
    pub(super) clip: f64,
    pub(super) entropy: f64,
    pub(super) temperature: f32,
}

/// The loss of one state and what there is to know about it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StateLoss {
    pub(super) surrogate: f64,
    pub(super) ratio: f64,
    pub(super) clipped: bool,
    pub(super) entropy: f64,
    pub(super) value_error: f64,
    pub(super) nll: f64,
}

impl Surrogate {
    /// The loss `−min(r·A, clip(r)·A) − c·H` of a decision among candidates with these scores, and its
    /// gradient by the scores.
    pub(super) fn loss(
        &self,
        scores: &[f32],
        chosen: usize,
        old_log_probability: f64,
        advantage: f64,
    ) -> (StateLoss, Vec<f64>) {
        let log = log_softmax(scores, self.temperature);
        let ratio = (log[chosen] - old_log_probability).exp();
        let bounded = ratio.clamp(1.0 - self.clip, 1.0 + self.clip);
        let (free, held) = (ratio * advantage, bounded * advantage);
        let by_log = if free <= held { -free } else { 0.0 };
        let entropy = -log.iter().map(|l| l.exp() * l).sum::<f64>();
        let gradient = log
            .iter()
            .enumerate()
            .map(|(j, l)| {
                let p = l.exp();
                let indicator = f64::from(u8::from(j == chosen));
                (by_log * (indicator - p) + self.entropy * p * (l + entropy))
                    / f64::from(self.temperature)
            })
            .collect();
        let loss = StateLoss {
            surrogate: -free.min(held),
            ratio,
            clipped: (ratio - 1.0).abs() > self.clip,
            entropy,
            ..StateLoss::default()
        };
        (loss, gradient)
    }
}

/// One iteration: rollouts, advantages, updates.
pub(super) fn iterate(
    network: &mut Network,
    adam: &mut Adam,
    workers: &mut Workers,
    setting: &Setting<'_>,
) -> Outcome {
    let config = setting.config;
    let batch = rollouts(network, setting);
    let (mut states, mut progress) = judged(&batch, setting);
    let mut sums = Sums::default();
    let mut order = setting.seed.child(2).stream(Purpose::Init, 0);
    shuffle(&mut states, &mut order);
    states.truncate(config.states.unwrap_or(usize::MAX));
    'updates: for epoch in 0..config.epochs as u64 {
        if epoch > 0 {
            shuffle(&mut states, &mut order);
        }
        for (index, minibatch) in (0..).zip(states.chunks(config.minibatch)) {
            let seed = setting.seed.child(3).child(epoch).child(index);
            let divergence = update(
                network, adam, workers, setting, &batch, minibatch, seed, &mut sums,
            );
            if config
                .divergence_limit
                .is_some_and(|limit| divergence > limit)
            {
                break 'updates;
            }
        }
    }
    let states = sums.states.max(1) as f64;
    progress.states = sums.states;
    progress.policy_loss = sums.total.surrogate / states;
    progress.entropy = sums.total.entropy / states;
    progress.clipped = sums.clipped as f64 / states;
    progress.divergence = sums.divergence / states;
    progress.first_ratio_error = sums.first_ratio_error.unwrap_or(0.0);
    if config.advantage == Advantage::Gae {
        progress.value_loss = Some(sums.total.value_error / states);
    }
    let steps = sums.steps.max(1) as f64;
    Outcome {
        progress,
        nll: sums.nll.map(|nll| nll / steps),
        gradient_norm: sums.norm / steps,
    }
}

/// Sums over the minibatches of an iteration.
#[derive(Default)]
struct Sums {
    total: StateLoss,
    states: u64,
    clipped: u64,
    divergence: f64,
    first_ratio_error: Option<f64>,
    nll: Option<f64>,
    norm: f64,
    steps: u64,
}

fn rollouts(network: &Network, setting: &Setting<'_>) -> Batch {
    let config = setting.config;
    let (tasks, plans): (Vec<Task>, Vec<Plan>) = (0..config.tasks)
        .into_par_iter()
        .with_max_len(1)
        .map(|index| {
            let mut rng = setting
                .seed
                .child(0)
                .child(index as u64)
                .stream(Purpose::Init, 0);
            let task = setting.source.draw(config.candidates, &mut rng);
            let mut between =
                |(low, high): (usize, usize)| rng.random_range(low as u64..=high as u64) as usize;
            // A source may have fewer candidates than asked for; one decision is always left.
            let initial = between(config.initial).min(task.len() - 1);
            let horizon = between(config.horizon).min(task.len() - initial);
            let mut rows = shuffled(task.len(), &mut rng);
            rows.truncate(initial);
            let plan = Plan {
                initial: rows,
                horizon,
            };
            (task, plan)
        })
        .unzip();
    let acting = Acting {
        scaling: setting.scaling,
        top_k: config.top_k,
        value: config.advantage == Advantage::Gae,
    };
    let runs = (0..config.tasks * config.trajectories)
        .into_par_iter()
        .with_max_len(1)
        .map(|index| {
            let task = index / config.trajectories;
            let mut rng = setting
                .seed
                .child(1)
                .child(index as u64)
                .stream(Purpose::Ask, 0);
            run(network, &tasks[task], &plans[task], acting, &mut rng)
        })
        .collect();
    Batch {
        tasks,
        runs,
        trajectories: config.trajectories,
    }
}

/// All states with their advantages, and what the rollouts tell.
fn judged(batch: &Batch, setting: &Setting<'_>) -> (Vec<State>, PolicyProgress) {
    let config = setting.config;
    let rewards: Vec<Vec<f64>> = batch
        .runs
        .iter()
        .enumerate()
        .map(|(index, run)| run.rewards(batch.task(index), config.reward))
        .collect();
    let returns: Vec<Vec<f64>> = rewards
        .iter()
        .map(|rewards| discounted(rewards, config.discount))
        .collect();
    let values = |run: &Run| -> Vec<f64> { run.decisions.iter().map(|d| d.value).collect() };
    let (advantages, value_targets, explained): (Vec<Vec<f64>>, Vec<Vec<f64>>, _) =
        match config.advantage {
            Advantage::Group | Advantage::GroupGivenIncumbent => {
                let mut advantages = returns.clone();
                let mut explained = None;
                if config.advantage == Advantage::GroupGivenIncumbent {
                    let standings: Vec<Vec<f64>> = batch
                        .runs
                        .iter()
                        .enumerate()
                        .map(|(index, run)| {
                            let mut worth = run.standing(batch.task(index), config.reward);
                            worth.truncate(run.decisions.len());
                            worth
                        })
                        .collect();
                    explained = explain_by(&mut advantages, &standings, config.trajectories);
                }
                for group in advantages.chunks_mut(config.trajectories) {
                    standardise_groups(group);
                }
                (advantages, returns.clone(), explained)
            }
            Advantage::Gae => {
                let advantages: Vec<Vec<f64>> = batch
                    .runs
                    .iter()
                    .zip(&rewards)
                    .map(|(run, rewards)| gae(rewards, &values(run), config.discount, config.gae))
                    .collect();
                let value_targets = batch
                    .runs
                    .iter()
                    .zip(&advantages)
                    .map(|(run, a)| values(run).iter().zip(a).map(|(v, a)| v + a).collect())
                    .collect();
                let all: Vec<f64> = returns.iter().flatten().copied().collect();
                let left: Vec<f64> = batch
                    .runs
                    .iter()
                    .flat_map(&values)
                    .zip(&all)
                    .map(|(v, r)| r - v)
                    .collect();
                let (_, spread) = moments(all.iter().copied());
                let (_, rest) = moments(left.iter().copied());
                let explained = (spread > 0.0).then(|| 1.0 - (rest / spread).powi(2));
                (advantages, value_targets, explained)
            }
        };
    let mut states = Vec::new();
    for (run, (advantages, value_targets)) in advantages.iter().zip(&value_targets).enumerate() {
        for (decision, (&advantage, &target)) in advantages.iter().zip(value_targets).enumerate() {
            states.push(State {
                run,
                decision,
                advantage,
                target,
            });
        }
    }
    let runs = batch.runs.len() as f64;
    let final_regret = |(index, run): (usize, &Run)| {
        let task = batch.task(index);
        run.best(task).last().map_or(0.0, |&best| task.regret(best))
    };
    let progress = PolicyProgress {
        decisions: states.len() as u64,
        states: 0,
        returns: returns.iter().map(|r| r[0]).sum::<f64>() / runs,
        regret: batch.runs.iter().enumerate().map(final_regret).sum::<f64>() / runs,
        policy_loss: 0.0,
        value_loss: None,
        explained_variance: explained,
        entropy: 0.0,
        clipped: 0.0,
        divergence: 0.0,
        first_ratio_error: 0.0,
        lambda: setting.lambda,
    };
    (states, progress)
}

/// One optimiser step; returns the approximate divergence before it.
fn update(
    network: &mut Network,
    adam: &mut Adam,
    workers: &mut Workers,
    setting: &Setting<'_>,
    batch: &Batch,
    minibatch: &[State],
    seed: Seed,
    sums: &mut Sums,
) -> f64 {
    let config = setting.config;
    let mut minibatch = minibatch.to_vec();
    if config.advantage == Advantage::Gae {
        let (mean, deviation) = moments(minibatch.iter().map(|state| state.advantage));
        for state in &mut minibatch {
            state.advantage = (state.advantage - mean) / (deviation + 1e-8);
        }
    }
    let (on_policy, drawn) = match config.auxiliary.contexts {
        AuxiliaryContexts::Off => (0.0, 0.0),
        AuxiliaryContexts::Iid => (0.0, 1.0),
        AuxiliaryContexts::OnPolicy => (1.0, 0.0),
        AuxiliaryContexts::Mixed => (0.5, 0.5),
    };
    let examples = if drawn > 0.0 {
        drawn_examples(setting, batch, seed.child(0))
    } else {
        Vec::new()
    };
    let states = minibatch.len() as f64;
    let jobs: Vec<Job<'_>> = (0..)
        .zip(&minibatch)
        .map(|(index, &state)| Job::State {
            state,
            seed: seed.child(1).child(index),
        })
        .chain(examples.iter().map(Job::Drawn))
        .collect();
    let on_policy_weight = setting.lambda * on_policy / states;
    let drawn_weight = setting.lambda * drawn / examples.len().max(1) as f64;
    let bar = &network.config().bar;
    let (gradient, losses) = workers.run(network, &jobs, |job, bench| match job {
        Job::State { state, seed } => {
            let auxiliary = (on_policy > 0.0).then_some(on_policy_weight);
            state_gradient(
                network, setting, batch, *state, *seed, states, auxiliary, bench,
            )
        }
        Job::Drawn(example) => {
            let count = example.targets.len() as f64;
            let nll = bench.run(&example.context, Heads::BAR, |output| {
                let mut logits = vec![0.0; output.logits.len()];
                let weight = drawn_weight / count;
                let loss = likelihood(bar, &output.logits, &example.targets, weight, &mut logits);
                let gradient = OutputGradient {
                    logits,
                    ..OutputGradient::default()
                };
                (gradient, loss / count)
            });
            StateLoss {
                nll,
                ..StateLoss::default()
            }
        }
    });
    let (told, drawn_told) = losses.split_at(minibatch.len());
    sums.norm += clip_norm(gradient, setting.clip_norm);
    adam.step(network.parameters_mut(), gradient, setting.learning_rate);
    sums.steps += 1;
    let divergence: f64 = told.iter().map(|s| (s.ratio - 1.0) - s.ratio.ln()).sum();
    let error = told
        .iter()
        .map(|s| (s.ratio - 1.0).abs())
        .fold(0.0, f64::max);
    sums.first_ratio_error.get_or_insert(error);
    sums.divergence += divergence;
    sums.states += told.len() as u64;
    for state in told {
        sums.total.surrogate += state.surrogate;
        sums.total.entropy += state.entropy;
        sums.total.value_error += state.value_error;
        sums.clipped += u64::from(state.clipped);
    }
    if on_policy + drawn > 0.0 {
        let mean =
            |told: &[StateLoss]| told.iter().map(|s| s.nll).sum::<f64>() / told.len().max(1) as f64;
        let nll = on_policy * mean(told) + drawn * mean(drawn_told);
        *sums.nll.get_or_insert(0.0) += nll;
    }
    divergence / states
}

fn drawn_examples(setting: &Setting<'_>, batch: &Batch, seed: Seed) -> Vec<Example> {
    let auxiliary = setting.config.auxiliary;
    (0..auxiliary.drawn as u64)
        .into_par_iter()
        .map(|index| {
            let mut rng = seed.child(index).stream(Purpose::Init, 0);
            let task = rng.random_range(0..batch.tasks.len() as u64) as usize;
            setting.histories.draw(&batch.tasks[task], &mut rng)
        })
        .collect()
}

/// Forward and backward pass of one state; `auxiliary` is the weight of its likelihood, if it counts.
fn state_gradient(
    network: &Network,
    setting: &Setting<'_>,
    batch: &Batch,
    state: State,
    seed: Seed,
    states: f64,
    auxiliary: Option<f64>,
    bench: &mut Bench<'_>,
) -> StateLoss {
    let config = setting.config;
    let (task, run) = (batch.task(state.run), &batch.runs[state.run]);
    let decision = &run.decisions[state.decision];
    let history = run.before(state.decision);
    let choices = decision.choices.len();
    let mut queries = decision.choices.clone();
    if auxiliary.is_some() {
        // Apart from the choices: those are the candidates that the policy thinks best.
        let mut rest = Unvisited::new(task, history).rows().to_vec();
        shuffle(&mut rest, &mut seed.stream(Purpose::Init, 0));
        queries.extend(rest.into_iter().take(config.auxiliary.queries));
    }
    let (context, frame) = context(task, history, &queries, run.budget(), setting.scaling);
    let heads = Heads {
        bar: auxiliary.is_some(),
        acquisition: true,
        value: config.advantage == Advantage::Gae,
    };
    let surrogate = Surrogate {
        clip: config.clip,
        entropy: config.entropy,
        temperature: network.config().acquisition.temperature,
    };
    bench.run(&context, heads, |output| {
        let (mut loss, by_score) = surrogate.loss(
            &output.acquisition[..choices],
            decision.chosen,
            decision.log_probability,
            state.advantage,
        );
        let mut by_score: Vec<f32> = by_score.iter().map(|g| (g / states) as f32).collect();
        by_score.resize(queries.len(), 0.0);
        let mut gradient = OutputGradient {
            acquisition: by_score,
            ..OutputGradient::default()
        };
        if heads.value {
            let off = f64::from(output.value) - state.target;
            loss.value_error = off * off;
            gradient.value = (2.0 * config.value * off / states) as f32;
        }
        if let Some(weight) = auxiliary {
            let bar = &network.config().bar;
            let targets = targets(task, &queries[choices..], &frame);
            let (count, start) = (targets.len() as f64, choices * bar.buckets());
            gradient.logits = vec![0.0; output.logits.len()];
            loss.nll = likelihood(
                bar,
                &output.logits[start..],
                &targets,
                weight / count,
                &mut gradient.logits[start..],
            ) / count;
        }
        (gradient, loss)
    })
}
