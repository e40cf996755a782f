//! Made-up runs, of which the answers are known.

use std::collections::BTreeMap;

use super::measure::{QUANTILES, quantile_name};
use super::study::Study;
use crate::cell::{Cell, CellResult};
use crate::profile::{Entry, Plan, Section};

/// Finished runs with their plan.
#[derive(Default)]
pub(super) struct Runs {
    plan: Vec<Entry>,
    finished: BTreeMap<Cell, CellResult>,
}

impl Runs {
    /// Runs of a method, one for each value of every measure.
    pub(super) fn add(
        &mut self,
        (section, problem, method): (Section, &str, &str),
        measures: &[&str],
        values: &[f64],
    ) {
        let place = |e: &&mut Entry| e.section == section && e.problem == problem;
        match self.plan.iter_mut().find(place) {
            Some(entry) => entry.methods.push(method.into()),
            None => self.plan.push(Entry {
                section,
                problem: problem.into(),
                methods: vec![method.into()],
                seeds: 5,
                evaluations: 100,
                tasks: 1,
                objectives: 1,
                every_task: false,
                conditions: Vec::new(),
                same_target: false,
                order: 0,
            }),
        }
        for (seed, &value) in (0..).zip(values) {
            let cell = Cell {
                seed,
                problem: problem.into(),
                task: 0,
                method: method.into(),
                evaluations: 100,
                fingerprint: String::new(),
                exclusive: false,
            };
            let result = self.finished.entry(cell).or_insert_with(|| CellResult {
                setup_seconds: 0.0,
                optimum: 0.0,
                steps: Vec::new(),
                measures: BTreeMap::new(),
            });
            for measure in measures {
                result.measures.insert((*measure).to_owned(), value);
            }
        }
    }

    /// Runs of a method of the main part whose quantiles are all alike, with one recipe.
    pub(super) fn quantiles(&mut self, problem: &str, method: &str, recipe: &str, values: &[f64]) {
        let names = QUANTILES.map(|q| quantile_name(recipe, None, q));
        let names = names.each_ref().map(String::as_str);
        self.add((Section::Main, problem, method), &names, values);
    }

    /// What a report makes of them.
    pub(super) fn study(&self) -> Study<'_> {
        let plan = Plan {
            entries: self.plan.clone(),
            skipped: Vec::new(),
        };
        Study::new(&plan, &self.finished)
    }
}
