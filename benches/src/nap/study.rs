//! Everything that is computed once from the finished runs and shown in several places.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::methods::knows_range;
use crate::cell::{Cell, CellResult};
use crate::claims::LEVEL;
use crate::profile::{Entry, Plan, Section};
use crate::stats;

/// Evaluations at which methods are compared in tables.
pub const POINTS: [u32; 4] = [10, 25, 50, 100];

/// The runs of one method: by task and seed, regret after each evaluation.
pub type Runs<'a> = BTreeMap<(u32, u32), &'a CellResult>;

/// One family with one list of methods.
pub struct Group<'a> {
    /// What was to be run.
    pub entry: Entry,
    /// Methods with their finished runs, in the order of the profile; those without any are left out.
    pub methods: Vec<(String, Runs<'a>)>,
    /// Tasks and seeds that all of these methods have finished.
    pub common: Vec<(u32, u32)>,
}

/// All groups.
pub struct Study<'a> {
    /// In the order of the profile.
    pub groups: Vec<Group<'a>>,
}

/// Normalised regret after each evaluation.
#[must_use]
pub fn regrets(result: &CellResult) -> Vec<f64> {
    let steps = result.steps.iter();
    steps.map(|s| (1.0 - s.hypervolume).max(0.0)).collect()
}

impl<'a> Study<'a> {
    /// Sorts the finished runs.
    #[must_use]
    pub fn new(plan: &Plan, finished: &'a BTreeMap<Cell, CellResult>) -> Self {
        let groups = plan.entries.iter().map(|e| Group::new(e, finished));
        Self {
            groups: groups.filter(|g| !g.common.is_empty()).collect(),
        }
    }

    /// The groups of one section.
    pub fn section(&self, section: Section) -> impl Iterator<Item = &Group<'a>> {
        self.groups
            .iter()
            .filter(move |g| g.entry.section == section)
    }
}

impl<'a> Group<'a> {
    fn new(entry: &Entry, finished: &'a BTreeMap<Cell, CellResult>) -> Self {
        let mut methods: Vec<(String, Runs<'a>)> = entry
            .methods
            .iter()
            .map(|m| (m.clone(), Runs::new()))
            .collect();
        for (cell, result) in finished {
            let fits = cell.problem == entry.problem
                && cell.evaluations == entry.evaluations
                && cell.seed < entry.seeds
                && entry.tasks_of(cell.seed).contains(&cell.task);
            if !fits {
                continue;
            }
            if let Some((_, runs)) = methods.iter_mut().find(|(m, _)| *m == cell.method) {
                runs.insert((cell.task, cell.seed), result);
            }
        }
        methods.retain(|(_, runs)| !runs.is_empty());
        let common = methods.first().map_or_else(Vec::new, |(_, runs)| {
            let everywhere = |key: &&(u32, u32)| methods.iter().all(|(_, r)| r.contains_key(*key));
            runs.keys().filter(everywhere).copied().collect()
        });
        Self {
            entry: entry.clone(),
            methods,
            common,
        }
    }

    /// The runs of a method.
    #[must_use]
    pub fn runs(&self, method: &str) -> Option<&Runs<'a>> {
        let found = self.methods.iter().find(|(m, _)| m == method);
        found.map(|(_, runs)| runs)
    }

    /// The comparison points within the budget; its end if there is none.
    #[must_use]
    pub fn points(&self) -> Vec<u32> {
        let budget = self.entry.evaluations;
        let mut points: Vec<u32> = POINTS.into_iter().filter(|p| *p <= budget).collect();
        if points.last() != Some(&budget) && points.len() < POINTS.len() {
            points.push(budget);
        }
        points
    }

    /// Regrets of a method at one evaluation, over the common tasks and seeds.
    #[must_use]
    pub fn at(&self, method: &str, evaluation: u32) -> Vec<f64> {
        let Some(runs) = self.runs(method) else {
            return Vec::new();
        };
        let index = evaluation.max(1) as usize - 1;
        let one = |key: &(u32, u32)| regrets(runs[key])[index];
        self.common.iter().map(one).collect()
    }

    /// Number of common tasks.
    #[must_use]
    pub fn tasks(&self) -> usize {
        let tasks: std::collections::BTreeSet<u32> = self.common.iter().map(|c| c.0).collect();
        tasks.len()
    }

    /// Means over the seeds of each common task.
    #[must_use]
    pub fn task_means(&self, method: &str, evaluation: u32) -> Vec<f64> {
        by_task(self.common.iter().copied().zip(self.at(method, evaluation)))
    }

    /// For each evaluation the mean regret of a method and its standard error, over tasks.
    #[must_use]
    pub fn curve(&self, method: &str) -> Vec<(f64, f64)> {
        let Some(runs) = self.runs(method) else {
            return Vec::new();
        };
        let all: Vec<Vec<f64>> = self.common.iter().map(|key| regrets(runs[key])).collect();
        self.moments(&all)
    }

