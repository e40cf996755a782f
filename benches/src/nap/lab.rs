//! Runs a cell: a method on a test task, from shared initial points on.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use warmfront_core::{Candidate, Costs, Observation, Outcome, Purpose, Seed, TrialId, UnitPoint};
use warmfront_problems::{Design, design_points};

use super::families::{FAMILIES, FamilySpec, Halls};
use super::methods::{self, METHODS, Stage};
use super::policies::{Policies, Record};
use super::recipes::{Recipe, Variant, recipe};
use super::report;
use super::sources::conditional;
use super::training;
use crate::cell::{Cell, CellResult, Step, fnv1a};
use crate::data::DataFolder;
use crate::profile::{Catalogue, Plan};
use crate::report::Input;
use crate::runner::{RunConfig, Work};
use crate::system::System;

/// Raised when a change to the way cells are run makes earlier results incomparable.
const VERSION: u32 = 2;

/// The part of a time limit that training may take: methods without a policy are run in any case, and
/// finished policies, too.
const TRAINING: f64 = 0.6;

/// Evaluations that all methods share.
pub const INITIAL: usize = 5;

/// The families and methods of the experiments with trained policies.
pub struct NapLab {
    halls: Halls,
    policies: Policies,
    base: u64,
    /// Of policies that were trained elsewhere.
    recorded: Mutex<Vec<Record>>,
}

impl NapLab {
    /// A lab whose replicates derive from one base seed.
    #[must_use]
    pub fn new(data: Option<DataFolder>, base: u64) -> Self {
        Self {
            halls: Halls::new(data, base),
            policies: Policies::default(),
            base,
            recorded: Mutex::default(),
        }
    }

    fn recipe(&self, spec: &'static FamilySpec, variant: Variant) -> Recipe {
        recipe(spec, variant, self.base).with_data(self.halls.checksum(spec))
    }
}

impl System for NapLab {
    fn data(&self) -> Option<&DataFolder> {
        self.halls.data()
    }

    fn check(&self, plan: &Plan) -> anyhow::Result<()> {
        for entry in &plan.entries {
            if let Some(spec) = FamilySpec::find(&entry.problem) {
                self.halls.get(spec)?;
            }
        }
        Ok(())
    }

    fn prepare(&self, open: &[&Cell], out: &Path, config: &RunConfig) -> anyhow::Result<()> {
        let mut wanted = Vec::new();
        for cell in open {
            let spec = FamilySpec::find(&cell.problem).context("unknown family")?;
            if let Some(variant) = methods::variant(&cell.method) {
                let recipe = self.recipe(spec, variant);
                if !wanted.contains(&recipe) {
                    wanted.push(recipe);
                }
            }
        }
        let config = RunConfig {
            time_limit: config.time_limit.map(|limit| limit.mul_f64(TRAINING)),
            ..config.clone()
        };
        self.policies.train(&wanted, &self.halls, out, &config)
    }

    fn add_recorded(&self, results: &Path) -> anyhow::Result<()> {
        let records = training::read(&results.with_file_name("training.csv"))?;
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.extend(records);
        Ok(())
    }

    fn ready(&self, cell: &Cell) -> bool {
        let Some(spec) = FamilySpec::find(&cell.problem) else {
            return true;
        };
        let recipe = methods::variant(&cell.method).map(|v| self.recipe(spec, v));
        recipe.is_none_or(|recipe| self.policies.is_decided(&recipe))
    }

