//! What a round evaluates.

use rand::{Rng, RngExt};
use warmfront_core::UnitPoint;
use warmfront_linalg::Mat;
use warmfront_pareto::{Points, hypervolume};

use super::models::Models;
use super::outlook::Outlook;
use super::preference::{Scalarization, augmented, evenly, uniform};
use super::{Aim, MultiPmto, MultiTasks, Slot};
use crate::MetaError;
use crate::pmto::allocation::NewTasks;
use crate::pmto::archive::Archive;
use crate::pmto::search::space_filling;
use crate::pmto::task_model::{InverseData, TaskModel};

/// Sobol points of the screening of a task.
const SCREENED: usize = 48;
/// Evaluations of other tasks that the screening looks at too, the nearest first.
const NEIGHBOURS: usize = 24;
/// Preferences of a predicted front.
const PREFERENCES: usize = 6;
/// Evaluations of the descent for each.
const DESCENT: usize = 12;
/// Tasks of the pool whose fronts are predicted in a round, the most promising by their age.
const MOST_TASKS: usize = 48;
/// Rows of the map of a round, at most.
const MOST_ROWS: usize = 120;
/// Share of the rows that the map keeps, those with the least regret.
const KEPT_SHARE: f64 = 0.7;
/// The reference point lies this far beyond the predicted nadir, in units of the range.
const MARGIN: f64 = 0.1;

/// What the models say of one task of the pool.
struct State {
    task: usize,
    outlook: Outlook,
    /// Predicted front: solutions and mean costs.
    front: Vec<(Vec<f64>, Vec<f64>)>,
    /// Predicted gain of hypervolume, in units of the frame.
    gap: f64,
    reference: Vec<f64>,
}

impl MultiPmto {
    /// Fits the models and fills the queue, unless there is nothing to learn from.
    pub(super) fn plan_round(&mut self, rng: &mut dyn Rng) -> Result<(), MetaError> {
        self.models
            .update(&self.archive, &self.config.fit, false, rng)?;
        if self.models.is_empty() {
            return Ok(());
        }
        let pool = pool(&self.archive);
        self.models.correct(&self.archive, &pool, rng)?;
        let screening = space_filling(SCREENED, self.archive.dim(), rng);
        let mut states: Vec<State> = pool
            .into_iter()
            .map(|task| self.state(task, &screening))
            .collect();
        let round = self.config.round;
        let mut slots = Vec::with_capacity(round);
        let mut map = None;
        if let MultiTasks::Evolved {
            new, grid, epsilon, ..
        } = self.config.tasks
        {
            let data = evaluated_rows(&self.archive, &self.models, &states);
            // Evaluations that lack objectives say something about costs, but lie on no front.
            if data.tasks.nrows() == 0 {
                return Err(MetaError::NoSolvedTask);
            }
            let fitted =
                TaskModel::fit(data, false, &self.config.inverse, self.map.as_ref(), None)?;
            let count = if self.archive.task_dim() == 0 && self.archive.objectives() < 2 {
                0
            } else {
                (new * round as f64).round() as usize
            };
            let pairs = new_pairs(
                &fitted,
                &self.archive,
                &states,
                &self.models,
                (grid, epsilon),
                count,
                rng,
            );
            for (task, preference) in pairs {
                slots.push(preferred(
                    &self.models,
                    &self.archive,
                    &screening,
                    Some(&fitted),
                    &task,
                    &preference,
                ));
            }
            map = Some(fitted);
        }
        states.sort_by(|a, b| b.gap.total_cmp(&a.gap));
        for state in states.into_iter().take(round - slots.len().min(round)) {
            slots.push(Slot {
                task: self.archive.tasks()[state.task].at.clone(),
                aim: Aim::Hypervolume(state.reference),
                known: state.front.into_iter().map(|(x, _)| x).collect(),
            });
        }
        if map.is_some() {
            self.map = map;
        }
        for slot in &slots {
            self.archive.task(&slot.task);
        }
        self.queue = slots.into();
        Ok(())
    }

