//! Both sides on the same problems, priors, budgets and seeds, cell by cell in turns.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use warmfront_core::{
    Beliefs, Candidate, Fidelity, Observation, Purpose, Seed, Strategy as _, TrialId, UnitPoint,
};
use warmfront_meta::multi_fidelity::FidelityBudget;
use warmfront_meta::primo::PrimoConfig;
use warmfront_problems::{
    ExpertQuality, MfZdt, MomfBraninCurrin, MomfPark, Problem, expert_beliefs,
};

use super::{Evaluation, Job, Neps};
use crate::clock::{Lap, Stopwatch};
use crate::score;

/// The name of the other side in rows and tables.
pub const NEPS: &str = "neps";

/// The variants of ours that can take part.
pub const VARIANTS: [&str; 3] = ["improved", "as-run", "paper"];

/// The problems that can be measured, by the name both sides know.
pub const PROBLEMS: [&str; 3] = ["momf_branin_currin", "mf_zdt6_d10", "momf_park"];

/// The prior conditions that can be measured: the quality of each objective's prior.
pub const CONDITIONS: [&str; 4] = ["good-good", "good-bad", "bad-good", "bad-bad"];

/// Points that the recipe of good and bad priors looks at, as in the paper.
const PRIOR_SAMPLES: usize = 100_000;

/// What is the same for all cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// What each run may spend, in full evaluations; continuing a configuration pays the
    /// difference.
    pub budget: f64,
    /// Confidence in every coordinate of every prior's centre.
    pub confidence: f64,
    /// Full evaluations, as NePS counts them, until the Gaussian process takes over.
    pub initial_design_size: u32,
}

impl Default for Terms {
    /// Those of the paper.
    fn default() -> Self {
        Self {
            budget: 20.0,
            confidence: 0.75,
            initial_design_size: 5,
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Names from [`PROBLEMS`].
    pub problems: Vec<String>,
    /// Names from [`CONDITIONS`].
    pub conditions: Vec<String>,
    /// Names from [`VARIANTS`]; NePS always takes part.
    pub variants: Vec<String>,
    /// Number of seeds.
    pub seeds: u32,
    /// What is the same for all cells.
    pub terms: Terms,
}

/// One run: a row of `neps.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the problem.
    pub problem: String,
    /// Prior condition.
    pub condition: String,
    /// Number of the seed.
    pub seed: u32,
    /// `neps` or a variant of ours.
    pub method: String,
    /// What the run could spend.
    pub budget: f64,
    /// What it spent.
    pub spent: f64,
    /// Number of evaluations at any fidelity.
    pub evaluations: usize,
    /// Number of those at full fidelity.
    pub full: usize,
    /// Hypervolume of the points at full fidelity.
    pub hypervolume: f64,
    /// Seconds of all suggestions.
    pub seconds: f64,
    /// Seconds of processor time of all suggestions.
    pub cpu_seconds: Option<f64>,
    /// Number of suggestions that start a configuration at full fidelity: those of the Gaussian
    /// process.
    pub model_suggestions: usize,
    /// Their seconds.
    pub model_seconds: f64,
    /// Their seconds of processor time.
    pub model_cpu_seconds: Option<f64>,
}

type Key = (String, String, u32, String);

impl Row {
    fn key(&self) -> Key {
        (
            self.problem.clone(),
            self.condition.clone(),
            self.seed,
            self.method.clone(),
        )
    }
}

/// The rows of an earlier run; none where there is no file.
///
/// # Errors
/// If the file cannot be read.
pub fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let context = || format!("cannot read {}", path.display());
    csv::Reader::from_path(path)
        .with_context(context)?
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(context)
}

