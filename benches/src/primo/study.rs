//! Everything that is computed once from the finished runs and shown in several places.

use std::collections::BTreeMap;

use super::curves::Curves;
use super::ranks::Ranks;
use super::replication::{Replicated, replicate};
use super::speedup::{SpeedUp, speed_up};
use crate::cell::{Cell, CellResult};
use crate::profile::{Entry, Plan, Section};
use crate::report::table::{self, Row};
use crate::results::ProblemCurves;

/// The rival of the published speed-up.
pub const PUBLISHED_RIVAL: &str = "bo-rw";

/// One problem under one condition.
pub struct View {
    /// Regrets.
    pub curves: ProblemCurves,
    /// Name of the condition; empty where there are none.
    pub condition: String,
    /// Final numbers.
    pub rows: Vec<Row>,
}

/// Results of a run of the experiment.
pub struct Study {
    /// The method that others are compared with, without a condition.
    pub reference: String,
    /// Hypervolumes of the main part, by problem.
    pub main: Vec<Curves>,
    /// Regrets of all parts but the replication, by problem and condition.
    pub views: Vec<View>,
    /// Ranks of the main part under each condition.
    pub ranks: Vec<Ranks>,
    /// Their average.
    pub overall: Option<Ranks>,
    /// Against the best baseline.
    pub speed: Vec<SpeedUp>,
    /// Against the rival of the published figure.
    pub published_speed: Vec<SpeedUp>,
    /// Beside the published curves.
    pub replicated: Vec<Replicated>,
}

impl Study {
    /// Computes everything.
    ///
    /// # Errors
    /// If the published numbers cannot be read.
    pub fn new(
        reference: &str,
        plan: &Plan,
        finished: &BTreeMap<Cell, CellResult>,
    ) -> anyhow::Result<Self> {
        let part = |section| -> Vec<Curves> {
            let mine = plan.entries.iter().filter(|e| e.section == section);
            mine.map(|e| Curves::new(e, finished)).collect()
        };
        let main = part(Section::Main);
        let mut views = Vec::new();
        for entry in &plan.entries {
            if entry.section != Section::Replication {
                for condition in conditions(entry) {
                    views.push(View::new(reference, entry, condition, finished));
                }
            }
        }
        let mut names: Vec<&str> = Vec::new();
        for condition in main.iter().flat_map(|c| conditions(&c.entry)) {
            if !names.contains(&condition) {
                names.push(condition);
            }
        }
        let under = |condition: &str| -> Vec<&Curves> {
            let has = |c: &&Curves| conditions(&c.entry).contains(&condition);
            main.iter().filter(has).collect()
        };
        let ranks: Vec<Ranks> = names
            .iter()
            .filter_map(|condition| Ranks::new(condition, &under(condition)))
            .collect();
        let overall = Ranks::average("overall", &ranks.iter().collect::<Vec<_>>());
        let long = part(Section::Long);
        let speed = |rival: Option<&str>| -> Vec<SpeedUp> {
            let each = |condition: &&str| {
                let longer = |problem: &str| {
                    let mut same = long.iter().filter(|c| c.entry.problem == problem);
                    same.find(|c| conditions(&c.entry).contains(condition))
                };
                let one = |c: &Curves| {
                    let c = longer(&c.entry.problem).unwrap_or(c);
                    speed_up(c, condition, reference, rival)
                };
                let curves = under(condition).into_iter();
                curves.filter_map(one).collect::<Vec<_>>()
            };
            names.iter().flat_map(each).collect()
        };
        Ok(Self {
            reference: reference.to_owned(),
            speed: speed(None),
            published_speed: speed(Some(PUBLISHED_RIVAL)),
            replicated: replicate(&part(Section::Replication))?,
            views,
            ranks,
            overall,
            main,
        })
    }

    /// The regrets of one part under one condition.
    #[must_use]
    pub fn under(&self, section: Section, condition: &str) -> Vec<&ProblemCurves> {
        let mine = |v: &&View| v.curves.entry.section == section && v.condition == condition;
        self.views.iter().filter(mine).map(|v| &v.curves).collect()
    }
}

impl View {
    fn new(
        reference: &str,
        entry: &Entry,
        condition: &str,
        finished: &BTreeMap<Cell, CellResult>,
    ) -> Self {
        let curves = ProblemCurves::new(&entry.under(condition), finished);
        let rows = table::rows(&curves, &told(reference, condition));
        Self {
            curves,
            condition: condition.to_owned(),
            rows,
        }
    }
}

/// The conditions of an entry; one without a name where there are none.
#[must_use]
pub fn conditions(entry: &Entry) -> Vec<&str> {
    match entry.conditions.as_slice() {
        [] => vec![""],
        names => names.iter().map(String::as_str).collect(),
    }
}

/// The name of a method with priors under a condition.
#[must_use]
pub fn told(method: &str, condition: &str) -> String {
    format!("{method}@{condition}")
}
