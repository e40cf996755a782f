//! Hypervolume after each unit of cost, by problem, method and seed.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Cell, CellResult};
use crate::profile::Entry;
use crate::stats;

/// Curves of one method on one problem, by seed.
pub type BySeed = BTreeMap<u32, Vec<f64>>;

/// Hypervolumes of one entry of a plan.
#[derive(Debug, Clone)]
pub struct Curves {
    /// What was to be run.
    pub entry: Entry,
    methods: BTreeMap<String, BySeed>,
}

impl Curves {
    /// Collects the finished runs of an entry, all their seeds.
    #[must_use]
    pub fn new(entry: &Entry, finished: &BTreeMap<Cell, CellResult>) -> Self {
        let mut methods: BTreeMap<String, BySeed> = BTreeMap::new();
        let wanted: BTreeSet<&str> = entry.methods.iter().map(String::as_str).collect();
        for (cell, result) in finished {
            let mine = cell.problem == entry.problem
                && cell.evaluations == entry.evaluations
                && cell.seed < entry.seeds
                && wanted.contains(cell.method.as_str());
            if mine {
                let curve = result.steps.iter().map(|s| s.hypervolume).collect();
                let curves = methods.entry(cell.method.clone()).or_default();
                curves.insert(cell.seed, curve);
            }
        }
        Self {
            entry: entry.clone(),
            methods,
        }
    }

    /// The curves of a method; `None` when no run of it has finished.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&BySeed> {
        self.methods.get(name)
    }

    /// Mean and standard error over seeds after `unit` units of cost.
    #[must_use]
    pub fn at(&self, name: &str, unit: usize) -> Option<(f64, f64)> {
        let values: Vec<f64> = self
            .method(name)?
            .values()
            .filter_map(|c| value(c, unit))
            .collect();
        (!values.is_empty()).then(|| stats::mean_and_error(&values))
    }

    /// Mean over seeds after 1, 2, … units of cost.
    #[must_use]
    pub fn mean(&self, name: &str) -> Option<Vec<f64>> {
        (1..=self.entry.evaluations as usize)
            .map(|unit| self.at(name, unit).map(|(mean, _)| mean))
            .collect()
    }
}

/// The value of a curve after `unit` units, counted from 1.
#[must_use]
pub fn value(curve: &[f64], unit: usize) -> Option<f64> {
    curve.get(unit.checked_sub(1)?).copied()
}