/// Runs what `path` does not have yet and appends it there, each row as soon as it is known.
///
/// `start` is called when NePS is needed first. `report` hears of every row. Ours runs on one
/// thread, NePS' process on one of its own; never both at a time.
///
/// # Errors
/// If a name is unknown, a run fails, or the two sides disagree about a problem's values.
pub fn run(
    plan: &Plan,
    path: &Path,
    mut start: impl FnMut() -> anyhow::Result<Neps>,
    mut report: impl FnMut(&Row),
) -> anyhow::Result<Vec<Row>> {
    let mut rows = read(path)?;
    if let Some(row) = rows
        .iter()
        .find(|r| r.budget.total_cmp(&plan.terms.budget).is_ne())
    {
        bail!(
            "{} holds runs with a budget of {}: use another folder",
            path.display(),
            row.budget
        );
    }
    let done: BTreeSet<Key> = rows.iter().map(Row::key).collect();
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    let mut writer = csv::WriterBuilder::new()
        .has_headers(rows.is_empty())
        .from_writer(file);

    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut neps = None;
    let arenas = arenas(plan)?;
    for seed in 0..plan.seeds {
        for arena in &arenas {
            let mut methods = vec![NEPS.to_owned()];
            methods.extend(plan.variants.iter().cloned());
            for method in methods {
                let key = (
                    arena.problem.name().to_owned(),
                    arena.condition.clone(),
                    seed,
                    method.clone(),
                );
                if done.contains(&key) {
                    continue;
                }
                let evaluations = if method == NEPS {
                    let neps = match &mut neps {
                        Some(running) => running,
                        empty => empty.insert(start()?),
                    };
                    neps.run(&arena.job(seed, plan.terms))
                } else {
                    pool.install(|| arena.ours(&method, seed, plan.terms))
                };
                let row = evaluations
                    .and_then(|e| arena.row(&method, seed, plan.terms, &e))
                    .with_context(|| format!("{method} on {}, {}, seed {seed}", key.0, key.1))?;
                write(&mut writer, &row)?;
                report(&row);
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn write(writer: &mut csv::Writer<File>, row: &Row) -> anyhow::Result<()> {
    writer.serialize(row)?;
    writer.flush()?;
    Ok(())
}

/// A problem with the experts' priors about it.
struct Arena {
    problem: Box<dyn Problem>,
    condition: String,
    beliefs: Beliefs,
}

fn arenas(plan: &Plan) -> anyhow::Result<Vec<Arena>> {
    let mut arenas = Vec::new();
    for name in &plan.problems {
        for condition in &plan.conditions {
            let problem = problem(name)?;
            // The same experts for all seeds, as in the paper.
            let mut rng = Seed(0).stream(Purpose::Init, 0);
            let beliefs = expert_beliefs(
                &*problem,
                &qualities(condition)?,
                PRIOR_SAMPLES,
                plan.terms.confidence,
                &mut rng,
            )?;
            arenas.push(Arena {
                problem,
                condition: condition.clone(),
                beliefs,
            });
        }
    }
    Ok(arenas)
}

fn problem(name: &str) -> anyhow::Result<Box<dyn Problem>> {
    Ok(match name {
        "momf_branin_currin" => Box::new(MomfBraninCurrin::new()),
        "momf_park" => Box::new(MomfPark::new()),
        "mf_zdt6_d10" => Box::new(MfZdt::zdt6(10)),
        _ => bail!(
            "unknown problem `{name}`; there are: {}",
            PROBLEMS.join(", ")
        ),
    })
}

fn qualities(condition: &str) -> anyhow::Result<Vec<ExpertQuality>> {
    ensure!(
        CONDITIONS.contains(&condition),
        "unknown condition `{condition}`; there are: {}",
        CONDITIONS.join(", ")
    );
    let quality = |word| match word {
        "good" => ExpertQuality::Good,
        _ => ExpertQuality::Bad,
    };
    Ok(condition.split('-').map(quality).collect())
}

fn variant(name: &str) -> anyhow::Result<PrimoConfig> {
    Ok(match name {
        "improved" => PrimoConfig::improved(),
        "as-run" => PrimoConfig::as_run(),
        "paper" => PrimoConfig::paper(),
        _ => bail!(
            "unknown variant `{name}`; there are: {}",
            VARIANTS.join(", ")
        ),
    })
}

impl Arena {
    fn job(&self, seed: u32, terms: Terms) -> Job<'_> {
        let centre = |objective| {
            let belief = self.beliefs.get(objective)?;
            // In these spaces natural units are those of the unit cube.
            Some(belief.mode().coords().to_vec())
        };
        Job {
            problem: self.problem.name(),
            seed,
            budget: terms.budget,
            initial_design_size: terms.initial_design_size,
            confidence: terms.confidence,
            centers: (0..self.beliefs.len()).map(centre).collect(),
        }
    }

    /// Runs ours. A suggestion's time is that of being told the last outcome and of being asked.
    fn ours(&self, method: &str, seed: u32, terms: Terms) -> anyhow::Result<Vec<Evaluation>> {
        let seed = Seed(u64::from(seed));
        let mut strategy = variant(method)?.build(
            self.problem.space(),
            self.problem.objectives(),
            self.beliefs.clone(),
            &mut seed.stream(Purpose::Init, 0),
        )?;
        let mut budget = FidelityBudget::new(terms.budget);
        let mut evaluations = Vec::new();
        let mut told = Lap::default();
        for trial in 0.. {
            let watch = Stopwatch::of_thread();
            let mut rng = seed.stream(Purpose::Ask, trial);
            let proposed = strategy.ask(NonZeroUsize::MIN, &[], &mut rng)?;
            let lap = told.plus(watch.lap());
            let candidate = proposed.into_iter().next().context("an empty proposal")?;
            if !budget.try_spend(&candidate) {
                break;
            }
            let mut rng = seed.stream(Purpose::Evaluate, trial);
            let outcome = self.problem.evaluate(&candidate, &mut rng)?;
            let objectives = outcome.costs().and_then(|costs| costs.complete());
            evaluations.push(Evaluation {
                x: candidate.point.coords().to_vec(),
                fidelity: candidate.fidelity.unwrap_or_default().value(),
                objectives: objectives.context("a value of the problem is missing")?,
                seconds: lap.seconds,
                cpu_seconds: lap.cpu_seconds,
            });
            let observation = Observation {
                trial: TrialId(trial),
                candidate,
                outcome,
            };
            let watch = Stopwatch::of_thread();
            let mut rng = seed.stream(Purpose::Tell, trial);
            strategy.tell(&[observation], &mut rng)?;
            told = watch.lap();
        }
        Ok(evaluations)
    }

    /// Sums a run up, with our own values of the problem and our own account of the budget.
    fn row(
        &self,
        method: &str,
        seed: u32,
        terms: Terms,
        evaluations: &[Evaluation],
    ) -> anyhow::Result<Row> {
        let mut budget = FidelityBudget::new(terms.budget);
        let mut full = Vec::new();
        let (mut all, mut model) = (Lap::default(), Lap::default());
        let mut model_suggestions = 0;
        for evaluation in evaluations {
            let fidelity = Fidelity::new(evaluation.fidelity)?;
            let point = UnitPoint::new(evaluation.x.clone())?;
            let candidate = Candidate::at(point).with_fidelity(fidelity);
            let starts = budget.cost_of(&candidate) > 1.0 - 1e-9;
            ensure!(budget.try_spend(&candidate), "the budget was overdrawn");
            let known = self.problem.noise_free(&candidate);
            let costs = known
                .as_ref()
                .and_then(|outcome| outcome.costs()?.complete());
            let costs = costs.context("a value of the problem is missing")?;
            ensure!(
                costs.len() == evaluation.objectives.len()
                    && costs
                        .iter()
                        .zip(&evaluation.objectives)
                        .all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + a.abs())),
                "the sides disagree at {:?}: {costs:?} and {:?}",
                evaluation.x,
                evaluation.objectives
            );
            let lap = Lap {
                seconds: evaluation.seconds,
                cpu_seconds: evaluation.cpu_seconds,
            };
            all = all.plus(lap);
            if fidelity == Fidelity::FULL {
                full.push(costs);
                if starts {
                    model_suggestions += 1;
                    model = model.plus(lap);
                }
            }
        }
        let reference = self.problem.reference_point();
        Ok(Row {
            problem: self.problem.name().to_owned(),
            condition: self.condition.clone(),
            seed,
            method: method.to_owned(),
            budget: terms.budget,
            spent: budget.spent(),
            evaluations: evaluations.len(),
            full: full.len(),
            hypervolume: score::hypervolume(&full, reference.value),
            seconds: all.seconds,
            cpu_seconds: all.cpu_seconds,
            model_suggestions,
            model_seconds: model.seconds,
            model_cpu_seconds: model.cpu_seconds,
        })
    }
}

#[cfg(test)]
mod tests;
