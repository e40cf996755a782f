//! Runs a cell: a method on a box of tasks until its evaluations are spent, and then every recipe.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use warmfront_core::{Observation, Purpose, Seed, TrialId, UnitPoint};
use warmfront_meta::pmto::TaskModel;

use super::fronts;
use super::measure::{
    Measures, QUICK_ANSWERS, Trace, answers, boundary_fraction, cost, distances, every,
    refined_answers,
};
use super::methods::{self, METHODS, Recipe, Subject, recipes};
use super::multi;
use super::problems::{PROBLEMS, ProblemSpec, Stage, Stages};
use super::report;
use crate::cell::{Cell, CellResult, METHOD_SECONDS, fnv1a};
use crate::clock;
use crate::data::DataFolder;
use crate::profile::{Catalogue, Plan};
use crate::report::Input;
use crate::runner::Work;
use crate::stats;
use crate::system::System;

/// Raised when a change to the way cells are run makes earlier results incomparable.
const VERSION: u32 = 2;

/// Recipes that are tried before a run has ended, too.
const EARLY: [&str; 3] = ["ard70", "map", "noise"];

/// The recipe that is refined, and whose errors are held against the coverage of the task box.
const OWN: &str = "noise";

/// Tests whose distance to the pool is measured.
const COVERED: usize = 2000;

/// The problems and methods of the experiments over boxes of tasks.
pub struct PmtoLab {
    stages: Stages,
    base: u64,
}

impl PmtoLab {
    /// A lab whose replicates derive from one base seed.
    #[must_use]
    pub fn new(base: u64) -> Self {
        Self {
            stages: Stages::default(),
            base,
        }
    }
}

impl System for PmtoLab {
    fn data(&self) -> Option<&DataFolder> {
        None
    }

    fn check(&self, _: &Plan) -> anyhow::Result<()> {
        Ok(())
    }