    fn write_report(&self, out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf> {
        let mut keys = BTreeSet::new();
        for entry in &input.plan.entries {
            let Some(spec) = FamilySpec::find(&entry.problem) else {
                continue;
            };
            let variants = entry.methods.iter().filter_map(|m| methods::variant(m));
            for recipe in variants.map(|variant| self.recipe(spec, variant)) {
                keys.extend(recipe.begins_with().map(|first| first.key()));
                keys.insert(recipe.key());
            }
        }
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let trained = training::trained(out, &keys, &recorded)?;
        report::write(out, input, &self.halls, trained)
    }
}

impl Work for NapLab {
    #[expect(clippy::disallowed_methods, reason = "experiments measure time")]
    fn run(&self, cell: &Cell) -> anyhow::Result<CellResult> {
        let spec = FamilySpec::find(&cell.problem).context("unknown family")?;
        let hall = self.halls.get(spec)?;
        let ground = hall.ground(cell.task)?;
        let seed = Seed(self.base)
            .child(fnv1a(spec.name.as_bytes()))
            .child(1000 + u64::from(cell.task))
            .child(u64::from(cell.seed));
        let policy = match methods::variant(&cell.method) {
            Some(variant) => {
                let recipe = self.recipe(spec, variant);
                Some(self.policies.get(&recipe)?)
            }
            None => None,
        };
        let stage = Stage {
            hall: &hall,
            ground: &ground,
            seed,
            horizon: cell.evaluations as usize,
            policy,
        };
        let start = Instant::now();
        let mut strategy = methods::build(&cell.method, &stage)
            .with_context(|| format!("cannot build the method `{}`", cell.method))?;
        let setup_seconds = start.elapsed().as_secs_f64();

        let mut best = f64::INFINITY;
        let mut steps = Vec::with_capacity(cell.evaluations as usize);
        let mut evaluate = |point: &UnitPoint, ask_seconds: f64| -> anyhow::Result<Outcome> {
            let (cost, row) = ground.cost(point);
            best = best.min(cost);
            steps.push(Step {
                hypervolume: 1.0 - ground.regret(best),
                ask_seconds,
                tell_seconds: 0.0,
                suggestions: 1,
                row,
            });
            Ok(Outcome::Complete(Costs::from_values(vec![cost])?))
        };
        // Random rows, or a Sobol sequence.
        let mut rng = seed.child(1).stream(Purpose::Init, 0);
        let start = design_points(&ground.space, INITIAL, Design::Sobol, &mut rng);
        let mut batch = Vec::new();
        for (trial, point) in (0..).zip(start) {
            if trial >= u64::from(cell.evaluations) {
                break;
            }
            batch.push(Observation {
                trial: TrialId(trial),
                outcome: evaluate(&point, 0.0)?,
                candidate: Candidate::at(point),
            });
        }
        let mut told = Vec::new();
        let mut tell = |strategy: &mut dyn warmfront_core::Strategy,
                        batch: &[Observation],
                        trial: u64|
         -> anyhow::Result<()> {
            let start = Instant::now();
            let mut rng = seed.stream(Purpose::Tell, trial);
            strategy
                .tell(batch, &mut rng)
                .context("the outcome was refused")?;
            told.push(start.elapsed().as_secs_f64());
            Ok(())
        };
        tell(&mut *strategy, &batch, 0)?;
        for trial in batch.len() as u64..u64::from(cell.evaluations) {
            let start = Instant::now();
            let mut rng = seed.stream(Purpose::Ask, trial);
            let proposed = strategy
                .ask(NonZeroUsize::MIN, &[], &mut rng)
                .context("no proposal")?;
            let ask_seconds = start.elapsed().as_secs_f64();
            let candidate = proposed.into_iter().next().context("an empty proposal")?;
            let observation = Observation {
                trial: TrialId(trial),
                outcome: evaluate(&candidate.point, ask_seconds)?,
                candidate,
            };
            tell(&mut *strategy, &[observation], trial)?;
        }
        // The first tell took in all initial points.
        for (step, seconds) in steps.iter_mut().skip(batch.len() - 1).zip(&told) {
            step.tell_seconds = *seconds;
        }
        Ok(CellResult {
            setup_seconds,
            optimum: 1.0,
            steps,
            ..CellResult::default()
        })
    }
}

impl Catalogue for NapLab {
    fn problems(&self) -> Vec<&str> {
        FAMILIES.iter().map(|p| p.name).collect()
    }

    fn methods(&self) -> Vec<&str> {
        METHODS.iter().map(|m| m.name).collect()
    }

    fn tasks(&self, problem: &str) -> u32 {
        FamilySpec::find(problem).map_or(1, |family| family.tests)
    }

    fn objectives(&self, _problem: &str) -> u32 {
        1
    }

    fn unavailable(&self, problem: &str) -> Option<String> {
        DataFolder::lacks(self.data(), FamilySpec::find(problem)?.data()?)
    }

    fn fingerprint(&self, problem: &str, method: &str) -> String {
        let family = FamilySpec::find(problem);
        let version = methods::find(method).map_or(0, |m| m.version);
        let mut text = format!(
            "nap runner {VERSION}, base seed {}, family {}, data {:08x}, method {version}",
            self.base,
            family.map_or(0, |f| f.version),
            family.map_or(0, |f| self.halls.checksum(f))
        );
        if method == "portfolio" {
            text.push_str(&format!(", surrogates {}", conditional::VERSION));
        }
        if let Some((family, variant)) = family.zip(methods::variant(method)) {
            let key = self.recipe(family, variant).key();
            text.push_str(&format!(", policy {key}"));
        }
        text
    }

    fn describe_problem(&self, problem: &str) -> (String, String) {
        match FamilySpec::find(problem) {
            Some(p) => (p.title.to_owned(), p.text.to_owned()),
            None => (problem.to_owned(), String::new()),
        }
    }

    fn describe_method(&self, method: &str) -> (String, String) {
        match methods::find(method) {
            Some(m) => (m.label.to_owned(), m.text.to_owned()),
            None => (method.to_owned(), String::new()),
        }
    }
}
