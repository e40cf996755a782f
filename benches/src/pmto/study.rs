//! Finished runs by problem and method, and the few statistics that the report is made of.

use std::collections::{BTreeMap, HashMap};

use super::measure::{QUANTILES, quantile_name};
use super::methods::{METHODS, recipes};
use crate::cell::{Cell, CellResult};
use crate::profile::{Plan, Section};
use crate::stats;

/// The published method.
pub const AS_RUN: &str = "pmto";
/// The same from the tasks of the released runs.
pub const RELEASED: &str = "pmto-as-released";
/// The recipe of its published figures.
pub const PUBLISHED_RECIPE: &str = "ard70";
/// The recipe that our own variants are made with.
pub const OWN_RECIPE: &str = "noise";

/// A problem of one section with the methods that run on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Where in the report.
    pub section: Section,
    /// Name of the problem.
    pub problem: String,
    /// Names of methods, in the order of the catalogue.
    pub methods: Vec<String>,
    /// Number of evaluations.
    pub evaluations: u32,
}

/// All groups with the measures of their runs.
pub struct Study<'a> {
    /// In the order of the plan.
    pub groups: Vec<Group>,
    runs: HashMap<(String, String, u32), Vec<&'a CellResult>>,
}

/// Mean and standard deviation of a sample; the deviation of one value is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

impl Moments {
    /// Of these values; `None` for none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let (mean, error) = stats::mean_and_error(values);
        let sd = error * (values.len() as f64).sqrt();
        (!values.is_empty()).then_some(Self { mean, sd })
    }
}

impl<'a> Study<'a> {
    /// Sorts the finished cells of a plan.
    #[must_use]
    pub fn new(plan: &Plan, finished: &'a BTreeMap<Cell, CellResult>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for entry in &plan.entries {
            let same = |g: &&mut Group| {
                g.section == entry.section
                    && g.problem == entry.problem
                    && g.evaluations == entry.evaluations
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.methods.extend(entry.methods.iter().cloned()),
                None => groups.push(Group {
                    section: entry.section,
                    problem: entry.problem.clone(),
                    methods: entry.methods.clone(),
                    evaluations: entry.evaluations,
                }),
            }
        }
        let place = |m: &String| METHODS.iter().position(|known| known.name == *m);
        for group in &mut groups {
            group.methods.sort_by_key(place);
            group.methods.dedup();
        }
        let mut runs: HashMap<_, Vec<&CellResult>> = HashMap::new();
        // Cells come in the order of their seeds.
        for (cell, result) in finished {
            let key = (cell.problem.clone(), cell.method.clone(), cell.evaluations);
            runs.entry(key).or_default().push(result);
        }
        Self { groups, runs }
    }

    /// The groups of a section.
    #[must_use]
    pub fn section(&self, section: Section) -> Vec<&Group> {
        let mine = |g: &&Group| g.section == section;
        self.groups.iter().filter(mine).collect()
    }

    /// Runs of a method on the problem of a group.
    #[must_use]
    pub fn runs(&self, group: &Group, method: &str) -> &[&'a CellResult] {
        let key = (group.problem.clone(), method.to_owned(), group.evaluations);
        self.runs.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Methods of a group that have a finished run.
    #[must_use]
    pub fn present<'g>(&self, group: &'g Group) -> Vec<&'g str> {
        let methods = group.methods.iter().map(String::as_str);
        methods
            .filter(|m| !self.runs(group, m).is_empty())
            .collect()
    }

    /// A measure of every run that has it, in the order of seeds.
    #[must_use]
    pub fn values(&self, group: &Group, method: &str, measure: &str) -> Vec<f64> {
        let runs = self.runs(group, method).iter();
        runs.filter_map(|run| run.measures.get(measure).copied())
            .collect()
    }

    /// A quantile of the answers with a recipe, of every run.
    #[must_use]
    pub fn quantile(
        &self,
        group: &Group,
        (method, recipe): (&str, &str),
        at: Option<u32>,
        q: u32,
    ) -> Vec<f64> {
        self.values(group, method, &quantile_name(recipe, at, q))
    }

    /// Mean and deviation of a measure.
    #[must_use]
    pub fn moments(&self, group: &Group, method: &str, measure: &str) -> Option<Moments> {
        Moments::of(&self.values(group, method, measure))
    }

    /// The recipe with the least mean of medians of a method on a problem.
    #[must_use]
    pub fn best_recipe(&self, group: &Group, method: &str) -> Option<&'static str> {
        let median = |recipe: &str| {
            Moments::of(&self.quantile(group, (method, recipe), None, 50)).map(|m| m.mean)
        };
        recipes()
            .iter()
            .filter_map(|r| Some((r.name, median(r.name)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(name, _)| name)
    }

    /// Seeds of the method with the fewest among `methods`, over all `groups`.
    #[must_use]
    pub fn fewest(&self, groups: &[&Group], methods: &[&str]) -> usize {
        let each = groups
            .iter()
            .flat_map(|g| methods.iter().map(|m| self.runs(g, m).len()));
        each.min().unwrap_or(0)
    }

    /// All five quantiles with a recipe.
    #[must_use]
    pub fn row(&self, group: &Group, method: &str, recipe: &str) -> Option<[Moments; 5]> {
        let at = |q| Moments::of(&self.quantile(group, (method, recipe), None, q));
        let row: Option<Vec<Moments>> = QUANTILES.into_iter().map(at).collect();
        row?.try_into().ok()
    }
}
