//! From finished cells to regret curves, paired by seed.

use std::collections::{BTreeMap, HashMap};

use crate::cell::{Cell, CellResult, Step};
use crate::profile::Entry;
use crate::stats::{self, Paired};

/// Regrets below this fraction of the optimum are reported as this: a front found by search is no
/// better known.
pub const REGRET_FLOOR: f64 = 1e-6;
/// The same with one objective, and where the best that any seed found is the optimum of all: it is
/// hit exactly, and a lower floor would let these hits alone decide every mean and every comparison.
pub const SINGLE_REGRET_FLOOR: f64 = 1e-3;

/// All methods on one problem.
#[derive(Debug, Clone)]
pub struct ProblemCurves {
    /// What was to be run.
    pub entry: Entry,
    /// In the order of the entry; methods without a finished seed are left out.
    pub methods: Vec<MethodCurves>,
}

/// One method on one problem.
#[derive(Debug, Clone)]
pub struct MethodCurves {
    /// Name of the method.
    pub method: String,
    /// log10 of the regret after each evaluation, by seed, averaged over the seed's tasks.
    pub curves: BTreeMap<u32, Vec<f64>>,
    /// Mean seconds to build the method, fitting to meta-data included.
    pub setup_seconds: f64,
    /// Mean seconds of one proposal.
    pub ask_seconds: f64,
    /// Mean seconds to take in one outcome.
    pub tell_seconds: f64,
}

impl MethodCurves {
    /// log10 regret of every seed after `evaluation` evaluations (counted from 1).
    #[must_use]
    pub fn at(&self, evaluation: usize) -> Vec<f64> {
        self.curves
            .values()
            .filter_map(|c| c.get(evaluation.checked_sub(1)?).copied())
            .collect()
    }

    /// For each evaluation: centre, lower and upper end of the band.
    #[must_use]
    pub fn band(&self, kind: Band) -> Vec<[f64; 3]> {
        let length = self.curves.values().map(Vec::len).min().unwrap_or(0);
        (1..=length)
            .map(|t| {
                let values = self.at(t);
                match kind {
                    Band::MeanAndError => {
                        let (mean, error) = stats::mean_and_error(&values);
                        // One seed has no error: a band without width.
                        let error = if error.is_finite() { error } else { 0.0 };
                        [mean, mean - error, mean + error]
                    }
                    Band::MedianAndQuartiles => {
                        [0.5, 0.25, 0.75].map(|p| stats::quantile(&values, p))
                    }
                }
            })
            .collect()
    }
}

/// How a set of curves is summarised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// Mean and its standard error.
    MeanAndError,
    /// Median, first and third quartile.
    MedianAndQuartiles,
}

/// Which number of a curve is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    /// log10 regret after this many evaluations.
    At(usize),
    /// Mean of log10 regret over all evaluations: rewards being good early.
    Anytime,
}

impl Score {
    fn of(self, curve: &[f64]) -> Option<f64> {
        match self {
            Self::At(evaluation) => curve.get(evaluation.checked_sub(1)?).copied(),
            Self::Anytime if curve.is_empty() => None,
            Self::Anytime => Some(curve.iter().sum::<f64>() / curve.len() as f64),
        }
    }
}

impl ProblemCurves {
    /// Collects the curves of `entry` from all finished cells.
    #[must_use]
    pub fn new(entry: &Entry, finished: &BTreeMap<Cell, CellResult>) -> Self {
        let optima = optima(entry, finished);
        let floor = if entry.objectives == 1 || entry.same_target {
            SINGLE_REGRET_FLOOR
        } else {
            REGRET_FLOOR
        };
        let mut methods = Vec::new();
        for method in &entry.methods {
            let mine: HashMap<(u32, u32), &CellResult> = finished
                .iter()
                .filter(|(c, _)| {
                    c.problem == entry.problem
                        && c.method == *method
                        && c.evaluations == entry.evaluations
                })
                .map(|(c, r)| ((c.seed, c.task), r))
                .collect();
            let mut curves = BTreeMap::new();
            for seed in 0..entry.seeds {
                // A seed counts when all its tasks are there: anything else is not comparable.
                let tasks: Option<Vec<Vec<f64>>> = entry
                    .tasks_of(seed)
                    .into_iter()
                    .map(|task| {
                        Some(regret(
                            mine.get(&(seed, task))?,
                            optima[&(seed, task)],
                            floor,
                        ))
                    })
                    .collect();
                if let Some(tasks) = tasks {
                    curves.insert(seed, average(&tasks));
                }
            }
            if !curves.is_empty() {
                methods.push(timed(method, curves, &mine));
            }
        }
        keep_common_seeds(&mut methods);
        Self {
            entry: entry.clone(),
            methods,
        }
    }

