//! The strategy: a queue of tasks to evaluate, refilled whenever all of it has been told.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use rand::{Rng, RngExt};
use warmfront_core::{Candidate, Observation, SearchSpace, Strategy, StrategyError, UnitPoint};

use warmfront_gp::Hyperparameters;

use super::archive::Archive;
use super::config::{InitialDesign, PmtoConfig};
use super::forward::Forward;
use super::plan::check_pending;
use super::search::{Bound, minimize_bound, space_filling};
use super::task_model::TaskModel;
use crate::MetaError;

/// One evaluation of the round: of a task, perhaps at a point that is fixed already.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) task: UnitPoint,
    pub(super) point: Option<UnitPoint>,
    /// Solutions worth starting from.
    pub(super) known: Vec<Vec<f64>>,
}

/// Parametric multi-task optimisation as a strategy: its candidates carry their tasks.
///
/// Everything is learnt and planned in [`tell`](Strategy::tell), when the last evaluation of a
/// round has come; [`ask`](Strategy::ask) takes the next tasks of the round and finds a solution of
/// each to evaluate. Evaluations of other tasks may be told as well: those tasks join the pool.
/// A failed evaluation counts as the worst cost seen so far. Built by
/// [`PmtoConfig::build`](super::PmtoConfig::build).
#[derive(Debug)]
pub struct Pmto {
    pub(super) config: PmtoConfig,
    pub(super) space: SearchSpace,
    pub(super) archive: Archive,
    pub(super) queue: VecDeque<Slot>,
    pub(super) forward: Forward,
    /// The task model of the last round, if the method keeps one.
    pub(super) inverse: Option<TaskModel>,
    /// Tasks that task evolution added, in order.
    pub(super) added: Vec<UnitPoint>,
    last_error: Option<MetaError>,
    /// The forward model of all that was told, for task models.
    pub(super) fitted: OnceLock<Forward>,
}

impl Pmto {
    pub(super) fn new(
        config: PmtoConfig,
        space: &SearchSpace,
        task_dim: usize,
        rng: &mut dyn Rng,
    ) -> Self {
        let mut archive = Archive::new(space.dim(), task_dim);
        let queue = initial_queue(&config.initial, space, task_dim, rng);
        for slot in &queue {
            archive.task(&slot.task);
        }
        Self {
            space: space.clone(),
            archive,
            queue,
            forward: Forward::Nothing,
            inverse: None,
            added: Vec::new(),
            last_error: None,
            fitted: OnceLock::new(),
            config,
        }
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &PmtoConfig {
        &self.config
    }

    /// The pool: every task of the design, evaluated or added, with its best solution and cost so far.
    pub fn tasks(&self) -> impl Iterator<Item = (&UnitPoint, Option<(&UnitPoint, f64)>)> {
        self.archive.tasks().iter().enumerate().map(|(t, task)| {
            let best = task
                .best
                .and_then(|(_, cost)| Some((self.archive.best_point(t)?, cost)));
            (&task.at, best)
        })
    }

    /// The tasks that task evolution (or its random counterpart) added to the pool, in order.
    pub fn added_tasks(&self) -> &[UnitPoint] {
        &self.added
    }

    /// Number of evaluations told.
    pub fn evaluations(&self) -> usize {
        self.archive.len()
    }

    /// Hyperparameters of the last unified forward model: solutions' lengthscales first, then tasks'.
    pub fn forward_hyperparameters(&self) -> Option<Hyperparameters> {
        self.forward
            .unified()
            .map(|unified| unified.gp.hyperparameters())
    }

    /// Why the last model could not be fitted, if it could not; proposals are then uniform.
    pub fn last_error(&self) -> Option<&MetaError> {
        self.last_error.as_ref()
    }

    fn start_round(&mut self, rng: &mut dyn Rng) {
        if !self.archive.has_costs() {
            // Nothing succeeded yet: as many evaluations again, wherever the design would go.
            self.queue = initial_queue(
                &self.config.initial,
                &self.space,
                self.archive.task_dim(),
                rng,
            );
            return;
        }
        match self.plan_round(rng) {
            Ok(()) => self.last_error = None,
            // An expensive loop must not end because one fit did: explore until the next one.
            Err(error) => {
                tracing::warn!(method = self.config.name, %error, "fit failed, exploring instead");
                self.forward = Forward::Nothing;
                self.last_error = Some(error);
                self.sweep();
            }
        }
        if self.queue.is_empty() {
            self.sweep();
        }
    }

    /// Every task of the pool once, newest first.
    pub(super) fn sweep(&mut self) {
        let slots = self.archive.tasks().iter().rev().map(|task| Slot {
            task: task.at.clone(),
            point: None,
            known: Vec::new(),
        });
        self.queue = slots.collect();
    }

    /// A solution of the slot's task, in view of its evaluations that are under way.
    fn propose(
        &self,
        slot: &Slot,
        pending: &[Candidate],
        picks: &[Candidate],
        rng: &mut dyn Rng,
    ) -> UnitPoint {
        if let Some(point) = &slot.point {
            return point.clone();
        }
        let index = self.archive.find(&slot.task);
        let busy: Vec<&UnitPoint> = pending
            .iter()
            .chain(picks)
            .filter(|candidate| candidate.task.as_ref() == Some(&slot.task))
            .map(|candidate| &candidate.point)
            .collect();
        let believed;
        let view = if busy.is_empty() {
            self.forward.view(index, slot.task.coords())
        } else {
            believed = self.forward.believing(index, slot.task.coords(), &busy);
            believed
                .as_ref()
                .and_then(|forward| forward.view(index, slot.task.coords()))
        };
        let Some(view) = view else {
            return self.space.sample(rng);
        };
        let mut known = slot.known.clone();
        if let Some(best) = index.and_then(|t| self.archive.best_point(t)) {
            known.push(best.coords().to_vec());
        }
        let x = minimize_bound(
            view.as_ref(),
            self.bound(),
            &self.config.search,
            &known,
            rng,
        );
        let point = self.space.canonical(&UnitPoint::clamped(x));
        // In a corner the bound may stay least whatever is believed.
        if busy.contains(&&point) {
            return self.space.sample(rng);
        }
        point
    }

    pub(super) fn bound(&self) -> Bound {
        Bound {
            beta: self.config.beta,
            with_noise: self.config.bound_with_noise,
        }
    }

    /// A task for an evaluation beyond the queue.
    fn spare_task(&self, rng: &mut dyn Rng) -> UnitPoint {
        let tasks = self.archive.tasks();
        if !tasks.is_empty() {
            let index = rng.random_range(0..tasks.len() as u64) as usize;
            return tasks[index].at.clone();
        }
        uniform_task(self.archive.task_dim(), rng)
    }
}

impl Strategy for Pmto {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.archive.extend(&self.space, batch)?;
        self.fitted = OnceLock::new();
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
        let mut picks = Vec::with_capacity(q.get());
        for slot in &self.queue {
            if picks.len() == q.get() {
                break;
            }
            if let Some(position) = waiting.iter().position(|candidate| slot.matches(candidate)) {
                waiting.swap_remove(position);
                continue;
            }
            let point = self.propose(slot, pending, &picks, rng);
            picks.push(Candidate::at(point).with_task(slot.task.clone()));
        }
        while picks.len() < q.get() {
            let slot = Slot {
                task: self.spare_task(rng),
                point: None,
                known: Vec::new(),
            };
            let point = self.propose(&slot, pending, &picks, rng);
            picks.push(Candidate::at(point).with_task(slot.task));
        }
        Ok(picks)
    }
}

