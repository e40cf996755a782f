//! What an experiment consists of: data in `benches/profiles`, and the cells that follow from it.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::cell::Cell;
use crate::suggest::suggestion;

/// One experiment: a title and its profiles.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Short name, as on the command line.
    pub experiment: String,
    /// Title of the report.
    pub title: String,
    /// Where the claims come from.
    pub paper: String,
    /// The method that every other is compared with.
    pub reference_method: String,
    /// By name: quick, standard, paper.
    pub profiles: BTreeMap<String, Profile>,
}

/// How much to run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// One sentence.
    pub summary: String,
    /// No cell starts later than this many minutes, unless the command line says otherwise.
    #[serde(default)]
    pub minutes: Option<f64>,
    /// What to run.
    pub blocks: Vec<Block>,
}

/// Problems × methods × seeds with the same settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Where in the report.
    pub section: Section,
    /// Names of problems.
    pub problems: Vec<String>,
    /// Names of methods.
    pub methods: Vec<String>,
    /// Number of seeds.
    pub seeds: u32,
    /// Number of evaluations of each run.
    pub evaluations: u32,
    /// Every target task with every seed, instead of task `seed mod tasks`.
    #[serde(default)]
    pub every_task: bool,
    /// Each method that uses expert priors runs once under each of these, as `METHOD@CONDITION`.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// Cells of blocks with a smaller number run first.
    #[serde(default)]
    pub order: u32,
}

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// Methods against each other.
    Main,
    /// Variants of one method.
    Ablation,
    /// Times against the number of meta-tasks.
    Scaling,
    /// Methods against each other, one objective.
    Single,
    /// Methods against each other, a longer budget.
    Long,
    /// Against published curves.
    Replication,
    /// Case studies.
    Cases,
    /// Tasks that have nothing in common.
    Transfer,
    /// Many inputs.
    Wide,
    /// Several objectives.
    Fronts,
    /// One policy, trained and shown the evaluations in several ways.
    Serving,
}

impl Section {
    /// As in a profile.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Ablation => "ablation",
            Self::Scaling => "scaling",
            Self::Single => "single",
            Self::Long => "long",
            Self::Replication => "replication",
            Self::Cases => "cases",
            Self::Transfer => "transfer",
            Self::Wide => "wide",
            Self::Fronts => "fronts",
            Self::Serving => "serving",
        }
    }
}

/// The method of `METHOD@CONDITION`.
#[must_use]
pub fn base_name(method: &str) -> &str {
    method.split_once('@').map_or(method, |(base, _)| base)
}

/// Names of the experiments that this program knows.
pub const SYSTEMS: [&str; 4] = ["smog", "primo", "pmto", "nap"];

/// The experiment with this name.
///
/// # Errors
/// When the name is unknown.
pub fn experiment(name: &str) -> anyhow::Result<Experiment> {
    let text = match name {
        "smog" => include_str!("../profiles/smog.json"),
        "primo" => include_str!("../profiles/primo.json"),
        "pmto" => include_str!("../profiles/pmto.json"),
        "nap" => include_str!("../profiles/nap.json"),
        other => bail!("unknown system `{other}`{}", suggestion(other, &SYSTEMS)),
    };
    serde_json::from_str(text).with_context(|| format!("the definition of `{name}` is not valid"))
}

/// Changes to a profile from the command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Only these methods (the reference method is kept where it would run).
    pub methods: Vec<String>,
    /// Only these problems.
    pub problems: Vec<String>,
    /// Another number of seeds.
    pub seeds: Option<u32>,
    /// Another number of evaluations.
    pub evaluations: Option<u32>,
}

/// One problem with the methods that run on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where in the report.
    pub section: Section,
    /// Name of the problem.
    pub problem: String,
    /// Names of methods, in the order of the report.
    pub methods: Vec<String>,
    /// Number of seeds.
    pub seeds: u32,
    /// Number of evaluations.
    pub evaluations: u32,
    /// Number of target tasks of the problem.
    pub tasks: u32,
    /// Number of objectives of the problem.
    pub objectives: u32,
    /// Every task with every seed.
    pub every_task: bool,
    /// Conditions of the methods with priors; empty where there are none.
    pub conditions: Vec<String>,
    /// Every seed has the same target, so that what one finds is known to all.
    pub same_target: bool,
    /// Cells of entries with a smaller number run first.
    pub order: u32,
}

impl Entry {
    /// The entry with the methods that belong under one condition: those without priors, and those
    /// with priors of this condition.
    #[must_use]
    pub fn under(&self, condition: &str) -> Self {
        let belongs = |m: &&String| m.split_once('@').is_none_or(|(_, c)| c == condition);
        Self {
            methods: self.methods.iter().filter(belongs).cloned().collect(),
            conditions: vec![condition.to_owned()],
            ..self.clone()
        }
    }