    /// For each evaluation the mean rank of each method and its standard error, over tasks.
    ///
    /// Methods that know more of a task than the others have none.
    #[must_use]
    pub fn ranks(&self) -> Vec<(String, Vec<(f64, f64)>)> {
        let budget = self.entry.evaluations as usize;
        let fair: Vec<&(String, Runs<'a>)> = self
            .methods
            .iter()
            .filter(|(method, _)| !knows_range(method))
            .collect();
        let mut ranks = vec![vec![vec![0.0; budget]; self.common.len()]; fair.len()];
        for (place, key) in self.common.iter().enumerate() {
            let curves: Vec<Vec<f64>> = fair.iter().map(|(_, runs)| regrets(runs[key])).collect();
            for t in 0..budget {
                let values: Vec<f64> = curves.iter().map(|c| c[t]).collect();
                for (method, rank) in stats::average_ranks(&[values]).into_iter().enumerate() {
                    ranks[method][place][t] = rank;
                }
            }
        }
        fair.iter()
            .zip(ranks)
            .map(|((method, _), all)| (method.clone(), self.moments(&all)))
            .collect()
    }

    fn moments(&self, curves: &[Vec<f64>]) -> Vec<(f64, f64)> {
        (0..self.entry.evaluations as usize)
            .map(|t| over_tasks(self.common.iter().copied().zip(curves.iter().map(|c| c[t]))))
            .collect()
    }
}

/// Means over the seeds of each task; what is not finite is left out.
fn by_task(values: impl Iterator<Item = ((u32, u32), f64)>) -> Vec<f64> {
    let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for ((task, _), value) in values.filter(|(_, value)| value.is_finite()) {
        let entry = sums.entry(task).or_default();
        entry.0 += value;
        entry.1 += 1.0;
    }
    sums.values().map(|(sum, count)| sum / count).collect()
}

/// Mean and standard error of the tasks' means over seeds: seeds of one task are not independent.
#[must_use]
pub fn over_tasks(values: impl Iterator<Item = ((u32, u32), f64)>) -> (f64, f64) {
    stats::mean_and_error(&by_task(values))
}

/// One method against the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Duel {
    /// The rival.
    pub method: String,
    /// After how many evaluations.
    pub at: u32,
    /// Mean regret of the reference minus that of the rival.
    pub difference: f64,
    /// Paired by task and seed, with Holm's correction.
    pub pairs: (stats::Paired, f64),
    /// Means over the seeds, paired by task, with Holm's correction.
    pub tasks: (stats::Paired, f64),
}

impl Duel {
    /// Whether the reference is better or worse: both tests must say so, over pairs, which count seeds
    /// of one task as independent, and over tasks.
    #[must_use]
    pub fn decided(&self) -> Option<Ordering> {
        let ((pairs, p_pairs), (tasks, p_tasks)) = (self.pairs, self.tasks);
        let significant = p_pairs < LEVEL && p_tasks < LEVEL;
        let mean = self.difference.partial_cmp(&0.0)?;
        let agree = pairs.direction == tasks.direction && pairs.direction == mean;
        (significant && agree && mean != Ordering::Equal).then_some(mean)
    }
}

/// The reference against every other method of a group that knows no more than it does, corrected over
/// methods and points together.
#[must_use]
pub fn duels(group: &Group<'_>, reference: &str) -> Vec<Duel> {
    let mut duels = Vec::new();
    if group.runs(reference).is_none() {
        return duels;
    }
    let mut tests = Vec::new();
    for at in group.points() {
        let rivals = group.methods.iter().map(|(m, _)| m);
        let (own, own_tasks) = (group.at(reference, at), group.task_means(reference, at));
        for rival in rivals.filter(|m| *m != reference && !knows_range(m)) {
            let (other, other_tasks) = (group.at(rival, at), group.task_means(rival, at));
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let tasks = stats::paired(&own_tasks, &other_tasks);
            tests.push(tasks.p);
            duels.push(Duel {
                method: rival.clone(),
                at,
                difference: mean(&own_tasks) - mean(&other_tasks),
                pairs: (stats::paired(&own, &other), 1.0),
                tasks: (tasks, 1.0),
            });
        }
    }
    let pairs: Vec<f64> = duels.iter().map(|d| d.pairs.0.p).collect();
    let corrected = stats::holm(&pairs).into_iter().zip(stats::holm(&tests));
    for (duel, (p_pairs, p_tasks)) in duels.iter_mut().zip(corrected) {
        duel.pairs.1 = p_pairs;
        duel.tasks.1 = p_tasks;
    }
    duels
}