impl Slot {
    fn matches(&self, candidate: &Candidate) -> bool {
        candidate.task.as_ref() == Some(&self.task)
            && self
                .point
                .as_ref()
                .is_none_or(|point| *point == candidate.point)
    }
}

pub(super) fn uniform_task(task_dim: usize, rng: &mut dyn Rng) -> UnitPoint {
    let coords: Vec<f64> = (0..task_dim).map(|_| rng.random()).collect();
    UnitPoint::clamped(coords)
}

/// `count` tasks of a Latin hypercube, shuffled; one for a box of one point.
pub(super) fn latin_hypercube(count: usize, task_dim: usize, rng: &mut dyn Rng) -> Vec<UnitPoint> {
    if task_dim == 0 {
        return vec![UnitPoint::clamped([])];
    }
    let mut columns = Vec::with_capacity(task_dim);
    for _ in 0..task_dim {
        let mut cells: Vec<usize> = (0..count).collect();
        for i in (1..count).rev() {
            cells.swap(i, rng.random_range(0..=i as u64) as usize);
        }
        let column: Vec<f64> = cells
            .into_iter()
            .map(|cell| (cell as f64 + rng.random::<f64>()) / count as f64)
            .collect();
        columns.push(column);
    }
    (0..count)
        .map(|i| UnitPoint::clamped(columns.iter().map(|c| c[i]).collect::<Vec<_>>()))
        .collect()
}

pub(super) fn initial_queue(
    design: &InitialDesign,
    space: &SearchSpace,
    task_dim: usize,
    rng: &mut dyn Rng,
) -> VecDeque<Slot> {
    let fixed = |task: UnitPoint, point: UnitPoint| Slot {
        task,
        point: Some(point),
        known: Vec::new(),
    };
    if let InitialDesign::Joint { samples } = *design {
        return space_filling(samples, space.dim() + task_dim, rng)
            .into_iter()
            .map(|z| {
                let (x, theta) = z.split_at(space.dim());
                let point = space.canonical(&UnitPoint::clamped(x));
                fixed(UnitPoint::clamped(theta), point)
            })
            .collect();
    }
    let (tasks, each) = design.tasks(task_dim, rng).unwrap_or_default();
    let mut queue = VecDeque::with_capacity(tasks.len() * each);
    for task in tasks {
        for _ in 0..each {
            queue.push_back(fixed(task.clone(), space.sample(rng)));
        }
    }
    queue
}
