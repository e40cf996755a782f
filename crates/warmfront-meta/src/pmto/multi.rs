//! A box of tasks with several objectives: every task has a front of its own.
//!
//! [`MultiPmto`] chooses solution and task of every evaluation, and a [`FrontModel`] then maps any
//! task *and preference* to a solution without a further evaluation: the front of a task is the
//! image of all preferences.
//!
//! | module | holds |
//! |---|---|
//! | `config` | [`MultiPmtoConfig`] |
//! | `preference` | preferences, and the scalar cost each stands for |
//! | `models` | a process over solutions and tasks for each objective |
//! | `corrected`, `slice` | one objective of one task, all objectives of one task |
//! | `outlook` | where the models expect the front of a task |
//! | `plan`, `acquire` | what a round evaluates, and where |
//! | `front_model`, `saved_front` | the map from task and preference to solutions, and its bytes |
//!
//! # The method
//! Each objective has a process over `(x, θ)` on standardised costs with a lengthscale for each
//! coordinate. The *frame* of a task reaches from the ideal to the nadir point of the front that
//! the processes' means predict for it; a preference `λ` of the simplex stands for the augmented
//! Chebyshev cost in this frame, smoothed, so that every point of a front, convex or not, is
//! optimal for the preference it implies (`λ_k ∝ 1/z_k` for costs `z` in the frame).
//!
//! A round evaluates
//!
//! - new pairs `(θ, λ)`, each at the solution whose lower confidence bounds have the least scalar
//!   cost: pairs that most lower the integrated variance of a map from `(θ, λ)` to solutions, which
//!   is fitted to the non-dominated evaluations of all tasks at the preferences they imply, with
//!   noise that grows with their predicted regret: task evolution over task and preference;
//! - tasks of the pool whose hypervolume the predicted front exceeds most, each where the expected
//!   improvement of its *own* hypervolume under the models of *all* tasks is largest.
//!
//! The final map is a [`TaskModel`](super::TaskModel) over `(θ, λ)`, fitted to minimisers of the
//! scalar means at Sobol pairs; [`FrontModel::refined_front`] descends the means once more for the
//! task at hand.
//!
//! # References
//! The open question of arXiv 2503.08394, sampling one task after another, joined with the
//! preference-conditioned inverse model of arXiv 2511.09598, which has fixed tasks; details are ours.

mod acquire;
mod config;
mod corrected;
mod front_model;
mod models;
mod outlook;
mod plan;
mod preference;
mod saved_front;
mod slice;

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use warmfront_core::{Candidate, Observation, SearchSpace, Strategy, StrategyError, UnitPoint};

pub use config::{MultiPmtoConfig, MultiTasks};
pub use front_model::FrontModel;

use super::archive::Archive;
use super::config::InitialDesign;
use super::plan::check_pending;
use super::search::space_filling;
use super::strategy::uniform_task;
use super::task_model::TaskModel;
use crate::MetaError;
use models::Models;
use preference::Scalarization;

/// One evaluation of the round.
#[derive(Debug, Clone)]
struct Slot {
    task: UnitPoint,
    aim: Aim,
    /// Solutions worth starting from.
    known: Vec<Vec<f64>>,
}

/// Which solution of its task a slot asks for.
#[derive(Debug, Clone)]
enum Aim {
    /// This one.
    Point(UnitPoint),
    /// Any.
    Anything,
    /// The one whose confidence bounds have the least scalar cost.
    Preferred(Scalarization),
    /// The one that improves the hypervolume below this reference point most.
    Hypervolume(Vec<f64>),
}

impl Slot {
    fn anything(task: UnitPoint) -> Self {
        Self {
            task,
            aim: Aim::Anything,
            known: Vec::new(),
        }
    }

    fn matches(&self, candidate: &Candidate) -> bool {
        candidate.task.as_ref() == Some(&self.task)
            && match &self.aim {
                Aim::Point(point) => *point == candidate.point,
                _ => true,
            }
    }
}

/// Multi-objective parametric multi-task optimisation as a strategy: its candidates carry their tasks.
///
/// Models are fitted and a round planned in [`tell`](Strategy::tell), when the last evaluation of
/// the round before has come; [`ask`](Strategy::ask) finds the solutions. Evaluations of other
/// tasks may be told as well. A failed evaluation counts as the worst value of every objective; of
/// one that lacks some objectives the others are learnt from. Built by [`MultiPmtoConfig::build`].
#[derive(Debug)]
pub struct MultiPmto {
    config: MultiPmtoConfig,
    space: SearchSpace,
    archive: Archive,
    queue: VecDeque<Slot>,
    models: Models,
    /// The map of the last round, from evaluations.
    map: Option<TaskModel>,
    last_error: Option<MetaError>,
}

