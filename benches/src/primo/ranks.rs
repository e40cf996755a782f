//! Relative ranks of methods over several problems.

use std::collections::BTreeMap;

use super::curves::{Curves, value};
use crate::profile::base_name;
use crate::stats;

/// Ranks under one condition, or the average of several conditions.
///
/// On each problem and seed the methods are ranked by hypervolume after each unit of cost (1 is
/// best, ties share their average); a seed's rank is the mean over problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranks {
    /// Name of the condition.
    pub condition: String,
    /// Methods that finished on all problems, without the condition.
    pub methods: Vec<String>,
    /// Methods that did not, and are left out.
    pub missing: Vec<String>,
    /// Names of the problems.
    pub problems: Vec<String>,
    /// Number of units of cost for which there are ranks.
    pub units: usize,
    /// By seed: rank of each method after each unit.
    by_seed: BTreeMap<u32, Vec<Vec<f64>>>,
}

impl Ranks {
    /// The ranks under a condition, on the seeds that all methods finished on all problems.
    ///
    /// `None` without such a seed.
    #[must_use]
    pub fn new(condition: &str, problems: &[&Curves]) -> Option<Self> {
        // Names with their condition, by the name without.
        let mut names: Vec<(String, String)> = Vec::new();
        for curves in problems {
            for full in curves.entry.under(condition).methods {
                let base = base_name(&full).to_owned();
                if !names.iter().any(|(b, _)| *b == base) {
                    names.push((base, full));
                }
            }
        }
        let everywhere = |full: &str| problems.iter().all(|c| c.method(full).is_some());
        let (present, missing): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|(_, full)| everywhere(full));
        let units = problems.iter().map(|c| c.entry.evaluations).min()? as usize;
        let seeds = problems.iter().map(|c| c.entry.seeds).min()?;
        let by_seed: BTreeMap<u32, Vec<Vec<f64>>> = (0..seeds)
            .filter_map(|seed| Some((seed, seed_ranks(seed, problems, &present, units)?)))
            .collect();
        if by_seed.is_empty() || present.is_empty() {
            return None;
        }
        Some(Self {
            condition: condition.to_owned(),
            methods: present.into_iter().map(|(base, _)| base).collect(),
            missing: missing.into_iter().map(|(base, _)| base).collect(),
            problems: problems.iter().map(|c| c.entry.problem.clone()).collect(),
            units,
            by_seed,
        })
    }

    /// The average of several conditions, over the seeds and methods that all of them have.
    #[must_use]
    pub fn average(name: &str, parts: &[&Self]) -> Option<Self> {
        let first = parts.first()?;
        let units = parts.iter().map(|p| p.units).min()?;
        let shared = |m: &&String| parts.iter().all(|p| p.methods.contains(m));
        let (methods, missing): (Vec<&String>, Vec<&String>) =
            first.methods.iter().partition(|m| shared(m));
        let mut by_seed = BTreeMap::new();
        for seed in first.by_seed.keys() {
            let rows: Option<Vec<Vec<f64>>> = methods
                .iter()
                .map(|method| {
                    (1..=units)
                        .map(|unit| {
                            let each: Option<Vec<f64>> =
                                parts.iter().map(|p| p.one(method, *seed, unit)).collect();
                            let each = each?;
                            Some(each.iter().sum::<f64>() / each.len() as f64)
                        })
                        .collect()
                })
                .collect();
            if let Some(rows) = rows {
                by_seed.insert(*seed, rows);
            }
        }
        (!by_seed.is_empty()).then(|| Self {
            condition: name.to_owned(),
            methods: methods.into_iter().cloned().collect(),
            missing: first.missing.iter().chain(missing).cloned().collect(),
            problems: first.problems.clone(),
            units,
            by_seed,
        })
    }

    /// Number of seeds.
    #[must_use]
    pub fn seeds(&self) -> usize {
        self.by_seed.len()
    }

    fn one(&self, method: &str, seed: u32, unit: usize) -> Option<f64> {
        let index = self.methods.iter().position(|m| m == method)?;
        value(self.by_seed.get(&seed)?.get(index)?, unit)
    }

    /// The rank of a method after `unit` units (counted from 1), by seed; empty for one that is not
    /// there.
    #[must_use]
    pub fn of(&self, method: &str, unit: usize) -> Vec<f64> {
        self.by_seed
            .keys()
            .filter_map(|seed| self.one(method, *seed, unit))
            .collect()
    }

    /// Mean rank of a method and its standard error over seeds.
    #[must_use]
    pub fn at(&self, method: &str, unit: usize) -> Option<(f64, f64)> {
        let values = self.of(method, unit);
        (!values.is_empty()).then(|| stats::mean_and_error(&values))
    }
}

fn seed_ranks(
    seed: u32,
    problems: &[&Curves],
    methods: &[(String, String)],
    units: usize,
) -> Option<Vec<Vec<f64>>> {
    let mut ranks = vec![vec![0.0; units]; methods.len()];
    for curves in problems {
        let mine: Option<Vec<&Vec<f64>>> = methods
            .iter()
            .map(|(_, full)| curves.method(full)?.get(&seed))
            .collect();
        let mine = mine?;
        for unit in 1..=units {
            let values: Option<Vec<f64>> = mine.iter().map(|c| value(c, unit)).collect();
            for (row, rank) in ranks.iter_mut().zip(hypervolume_ranks(&values?)) {
                row[unit - 1] += rank / problems.len() as f64;
            }
        }
    }
    Some(ranks)
}