    fn state(&self, task: usize, screening: &[Vec<f64>]) -> State {
        let at = &self.archive.tasks()[task].at;
        let slice = self.models.slice(Some(task), at.coords());
        let mut outlook = Outlook::new(&slice, candidates(&self.archive, at.coords(), screening));
        let preferences = evenly(PREFERENCES, slice.len());
        let front = outlook.front(&slice, &preferences, DESCENT);
        let reference = self.config.reference_point.clone().unwrap_or_else(|| {
            let frame = &outlook.frame;
            let beyond = frame.ideal.iter().zip(&frame.range);
            beyond.map(|(i, r)| i + (1.0 + MARGIN) * r).collect()
        });
        let solutions: Vec<Vec<f64>> = front.iter().map(|(x, _)| x.clone()).collect();
        let bounds = slice.bounds(&solutions, 1.0);
        let observed = self.archive.complete(task);
        let own: Vec<Vec<f64>> = observed.into_iter().map(|(_, costs)| costs).collect();
        let all: Vec<Vec<f64>> = own.iter().chain(&bounds).cloned().collect();
        let volume = |points: &[Vec<f64>]| relative_volume(points, &outlook, &reference);
        State {
            task,
            gap: volume(&all) - volume(&own),
            outlook,
            front,
            reference,
        }
    }
}

/// Hypervolume in the frame of an outlook, of the box from its ideal point to the reference.
fn relative_volume(points: &[Vec<f64>], outlook: &Outlook, reference: &[f64]) -> f64 {
    let at = outlook.frame.relative(reference);
    let flat: Vec<f64> = points
        .iter()
        .flat_map(|costs| outlook.frame.relative(costs))
        .collect();
    Points::new(&flat, at.len()).map_or(0.0, |points| hypervolume(points, &at))
}

/// Tasks with a complete evaluation; of many, some evenly over the order of their first one.
fn pool(archive: &Archive) -> Vec<usize> {
    let all: Vec<usize> = (0..archive.tasks().len())
        .filter(|&t| !archive.complete(t).is_empty())
        .collect();
    let n = all.len();
    if n <= MOST_TASKS {
        return all;
    }
    (0..MOST_TASKS).map(|i| all[i * n / MOST_TASKS]).collect()
}