    fn write_report(&self, out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf> {
        report::write(out, input)
    }
}

impl Work for PmtoLab {
    #[expect(clippy::disallowed_methods, reason = "experiments measure time")]
    fn run(&self, cell: &Cell) -> anyhow::Result<CellResult> {
        if fronts::is_multi(&cell.method) {
            return fronts::run(cell, self.base);
        }
        let spec = ProblemSpec::find(&cell.problem).context("unknown problem")?;
        let stage = self.stages.get(spec)?;
        let problem = &*stage.problem;
        let seed = Seed(self.base)
            .child(fnv1a(spec.name.as_bytes()))
            .child(u64::from(cell.seed));
        let mut measures = Measures::default();
        let mut trace = Trace::default();
        let [mut setup, mut ask, mut tell] = [0.0; 3];
        let (mut models, mut processor) = (0.0, 0.0);

        let start = Instant::now();
        let begun = clock::thread_seconds();
        let mut rng = seed.stream(Purpose::Init, 0);
        let mut strategy = methods::build(&cell.method, &stage, &mut rng)?;
        setup += start.elapsed().as_secs_f64();
        for trial in 0..cell.evaluations {
            let start = Instant::now();
            let mut rng = seed.stream(Purpose::Ask, u64::from(trial));
            let proposed = strategy.ask(NonZeroUsize::MIN, &[], &mut rng);
            ask += start.elapsed().as_secs_f64();
            let proposed = proposed.context("no proposal")?;
            let candidate = proposed.into_iter().next().context("an empty proposal")?;
            let task = candidate
                .task
                .clone()
                .context("a proposal without a task")?;

            let mut rng = seed.stream(Purpose::Evaluate, u64::from(trial));
            let outcome = problem
                .evaluate(&candidate, &mut rng)
                .context("no evaluation")?;
            let costs = outcome.costs().and_then(|costs| costs.complete());
            trace.push(&task, costs.map(|c| c[0]));

            let observation = Observation {
                trial: TrialId(u64::from(trial)),
                candidate,
                outcome,
            };
            let start = Instant::now();
            let mut rng = seed.stream(Purpose::Tell, u64::from(trial));
            strategy
                .tell(&[observation], &mut rng)
                .context("the outcome was refused")?;
            tell += start.elapsed().as_secs_f64();

            let spent = trial + 1;
            if spent == cell.evaluations / 4 || spent == cell.evaluations / 2 {
                let start = Instant::now();
                let paused = clock::thread_seconds();
                early(&stage, &*strategy, spent, &mut measures)?;
                models += start.elapsed().as_secs_f64();
                // What is spent on measuring is not spent by the method.
                processor -= since(paused);
            }
        }
        processor += since(begun);

        let start = Instant::now();
        last(&stage, &*strategy, &mut measures)?;
        models += start.elapsed().as_secs_f64();
        trace.measure(&stage, &mut measures);
        for (name, seconds) in METHOD_SECONDS.into_iter().zip([setup, ask, tell]) {
            measures.set(name, (seconds * 1e3).round() / 1e3);
        }
        measures.set("seconds/models", (models * 1e3).round() / 1e3);
        measures.set("seconds/processor", (processor * 1e3).round() / 1e3);
        Ok(CellResult {
            measures: measures.finish(),
            ..CellResult::default()
        })
    }
}

fn model(strategy: &dyn Subject, recipe: &Recipe) -> anyhow::Result<TaskModel> {
    strategy
        .model(recipe)
        .with_context(|| format!("no task model `{}`", recipe.name))
}

/// Some recipes in the middle of a run.
fn early(
    stage: &Stage,
    strategy: &dyn Subject,
    spent: u32,
    measures: &mut Measures,
) -> anyhow::Result<()> {
    for recipe in recipes().iter().filter(|r| EARLY.contains(&r.name)) {
        let model = model(strategy, recipe)?;
        let costs = answers(stage, &model, Some(QUICK_ANSWERS))?;
        measures.quantiles(recipe.name, Some(spent), &costs);
    }
    Ok(())
}

/// All recipes at the end, the pool, and how the errors lie in the task box.
fn last(stage: &Stage, strategy: &dyn Subject, measures: &mut Measures) -> anyhow::Result<()> {
    let pool = strategy.pool();
    let solved: Vec<UnitPoint> = pool
        .iter()
        .filter(|task| task.best.is_some())
        .map(|task| task.task.clone())
        .collect();
    for recipe in &recipes() {
        let model = model(strategy, recipe)?;
        let costs = answers(stage, &model, None)?;
        measures.quantiles(recipe.name, None, &costs);
        if recipe.name != OWN {
            continue;
        }
        if model.can_refine() {
            measures.quantiles("refined", None, &refined_answers(stage, &model)?);
        }
        let tests = every(&stage.tests, stage.tests.len() / COVERED);
        let distances = distances(&tests, &solved);
        let errors: Vec<f64> = tests
            .iter()
            .map(|task| cost(&*stage.problem, model.point(task), task))
            .collect::<Result<_, _>>()?;
        measures.set("coverage/largest", stats::quantile(&distances, 1.0));
        measures.set("coverage/median", stats::median(&distances));
        measures.set(
            "coverage/rank",
            stats::rank_correlation(&distances, &errors),
        );
    }
    let added: Vec<&UnitPoint> = pool.iter().filter(|t| t.added).map(|t| &t.task).collect();
    measures.set("tasks/pool", solved.len() as f64);
    measures.set("tasks/added", added.len() as f64);
    measures.set("tasks/boundary", boundary_fraction(&added));
    if let Some((solution, task)) = strategy.lengthscales(stage.problem.space().dim()) {
        measures.set("lengthscale/solution", solution);
        measures.set("lengthscale/task", task);
    }
    Ok(())
}

fn since(start: Option<f64>) -> f64 {
    match (start, clock::thread_seconds()) {
        (Some(start), Some(now)) => now - start,
        _ => f64::NAN,
    }
}

impl Catalogue for PmtoLab {
    fn problems(&self) -> Vec<&str> {
        let single = PROBLEMS.iter().map(|p| p.name);
        single.chain(multi::PROBLEMS).collect()
    }

    fn methods(&self) -> Vec<&str> {
        let all = METHODS.iter().chain(fronts::METHODS);
        all.map(|m| m.name).collect()
    }

    fn tasks(&self, _problem: &str) -> u32 {
        1
    }

    fn objectives(&self, problem: &str) -> u32 {
        if multi::PROBLEMS.contains(&problem) {
            2
        } else {
            1
        }
    }

    fn same_target(&self, _problem: &str) -> bool {
        true
    }

    fn unavailable(&self, _problem: &str) -> Option<String> {
        None
    }

    fn fingerprint(&self, problem: &str, method: &str) -> String {
        let problem = ProblemSpec::find(problem).map_or(0, |p| p.version);
        let version = methods::find(method).map_or(0, |m| m.version);
        format!(
            "pmto runner {VERSION}, base seed {}, problem {problem}, method {version}",
            self.base
        )
    }

    fn describe_problem(&self, problem: &str) -> (String, String) {
        match ProblemSpec::find(problem) {
            Some(p) => (p.title.to_owned(), p.text.to_owned()),
            None => fronts::describe(problem).unwrap_or((problem.to_owned(), String::new())),
        }
    }

    fn describe_method(&self, method: &str) -> (String, String) {
        match methods::find(method) {
            Some(m) => (m.label.to_owned(), m.text.to_owned()),
            None => (method.to_owned(), String::new()),
        }
    }
}