    /// The target tasks that seed number `seed` runs on.
    #[must_use]
    pub fn tasks_of(&self, seed: u32) -> Vec<u32> {
        let tasks = self.tasks.max(1);
        if self.every_task {
            (0..tasks).collect()
        } else {
            vec![seed % tasks]
        }
    }
}

/// What the runner must know about names.
pub trait Catalogue {
    /// All problems.
    fn problems(&self) -> Vec<&str>;
    /// All methods.
    fn methods(&self) -> Vec<&str>;
    /// Number of target tasks of a problem (at least 1).
    fn tasks(&self, problem: &str) -> u32;
    /// Number of objectives of a problem.
    fn objectives(&self, problem: &str) -> u32;
    /// Whether every seed has the same target.
    fn same_target(&self, problem: &str) -> bool {
        let _ = problem;
        false
    }
    /// Whether a method is told what an expert believes.
    fn uses_priors(&self, method: &str) -> bool {
        let _ = method;
        false
    }
    /// Why a problem cannot run now, for example because its data are not there.
    fn unavailable(&self, problem: &str) -> Option<String>;
    /// Settings and versions that determine the result of a method on a problem.
    fn fingerprint(&self, problem: &str, method: &str) -> String;
    /// Title and description of a problem for people.
    fn describe_problem(&self, problem: &str) -> (String, String) {
        (problem.to_owned(), String::new())
    }
    /// Label and description of a method for people.
    fn describe_method(&self, method: &str) -> (String, String) {
        (method.to_owned(), String::new())
    }
}

/// Entries to run, and problems that cannot.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order of the profile.
    pub entries: Vec<Entry>,
    /// Problem and reason.
    pub skipped: Vec<(String, String)>,
}

impl Plan {
    /// The entries of a profile after the changes of the command line.
    ///
    /// # Errors
    /// When a name is unknown, or when nothing is left to run.
    pub fn new(
        profile: &Profile,
        reference: &str,
        overrides: &Overrides,
        catalogue: &dyn Catalogue,
    ) -> anyhow::Result<Self> {
        known("problem", &overrides.problems, &catalogue.problems())?;
        known("method", &overrides.methods, &catalogue.methods())?;
        let mut plan = Self::default();
        for block in &profile.blocks {
            known("problem", &block.problems, &catalogue.problems())?;
            known("method", &block.methods, &catalogue.methods())?;
            for problem in &block.problems {
                if !overrides.problems.is_empty() && !overrides.problems.contains(problem) {
                    continue;
                }
                if let Some(reason) = catalogue.unavailable(problem) {
                    if !plan.skipped.iter().any(|(name, _)| name == problem) {
                        plan.skipped.push((problem.clone(), reason));
                    }
                    continue;
                }
                let wanted = |m: &&String| {
                    overrides.methods.is_empty()
                        || overrides.methods.contains(m)
                        || m.as_str() == reference
                };
                let methods: Vec<String> = block.methods.iter().filter(wanted).cloned().collect();
                if methods.is_empty() {
                    continue;
                }
                plan.entries
                    .push(entry(block, problem, &methods, overrides, catalogue));
            }
        }
        // A problem that exists but that the profile leaves out runs like the profile's first block.
        let first = profile.blocks.first().context("a profile needs a block")?;
        for problem in &overrides.problems {
            let planned = plan.entries.iter().any(|e| e.problem == *problem)
                || plan.skipped.iter().any(|(name, _)| name == problem);
            if planned {
                continue;
            }
            if let Some(reason) = catalogue.unavailable(problem) {
                plan.skipped.push((problem.clone(), reason));
                continue;
            }
            let methods = if overrides.methods.is_empty() {
                &first.methods
            } else {
                &overrides.methods
            };
            let block = Block {
                every_task: false,
                ..first.clone()
            };
            plan.entries
                .push(entry(&block, problem, methods, overrides, catalogue));
        }
        if plan.entries.is_empty() {
            let reasons: Vec<_> = plan
                .skipped
                .iter()
                .map(|(n, r)| format!("{n}: {r}"))
                .collect();
            bail!("nothing to run; {}", reasons.join("; "));
        }
        Ok(plan)
    }

    /// All cells, complete seeds first within the same order, each once.
    #[must_use]
    pub fn cells(&self, catalogue: &dyn Catalogue) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut seen = HashSet::new();
        let seeds = self.entries.iter().map(|e| e.seeds).max().unwrap_or(0);
        let mut orders: Vec<u32> = self.entries.iter().map(|e| e.order).collect();
        orders.sort_unstable();
        orders.dedup();
        let turns = orders
            .into_iter()
            .flat_map(|order| (0..seeds).map(move |s| (order, s)));
        for (order, seed) in turns {
            let now = |e: &&Entry| e.order == order && seed < e.seeds;
            for entry in self.entries.iter().filter(now) {
                for task in entry.tasks_of(seed) {
                    for method in &entry.methods {
                        let cell = entry_cell(entry, catalogue, seed, task, method);
                        if seen.insert(cell.key()) {
                            cells.push(cell);
                        }
                    }
                }
            }
        }
        cells
    }
}

