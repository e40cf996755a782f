//! Runs a cell: a method against a target task, evaluation by evaluation.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use warmfront_core::{Observation, Purpose, TrialId};

use crate::cell::{Cell, CellResult, Step};
use crate::data::DataFolder;
use crate::methods::{self, METHODS, MethodSpec};
use crate::problems::{Arenas, PROBLEMS, ProblemSpec};
use crate::profile::{Catalogue, Plan};
use crate::report::{self, Input};
use crate::runner::Work;
use crate::score::Progress;
use crate::system::System;

/// Raised when a change to the way cells are run makes earlier results incomparable.
const VERSION: u32 = 1;

/// The real problems and methods.
pub struct Lab {
    arenas: Arenas,
    base: u64,
}

impl Lab {
    /// A lab whose replicates derive from one base seed.
    #[must_use]
    pub fn new(data: Option<DataFolder>, base: u64) -> Self {
        Self {
            arenas: Arenas::new(data, base),
            base,
        }
    }
}

impl System for Lab {
    fn data(&self) -> Option<&DataFolder> {
        self.arenas.data()
    }

    fn check(&self, plan: &Plan) -> anyhow::Result<()> {
        plan.entries
            .iter()
            .filter_map(|entry| ProblemSpec::find(&entry.problem))
            .try_for_each(|spec| self.arenas.check(spec))
    }

    fn write_report(&self, out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf> {
        report::write(out, input)
    }
}

impl Work for Lab {
    #[expect(clippy::disallowed_methods, reason = "experiments measure time")]
    fn run(&self, cell: &Cell) -> anyhow::Result<CellResult> {
        let spec = ProblemSpec::find(&cell.problem).context("unknown problem")?;
        let arena = self.arenas.get(spec, cell.task, cell.seed)?;
        let problem = &*arena.problem;
        let one = NonZeroUsize::MIN;

        let start = Instant::now();
        let mut rng = arena.seed.stream(Purpose::Init, 0);
        let mut strategy = methods::build(&cell.method, &arena, &mut rng)?;
        let setup_seconds = start.elapsed().as_secs_f64();

        let mut progress = Progress::new(&arena.reference);
        let mut hypervolume = 0.0;
        let mut steps = Vec::with_capacity(cell.evaluations as usize);
        for trial in 0..u64::from(cell.evaluations) {
            let start = Instant::now();
            let mut rng = arena.seed.stream(Purpose::Ask, trial);
            let proposed = strategy.ask(one, &[], &mut rng).context("no proposal")?;
            let ask_seconds = start.elapsed().as_secs_f64();
            let candidate = proposed.into_iter().next().context("an empty proposal")?;

            // The same noise for all methods at the same step.
            let mut rng = arena.seed.stream(Purpose::Evaluate, trial);
            let outcome = problem
                .evaluate(&candidate, &mut rng)
                .context("no evaluation")?;
            let clean = problem
                .noise_free(&candidate)
                .context("no noise-free value to score")?;
            if let Some(costs) = clean.costs().and_then(|c| c.complete()) {
                hypervolume = progress.add(costs);
            }

            let observation = Observation {
                trial: TrialId(trial),
                candidate,
                outcome,
            };
            let start = Instant::now();
            let mut rng = arena.seed.stream(Purpose::Tell, trial);
            strategy
                .tell(&[observation], &mut rng)
                .context("the outcome was refused")?;
            let tell_seconds = start.elapsed().as_secs_f64();
            steps.push(Step {
                hypervolume,
                ask_seconds,
                tell_seconds,
                suggestions: 1,
                row: None,
            });
        }
        Ok(CellResult {
            setup_seconds,
            optimum: arena.optimum,
            steps,
            ..CellResult::default()
        })
    }
}

impl Catalogue for Lab {
    fn problems(&self) -> Vec<&str> {
        PROBLEMS.iter().map(|p| p.name).collect()
    }

    fn methods(&self) -> Vec<&str> {
        METHODS.iter().map(|m| m.name).collect()
    }

    fn tasks(&self, problem: &str) -> u32 {
        ProblemSpec::find(problem).map_or(1, ProblemSpec::tasks)
    }

    fn objectives(&self, problem: &str) -> u32 {
        ProblemSpec::find(problem).map_or(1, ProblemSpec::objectives)
    }

    fn unavailable(&self, problem: &str) -> Option<String> {
        DataFolder::lacks(self.data(), ProblemSpec::find(problem)?.data()?)
    }

    fn fingerprint(&self, problem: &str, method: &str) -> String {
        let spec = ProblemSpec::find(problem);
        let (version, tasks, per_task) =
            spec.map_or((0, 0, 0), |p| (p.version, p.meta_tasks, p.per_task));
        let method = MethodSpec::find(method).map_or(0, |m| m.version);
        let mut text = format!(
            "runner {VERSION}, base seed {}, problem {version} with {tasks}x{per_task}, method {method}",
            self.base
        );
        // Another reference point is another hypervolume.
        if self
            .data()
            .zip(spec)
            .is_some_and(|(folder, spec)| spec.samples_reference(folder))
        {
            text.push_str(", sampled reference");
        }
        text
    }

    fn describe_problem(&self, problem: &str) -> (String, String) {
        match ProblemSpec::find(problem) {
            Some(p) => (p.title.to_owned(), p.text.to_owned()),
            None => (problem.to_owned(), String::new()),
        }
    }

    fn describe_method(&self, method: &str) -> (String, String) {
        match MethodSpec::find(method) {
            Some(m) => (m.label.to_owned(), m.text.to_owned()),
            None => (method.to_owned(), String::new()),
        }
    }
}