/// Ranks by hypervolume: 1 is the largest, ties share their average.
#[must_use]
pub fn hypervolume_ranks(values: &[f64]) -> Vec<f64> {
    // Relative to the largest, as the tie threshold of ranks is absolute.
    let scale = values.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let costs: Vec<f64> = values.iter().map(|v| -v / scale).collect();
    stats::average_ranks(&[costs])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cell::{Cell, CellResult, Step};
    use crate::profile::{Entry, Section};

    /// Curves of `(method, seed, hypervolumes)` on a problem.
    pub(in crate::primo) fn curves(problem: &str, runs: &[(&str, u32, &[f64])]) -> Curves {
        let mut methods: Vec<String> = Vec::new();
        let mut finished = BTreeMap::new();
        let units = runs[0].2.len() as u32;
        for (method, seed, values) in runs {
            if !methods.iter().any(|m| m == method) {
                methods.push((*method).to_owned());
            }
            let cell = Cell {
                seed: *seed,
                problem: problem.into(),
                task: 0,
                method: (*method).into(),
                evaluations: units,
                fingerprint: String::new(),
                exclusive: false,
            };
            let step = |hypervolume: &f64| Step {
                hypervolume: *hypervolume,
                ask_seconds: 0.0,
                tell_seconds: 0.0,
                suggestions: 1,
                row: None,
            };
            let result = CellResult {
                setup_seconds: 0.0,
                optimum: 1.0,
                steps: values.iter().map(step).collect(),
                ..CellResult::default()
            };
            finished.insert(cell, result);
        }
        let entry = Entry {
            section: Section::Main,
            problem: problem.into(),
            methods,
            seeds: 2,
            evaluations: units,
            tasks: 1,
            objectives: 2,
            every_task: false,
            conditions: vec!["good".into(), "misleading".into()],
            same_target: true,
            order: 0,
        };
        Curves::new(&entry, &finished)
    }

    fn close(got: Option<(f64, f64)>, mean: f64) {
        let got = got.expect("there").0;
        assert!((got - mean).abs() < 1e-12, "{got} is not {mean}");
    }

    #[test]
    fn the_largest_hypervolume_ranks_first_and_ties_share() {
        assert_eq!(
            hypervolume_ranks(&[3.0, 1.0, 3.0, 0.0]),
            [1.5, 3.0, 1.5, 4.0]
        );
        assert_eq!(hypervolume_ranks(&[0.0, 0.0]), [1.5, 1.5]);
        // The threshold of ties is relative.
        assert_eq!(hypervolume_ranks(&[1e-12, 2e-12]), [2.0, 1.0]);
    }

    #[test]
    fn ranks_average_problems_then_seeds_and_conditions() {
        let first = curves(
            "p",
            &[
                ("plain", 0, &[0.0, 2.0]),
                ("told@good", 0, &[1.0, 3.0]),
                ("told@misleading", 0, &[0.0, 1.0]),
                ("plain", 1, &[1.0, 4.0]),
                ("told@good", 1, &[1.0, 5.0]),
                ("told@misleading", 1, &[0.0, 0.0]),
            ],
        );
        let second = curves(
            "q",
            &[
                ("plain", 0, &[5.0, 9.0]),
                ("told@good", 0, &[1.0, 3.0]),
                ("told@misleading", 0, &[0.0, 1.0]),
                ("plain", 1, &[1.0, 4.0]),
                ("told@good", 1, &[2.0, 5.0]),
                ("told@misleading", 1, &[0.0, 0.0]),
            ],
        );
        let problems = [&first, &second];
        let good = Ranks::new("good", &problems).expect("ranks");
        assert_eq!(good.methods, ["plain", "told"]);
        assert_eq!((good.seeds(), good.units), (2, 2));
        // Seed 0: second on p, first on q; seed 1: tie at 1 on p, second on q.
        close(good.at("plain", 1), (1.5 + 1.75) / 2.0);
        close(good.at("plain", 2), (1.5 + 2.0) / 2.0);
        close(good.at("told", 2), (1.5 + 1.0) / 2.0);
        let bad = Ranks::new("misleading", &problems).expect("ranks");
        close(bad.at("told", 2), 2.0);
        let overall = Ranks::average("overall", &[&good, &bad]).expect("ranks");
        close(overall.at("told", 2), (1.25 + 2.0) / 2.0);
        assert_eq!(overall.of("told", 2).len(), 2);
    }

    #[test]
    fn unfinished_methods_and_seeds_are_left_out() {
        let first = curves(
            "p",
            &[
                ("a", 0, &[1.0]),
                ("b", 0, &[2.0]),
                ("c", 0, &[3.0]),
                ("a", 1, &[1.0]),
            ],
        );
        let second = curves("q", &[("a", 0, &[1.0]), ("b", 0, &[2.0])]);
        let ranks = Ranks::new("good", &[&first, &second]).expect("ranks");
        assert_eq!(ranks.methods, ["a", "b"]);
        assert_eq!(ranks.missing, ["c"]);
        assert_eq!(ranks.seeds(), 1);
        assert!(ranks.at("c", 1).is_none());
    }
}
