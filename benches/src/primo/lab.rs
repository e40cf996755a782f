//! Runs a cell: a method against a problem with fidelities until its budget is spent.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use warmfront_core::{Beliefs, Candidate, Fidelity, Observation, Purpose, Seed, TrialId};
use warmfront_meta::multi_fidelity::FidelityBudget;

use super::counting::{Evaluation, by_cost, by_published_count};
use super::methods::{self, METHODS};
use super::priors::Condition;
use super::problems::{PROBLEMS, ProblemSpec, Stages};
use super::report;
use crate::cell::{Cell, CellResult, Step, fnv1a};
use crate::data::DataFolder;
use crate::profile::{Catalogue, Plan};
use crate::report::Input;
use crate::runner::Work;
use crate::system::System;

/// Raised when a change to the way cells are run makes earlier results incomparable.
const VERSION: u32 = 1;

/// The problems and methods of the experiments with priors and fidelities.
pub struct PrimoLab {
    stages: Stages,
    base: u64,
}

impl PrimoLab {
    /// A lab whose replicates derive from one base seed.
    #[must_use]
    pub fn new(data: Option<DataFolder>, base: u64) -> Self {
        Self {
            stages: Stages::new(data),
            base,
        }
    }
}

impl System for PrimoLab {
    fn data(&self) -> Option<&DataFolder> {
        self.stages.data()
    }

    fn check(&self, plan: &Plan) -> anyhow::Result<()> {
        plan.entries
            .iter()
            .filter_map(|entry| ProblemSpec::find(&entry.problem))
            .try_for_each(|spec| self.stages.check(spec))
    }

    fn write_report(&self, out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf> {
        report::write(out, input)
    }
}

/// Seconds spent in each unit of cost.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    ask: f64,
    tell: f64,
    suggestions: u32,
}

impl Work for PrimoLab {
    #[expect(clippy::disallowed_methods, reason = "experiments measure time")]
    fn run(&self, cell: &Cell) -> anyhow::Result<CellResult> {
        let spec = ProblemSpec::find(&cell.problem).context("unknown problem")?;
        let stage = self.stages.get(spec)?;
        let problem = &*stage.problem;
        let condition = Condition::of(&cell.method)?;
        let objectives = problem.objectives().len();
        let beliefs = match condition {
            Some(condition) => {
                let qualities = condition.qualities(objectives, cell.seed)?;
                self.stages.beliefs(spec, &qualities)?
            }
            None => Beliefs::none(objectives),
        };
        let seed = Seed(self.base)
            .child(fnv1a(spec.name.as_bytes()))
            .child(u64::from(cell.seed));
        let one = NonZeroUsize::MIN;
        let units = cell.evaluations as usize;

        let start = Instant::now();
        let mut rng = seed.stream(Purpose::Init, 0);
        let mut strategy = methods::build(&cell.method, &stage, beliefs, &mut rng)?;
        let setup_seconds = start.elapsed().as_secs_f64();

        let costs = Arc::clone(&stage.problem);
        let mut account = FidelityBudget::new(f64::from(cell.evaluations))
            .with_cost(move |fidelity| costs.cost(Some(&fidelity)));
        let mut evaluations = Vec::new();
        let mut times = vec![Times::default(); units];
        for trial in 0.. {
            let start = Instant::now();
            let mut rng = seed.stream(Purpose::Ask, trial);
            let proposed = strategy.ask(one, &[], &mut rng).context("no proposal")?;
            let ask_seconds = start.elapsed().as_secs_f64();
            let proposed = proposed.into_iter().next().context("an empty proposal")?;
            let candidate = Candidate {
                point: problem.space().canonical(&proposed.point),
                ..proposed
            };
            // The first one that is too expensive ends the run, as in the published ones.
            if !account.try_spend(&candidate) {
                break;
            }
            // The same noise for all methods at the same step.
            let mut rng = seed.stream(Purpose::Evaluate, trial);
            let outcome = problem
                .evaluate(&candidate, &mut rng)
                .context("no evaluation")?;
            let full = candidate.fidelity.is_none_or(is_full);
            // Full evaluations of these problems have no noise.
            let costs = outcome.costs().filter(|_| full);
            let costs = costs.and_then(|c| c.complete());
            evaluations.push(Evaluation {
                spent: account.spent(),
                full,
                costs,
            });

            let observation = Observation {
                trial: TrialId(trial),
                candidate,
                outcome,
            };
            let start = Instant::now();
            let mut rng = seed.stream(Purpose::Tell, trial);
            strategy
                .tell(&[observation], &mut rng)
                .context("the outcome was refused")?;
            let unit = (account.spent() - 1e-9).floor().max(0.0) as usize;
            let times = &mut times[unit.min(units - 1)];
            times.ask += ask_seconds;
            times.tell += start.elapsed().as_secs_f64();
            times.suggestions += 1;
        }

        let count = match condition {
            Some(condition) if condition.counts_as_published() => by_published_count,
            _ => by_cost,
        };
        let step = |(hypervolume, times): (f64, &Times)| Step {
            hypervolume,
            ask_seconds: times.ask,
            tell_seconds: times.tell,
            suggestions: times.suggestions,
            row: None,
        };
        let curve = count(&evaluations, &stage.reference, units);
        Ok(CellResult {
            setup_seconds,
            optimum: stage.optimum,
            steps: curve.into_iter().zip(&times).map(step).collect(),
            ..CellResult::default()
        })
    }
}

fn is_full(fidelity: Fidelity) -> bool {
    fidelity.value() >= 1.0
}

impl Catalogue for PrimoLab {
    fn problems(&self) -> Vec<&str> {
        PROBLEMS.iter().map(|p| p.name).collect()
    }

    fn methods(&self) -> Vec<&str> {
        METHODS.iter().map(|m| m.name).collect()
    }

    fn tasks(&self, _problem: &str) -> u32 {
        1
    }

    fn objectives(&self, problem: &str) -> u32 {
        ProblemSpec::find(problem).map_or(1, ProblemSpec::objectives)
    }

    fn same_target(&self, _problem: &str) -> bool {
        true
    }

    fn uses_priors(&self, method: &str) -> bool {
        methods::uses_priors(method)
    }

    fn unavailable(&self, problem: &str) -> Option<String> {
        DataFolder::lacks(self.data(), ProblemSpec::find(problem)?.data()?)
    }

    fn fingerprint(&self, problem: &str, method: &str) -> String {
        let problem = ProblemSpec::find(problem).map_or(0, |p| p.version);
        let version = methods::find(method).map_or(0, |m| m.version);
        format!(
            "primo runner {VERSION}, base seed {}, problem {problem}, method {version}",
            self.base
        )
    }

    fn describe_problem(&self, problem: &str) -> (String, String) {
        match ProblemSpec::find(problem) {
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