    /// The curves of one method.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&MethodCurves> {
        self.methods.iter().find(|m| m.method == name)
    }

    /// Compares two methods on the seeds that both have, smaller regret wins.
    #[must_use]
    pub fn compare(&self, first: (&str, Score), second: (&str, Score)) -> Option<Paired> {
        let a = self.method(first.0)?;
        let b = self.method(second.0)?;
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (seed, curve) in &a.curves {
            if let Some(other) = b.curves.get(seed)
                && let (Some(x), Some(y)) = (first.1.of(curve), second.1.of(other))
            {
                left.push(x);
                right.push(y);
            }
        }
        (!left.is_empty()).then(|| stats::paired(&left, &right))
    }

    /// The first evaluation at which the median of `method` is at most `target`; `None` if never.
    #[must_use]
    pub fn first_reaching(&self, method: &str, target: f64) -> Option<usize> {
        let band = self.method(method)?.band(Band::MedianAndQuartiles);
        band.iter()
            .position(|b| b[0] <= target + 1e-12)
            .map(|p| p + 1)
    }

    /// The largest number of seeds of any method.
    #[must_use]
    pub fn seeds(&self) -> usize {
        self.methods
            .iter()
            .map(|m| m.curves.len())
            .max()
            .unwrap_or(0)
    }
}

/// Leaves only the seeds that all methods have, so that every number of a table is about the same
/// runs. Nothing is left out while no seed is complete.
fn keep_common_seeds(methods: &mut [MethodCurves]) {
    let common: Vec<u32> = methods
        .first()
        .into_iter()
        .flat_map(|m| m.curves.keys().copied())
        .filter(|seed| methods.iter().all(|m| m.curves.contains_key(seed)))
        .collect();
    if common.is_empty() {
        return;
    }
    for method in methods {
        method.curves.retain(|seed, _| common.contains(seed));
    }
}

/// The best hypervolume known for each seed and task: found by search, or by any method since.
fn optima(entry: &Entry, finished: &BTreeMap<Cell, CellResult>) -> HashMap<(u32, u32), f64> {
    let mut optima = HashMap::new();
    let mut overall = 0.0_f64;
    for (cell, result) in finished.iter().filter(|(c, _)| c.problem == entry.problem) {
        let best = optima.entry((cell.seed, cell.task)).or_insert(0.0_f64);
        let reached = result.steps.last().map_or(0.0, |s| s.hypervolume);
        *best = best.max(result.optimum).max(reached);
        overall = overall.max(*best);
    }
    if entry.same_target {
        optima.values_mut().for_each(|best| *best = overall);
    }
    optima
}

fn regret(result: &CellResult, optimum: f64, floor: f64) -> Vec<f64> {
    let relative = |hypervolume: f64| match optimum {
        o if o > 0.0 => ((o - hypervolume) / o).clamp(floor, 1.0),
        _ => 1.0,
    };
    result
        .steps
        .iter()
        .map(|s| relative(s.hypervolume).log10())
        .collect()
}

fn average(curves: &[Vec<f64>]) -> Vec<f64> {
    let length = curves.iter().map(Vec::len).min().unwrap_or(0);
    let mean = |t: usize| curves.iter().map(|c| c[t]).sum::<f64>() / curves.len() as f64;
    (0..length).map(mean).collect()
}