fn entry(
    block: &Block,
    problem: &str,
    methods: &[String],
    overrides: &Overrides,
    catalogue: &dyn Catalogue,
) -> Entry {
    let under = |method: &String| -> Vec<String> {
        if block.conditions.is_empty() || !catalogue.uses_priors(method) {
            return vec![method.clone()];
        }
        let name = |condition| format!("{method}@{condition}");
        block.conditions.iter().map(name).collect()
    };
    Entry {
        section: block.section,
        problem: problem.to_owned(),
        methods: methods.iter().flat_map(under).collect(),
        seeds: overrides.seeds.unwrap_or(block.seeds),
        evaluations: overrides.evaluations.unwrap_or(block.evaluations),
        tasks: catalogue.tasks(problem),
        objectives: catalogue.objectives(problem),
        every_task: block.every_task,
        conditions: block.conditions.clone(),
        same_target: catalogue.same_target(problem),
        order: block.order,
    }
}

fn entry_cell(
    entry: &Entry,
    catalogue: &dyn Catalogue,
    seed: u32,
    task: u32,
    method: &str,
) -> Cell {
    Cell {
        seed,
        problem: entry.problem.clone(),
        task,
        method: method.to_owned(),
        evaluations: entry.evaluations,
        fingerprint: catalogue.fingerprint(&entry.problem, method),
        exclusive: entry.section == Section::Scaling,
    }
}

fn known(what: &str, names: &[String], all: &[&str]) -> anyhow::Result<()> {
    for name in names {
        if !all.contains(&name.as_str()) {
            bail!("unknown {what} `{name}`{}", suggestion(name, all));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_valid() {
        let smog = experiment("smog").expect("the definition is checked here");
        for name in ["quick", "standard", "paper"] {
            let profile = &smog.profiles[name];
            assert!(
                profile
                    .blocks
                    .iter()
                    .any(|b| b.methods.contains(&smog.reference_method))
            );
        }
        for system in SYSTEMS {
            assert_eq!(experiment(system).expect("valid").experiment, system);
        }
        let message = format!("{:#}", experiment("smo").expect_err("unknown"));
        assert_eq!(message, "unknown system `smo`; did you mean `smog`?");
    }

    #[test]
    fn methods_with_priors_run_under_every_condition() {
        struct Names;
        impl Catalogue for Names {
            fn problems(&self) -> Vec<&str> {
                vec!["p"]
            }
            fn methods(&self) -> Vec<&str> {
                vec!["plain", "told"]
            }
            fn tasks(&self, _: &str) -> u32 {
                1
            }
            fn objectives(&self, _: &str) -> u32 {
                2
            }
            fn uses_priors(&self, method: &str) -> bool {
                method == "told"
            }
            fn unavailable(&self, _: &str) -> Option<String> {
                None
            }
            fn fingerprint(&self, _: &str, _: &str) -> String {
                String::new()
            }
        }
        let profile: Profile = serde_json::from_str(
            r#"{"summary": "", "blocks": [{"section": "main", "problems": ["p"],
                "methods": ["plain", "told"], "seeds": 2, "evaluations": 3,
                "conditions": ["good", "misleading"]}]}"#,
        )
        .expect("a profile");
        let plan = Plan::new(&profile, "told", &Overrides::default(), &Names).expect("planned");
        let entry = &plan.entries[0];
        assert_eq!(entry.methods, ["plain", "told@good", "told@misleading"]);
        assert_eq!(entry.under("good").methods, ["plain", "told@good"]);
        assert_eq!(base_name("told@good"), "told");
        // The method without priors runs once.
        assert_eq!(plan.cells(&Names).len(), 2 * 3);
        let only = Overrides {
            methods: vec!["plain".into()],
            ..Overrides::default()
        };
        let plan = Plan::new(&profile, "plain", &only, &Names).expect("planned");
        assert_eq!(plan.entries[0].methods, ["plain"]);
    }

    #[test]
    fn seeds_cycle_through_tasks_unless_every_task_is_wanted() {
        let mut entry = Entry {
            section: Section::Main,
            problem: "p".into(),
            methods: vec!["m".into()],
            seeds: 4,
            evaluations: 1,
            tasks: 3,
            objectives: 2,
            every_task: false,
            conditions: Vec::new(),
            same_target: false,
            order: 0,
        };
        assert_eq!(entry.tasks_of(4), [1]);
        entry.every_task = true;
        assert_eq!(entry.tasks_of(4), [0, 1, 2]);
    }
}