/// Solutions to screen for a task: `screening` and those evaluated for the nearest tasks.
pub(super) fn candidates(archive: &Archive, task: &[f64], screening: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut order: Vec<(f64, usize)> = archive
        .tasks()
        .iter()
        .enumerate()
        .map(|(t, other)| (distance(other.at.coords(), task), t))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut points = screening.to_vec();
    for (_, t) in order {
        if points.len() >= screening.len() + NEIGHBOURS {
            break;
        }
        let front = archive.front(t);
        points.extend(
            front
                .iter()
                .map(|(row, _)| archive.rows()[*row].point.coords().to_vec()),
        );
    }
    points
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// Rows of the map from evaluations: the non-dominated ones of each task at the preferences they
/// imply, with their predicted regret as slack.
fn evaluated_rows(archive: &Archive, models: &Models, states: &[State]) -> InverseData {
    struct Entry {
        input: Vec<f64>,
        x: Vec<f64>,
        slack: f64,
    }
    let mut entries: Vec<Entry> = Vec::new();
    for state in states {
        let task = archive.tasks()[state.task].at.coords();
        let slice = models.slice(Some(state.task), task);
        for (row, costs) in archive.front(state.task) {
            let preference = state.outlook.frame.implied(&costs);
            let scalar = Scalarization::new(&preference, &state.outlook.frame);
            let x = archive.rows()[row].point.coords();
            let (_, least) = state.outlook.solve(&slice, &preference, None, DESCENT);
            entries.push(Entry {
                input: augmented(task, &preference),
                x: x.to_vec(),
                slack: (scalar.value(&costs) - scalar.value(&least)).max(0.0),
            });
        }
    }
    entries.sort_by(|a, b| a.slack.total_cmp(&b.slack));
    let kept = ((KEPT_SHARE * entries.len() as f64) as usize).clamp(1, MOST_ROWS);
    entries.truncate(kept);
    let largest = entries.last().map_or(0.0, |e| e.slack);
    let inputs = archive.task_dim() + archive.objectives() - 1;
    InverseData {
        tasks: Mat::from_fn(entries.len(), inputs, |i, k| entries[i].input[k]),
        solutions: (0..archive.dim())
            .map(|k| entries.iter().map(|e| e.x[k]).collect())
            .collect(),
        slack: entries
            .iter()
            .map(|e| {
                if largest > 0.0 {
                    e.slack / largest
                } else {
                    0.0
                }
            })
            .collect(),
    }
}

/// Uniform pairs of task and preference out of a Sobol sequence; some lie on the edge of the simplex.
pub(super) fn sobol_pairs(
    count: usize,
    task_dim: usize,
    objectives: usize,
    rng: &mut dyn Rng,
) -> Vec<(Vec<f64>, Vec<f64>)> {
    let dim = task_dim + objectives - 1;
    if dim == 0 {
        return vec![(Vec::new(), vec![1.0])];
    }
    space_filling(count, dim, rng)
        .into_iter()
        .map(|z| {
            let (task, rest) = z.split_at(task_dim);
            let stretched: Vec<f64> = rest.iter().map(|u| 1.1 * u - 0.05).collect();
            (task.to_vec(), uniform(&stretched))
        })
        .collect()
}

/// The pairs that lower the integrated variance of the map most, mixed with the next of the grid.
fn new_pairs(
    map: &TaskModel,
    archive: &Archive,
    states: &[State],
    models: &Models,
    (grid, epsilon): (usize, f64),
    count: usize,
    rng: &mut dyn Rng,
) -> Vec<(Vec<f64>, Vec<f64>)> {
    let pairs = sobol_pairs(grid, archive.task_dim(), archive.objectives(), rng);
    let inputs: Vec<Vec<f64>> = pairs
        .iter()
        .map(|(task, preference)| augmented(task, preference))
        .collect();
    let curvatures = sensitivities(archive, states, models);
    let mut choice = NewTasks::new(map, &curvatures, &inputs);
    let mut chosen = Vec::with_capacity(count);
    for _ in 0..count {
        let index = if rng.random::<f64>() < epsilon {
            choice.next_of_grid()
        } else {
            choice.best()
        };
        let Some(index) = index else { break };
        choice.take(index);
        chosen.push(pairs[index].clone());
    }
    chosen
}

/// How much each solution coordinate matters near predicted fronts: the mean squared change of the
/// costs with it, in units of the frame.
fn sensitivities(archive: &Archive, states: &[State], models: &Models) -> Vec<f64> {
    let v = archive.dim();
    let mut sums = vec![0.0; v];
    for state in states {
        let task = archive.tasks()[state.task].at.coords();
        let slice = models.slice(Some(state.task), task);
        let mut gradients = vec![vec![0.0; v]; slice.len()];
        for (x, _) in &state.front {
            slice.gradients(x, &mut gradients);
            for (gradient, range) in gradients.iter().zip(&state.outlook.frame.range) {
                for (sum, g) in sums.iter_mut().zip(gradient) {
                    *sum += (g / range).powi(2);
                }
            }
        }
    }
    let total: f64 = sums.iter().sum();
    // Gradients vanish at the bottom of a valley: no coordinate is left out.
    let floor = 0.1 / v as f64;
    sums.into_iter()
        .map(|sum| {
            if total > 0.0 {
                sum / total + floor
            } else {
                1.0
            }
        })
        .collect()
}

/// The slot of a pair of task and preference.
fn preferred(
    models: &Models,
    archive: &Archive,
    screening: &[Vec<f64>],
    map: Option<&TaskModel>,
    task: &[f64],
    preference: &[f64],
) -> Slot {
    let slice = models.slice(archive.find(&UnitPoint::clamped(task)), task);
    let outlook = Outlook::new(&slice, candidates(archive, task, screening));
    let start: Option<Vec<f64>> = map.map(|map| {
        let raw = map.raw_mean(&augmented(task, preference));
        raw.into_iter().map(|x| x.clamp(0.0, 1.0)).collect()
    });
    let (x, _) = outlook.solve(&slice, preference, start.as_deref(), DESCENT);
    let mut known = vec![x];
    known.extend(start);
    Slot {
        task: UnitPoint::clamped(task),
        aim: Aim::Preferred(Scalarization::new(preference, &outlook.frame)),
        known,
    }
}