fn timed(
    method: &str,
    curves: BTreeMap<u32, Vec<f64>>,
    cells: &HashMap<(u32, u32), &CellResult>,
) -> MethodCurves {
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0_u32), |(s, c), v| (s + v, c + 1));
        if count == 0 {
            0.0
        } else {
            sum / f64::from(count)
        }
    };
    let steps = || cells.values().flat_map(|r| &r.steps);
    // Points of an initial design are not proposed by the method: they took no time.
    let each = |seconds: &dyn Fn(&Step) -> f64| {
        let timed = || steps().filter(|s| seconds(s) > 0.0);
        let count: u32 = timed().map(|s| s.suggestions).sum();
        timed().map(seconds).sum::<f64>() / f64::from(count.max(1))
    };
    MethodCurves {
        method: method.to_owned(),
        curves,
        setup_seconds: mean(&mut cells.values().map(|r| r.setup_seconds)),
        ask_seconds: each(&|s| s.ask_seconds),
        tell_seconds: each(&|s| s.tell_seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Section;

    fn finished(cells: &[(&str, u32, u32, [f64; 2])]) -> BTreeMap<Cell, CellResult> {
        let cell = |&(method, seed, task, hypervolumes): &(&str, u32, u32, [f64; 2])| {
            let cell = Cell {
                seed,
                problem: "p".into(),
                task,
                method: method.into(),
                evaluations: 2,
                fingerprint: String::new(),
                exclusive: false,
            };
            let step = |hypervolume| Step {
                hypervolume,
                ask_seconds: 0.0,
                tell_seconds: 0.0,
                suggestions: 1,
                row: None,
            };
            let steps = hypervolumes.map(step).to_vec();
            (
                cell,
                CellResult {
                    setup_seconds: 0.0,
                    optimum: 1.0,
                    steps,
                    ..CellResult::default()
                },
            )
        };
        cells.iter().map(cell).collect()
    }

    fn entry(seeds: u32, tasks: u32, every_task: bool) -> Entry {
        Entry {
            section: Section::Main,
            problem: "p".into(),
            methods: vec!["a".into(), "b".into()],
            seeds,
            evaluations: 2,
            tasks,
            objectives: 2,
            every_task,
            conditions: Vec::new(),
            same_target: false,
            order: 0,
        }
    }

    fn check(curve: &[f64], expected: [f64; 2]) {
        for (got, expected) in curve.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-12, "{got} is not {expected}");
        }
    }

    #[test]
    fn regret_is_relative_to_the_best_that_anyone_knows() {
        // b found more than the search had: 2 instead of 1.
        let cells = finished(&[("a", 0, 0, [0.0, 1.8]), ("b", 0, 0, [1.0, 2.0])]);
        let curves = ProblemCurves::new(&entry(1, 1, false), &cells);
        check(&curves.methods[0].curves[&0], [0.0, -1.0]);
        check(
            &curves.methods[1].curves[&0],
            [0.5_f64.log10(), REGRET_FLOOR.log10()],
        );
        let paired = curves.compare(("a", Score::At(2)), ("b", Score::At(1)));
        assert_eq!(paired.map(|p| (p.wins, p.losses)), Some((1, 0)));
        assert_eq!(curves.first_reaching("a", -0.5), Some(2));
        assert_eq!(curves.first_reaching("a", -1.5), None);

        let single = Entry {
            objectives: 1,
            ..entry(1, 1, false)
        };
        let curves = ProblemCurves::new(&single, &cells);
        check(
            &curves.methods[1].curves[&0],
            [0.5_f64.log10(), SINGLE_REGRET_FLOOR.log10()],
        );
    }

    #[test]
    fn what_one_seed_finds_is_known_to_all_where_the_target_is_the_same() {
        let cells = finished(&[("a", 0, 0, [0.0, 1.8]), ("a", 1, 0, [1.0, 2.0])]);
        let mut entry = entry(2, 1, false);
        let curves = ProblemCurves::new(&entry, &cells);
        check(&curves.methods[0].curves[&0], [0.0, REGRET_FLOOR.log10()]);
        entry.same_target = true;
        let curves = ProblemCurves::new(&entry, &cells);
        check(&curves.methods[0].curves[&0], [0.0, -1.0]);
    }

    #[test]
    fn only_seeds_that_all_methods_finished_count() {
        let cells = finished(&[
            ("a", 0, 0, [0.1, 0.9]),
            ("a", 1, 0, [0.1, 0.9]),
            ("b", 1, 0, [0.1, 0.9]),
        ]);
        let curves = ProblemCurves::new(&entry(2, 1, false), &cells);
        let seeds: Vec<Vec<u32>> = curves
            .methods
            .iter()
            .map(|m| m.curves.keys().copied().collect())
            .collect();
        assert_eq!(seeds, [[1], [1]]);
    }

    #[test]
    fn a_seed_with_several_tasks_is_their_average_and_needs_all() {
        let cells = finished(&[
            ("a", 0, 0, [0.9, 0.9]),
            ("a", 0, 1, [0.0, 0.99]),
            ("a", 1, 0, [0.9, 0.9]),
        ]);
        let curves = ProblemCurves::new(&entry(2, 2, true), &cells);
        assert_eq!(curves.methods.len(), 1);
        assert_eq!(curves.seeds(), 1);
        check(&curves.methods[0].curves[&0], [-0.5, -1.5]);
    }
}