impl MultiPmto {
    fn new(
        config: MultiPmtoConfig,
        space: &SearchSpace,
        task_dim: usize,
        objectives: usize,
        rng: &mut dyn Rng,
    ) -> Self {
        let mut archive = Archive::of_objectives(space.dim(), task_dim, objectives);
        let queue = initial_queue(&config.tasks, space, task_dim, rng);
        for slot in &queue {
            archive.task(&slot.task);
        }
        Self {
            config,
            space: space.clone(),
            archive,
            queue,
            models: Models::default(),
            map: None,
            last_error: None,
        }
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &MultiPmtoConfig {
        &self.config
    }

    /// The pool: every task with the non-dominated of its complete evaluations, points and costs.
    pub fn fronts(&self) -> impl Iterator<Item = (&UnitPoint, Vec<(&UnitPoint, Vec<f64>)>)> {
        self.archive.tasks().iter().enumerate().map(|(t, task)| {
            let rows = self.archive.front(t);
            let front = rows
                .into_iter()
                .map(|(row, costs)| (&self.archive.rows()[row].point, costs))
                .collect();
            (&task.at, front)
        })
    }

    /// Number of evaluations told.
    pub fn evaluations(&self) -> usize {
        self.archive.len()
    }

    /// Why the last models could not be fitted, if they could not; proposals are then uniform.
    pub fn last_error(&self) -> Option<&MetaError> {
        self.last_error.as_ref()
    }

    fn start_round(&mut self, rng: &mut dyn Rng) {
        match self.plan_round(rng) {
            Ok(()) => self.last_error = None,
            // An expensive loop must not end because one fit did: explore until the next one.
            Err(error) => {
                tracing::warn!(method = self.config.name, %error, "fit failed, exploring instead");
                self.models = Models::default();
                self.last_error = Some(error);
            }
        }
        if self.queue.is_empty() {
            let tasks = self.archive.tasks();
            let count = self.config.round;
            self.queue = match (&self.config.tasks, self.models.is_empty()) {
                // Nothing to learn from yet: as many evaluations again, wherever the design would go.
                (MultiTasks::Evolved { .. }, true) => initial_queue(
                    &self.config.tasks,
                    &self.space,
                    self.archive.task_dim(),
                    rng,
                ),
                _ => tasks
                    .iter()
                    .rev()
                    .take(count)
                    .map(|task| Slot::anything(task.at.clone()))
                    .collect(),
            };
        }
    }

    /// A task for an evaluation beyond the queue.
    fn spare_task(&self, rng: &mut dyn Rng) -> UnitPoint {
        let tasks = self.archive.tasks();
        if tasks.is_empty() {
            return uniform_task(self.archive.task_dim(), rng);
        }
        let index = rng.random_range(0..tasks.len() as u64) as usize;
        tasks[index].at.clone()
    }
}

impl Strategy for MultiPmto {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.archive.extend(&self.space, batch)?;
        for observation in batch {
            let candidate = &observation.candidate;
            let told = self.queue.iter().position(|slot| slot.matches(candidate));
            if let Some(position) = told {
                self.queue.remove(position);
            }
        }
        if !batch.is_empty() && self.queue.is_empty() {
            self.start_round(rng);
        }
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        check_pending(&self.archive, &self.space, pending)?;
        let mut waiting: Vec<&Candidate> = pending.iter().collect();
        let mut busy = pending.to_vec();
        let mut picks = Vec::with_capacity(q.get());
        for slot in &self.queue {
            if picks.len() == q.get() {
                break;
            }
            if let Some(position) = waiting.iter().position(|candidate| slot.matches(candidate)) {
                waiting.swap_remove(position);
                continue;
            }
            let pick = self.propose(slot, &busy, rng)?;
            busy.push(pick.clone());
            picks.push(pick);
        }
        while picks.len() < q.get() {
            let pick = self.propose(&Slot::anything(self.spare_task(rng)), &busy, rng)?;
            busy.push(pick.clone());
            picks.push(pick);
        }
        Ok(picks)
    }
}

fn initial_queue(
    tasks: &MultiTasks,
    space: &SearchSpace,
    task_dim: usize,
    rng: &mut dyn Rng,
) -> VecDeque<Slot> {
    let (tasks, samples) = match tasks {
        MultiTasks::Given { tasks, samples } => (tasks.clone(), *samples),
        MultiTasks::Evolved {
            initial: InitialDesign::Joint { samples },
            ..
        } => {
            return space_filling(*samples, space.dim() + task_dim, rng)
                .into_iter()
                .map(|z| {
                    let (x, theta) = z.split_at(space.dim());
                    fixed(space, UnitPoint::clamped(theta), x)
                })
                .collect();
        }
        MultiTasks::Evolved { initial, .. } => initial.tasks(task_dim, rng).unwrap_or_default(),
    };
    // One sequence for all tasks: together they fill the space, whatever the tasks have in common.
    let points = space_filling(tasks.len() * samples, space.dim(), rng);
    let count = tasks.len();
    points
        .iter()
        .enumerate()
        .map(|(i, x)| fixed(space, tasks[i % count].clone(), x))
        .collect()
}

fn fixed(space: &SearchSpace, task: UnitPoint, x: &[f64]) -> Slot {
    Slot {
        task,
        aim: Aim::Point(space.canonical(&UnitPoint::clamped(x))),
        known: Vec::new(),
    }
}
