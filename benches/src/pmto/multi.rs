//! Boxes of tasks with several objectives: one strategy for all tasks against a strategy for each.
//!
//! All methods spend the same number of evaluations in total. Those with fixed tasks spend them
//! evenly on the tasks of a Latin hypercube, which are the same for all of them; their *offline*
//! measure is the hypervolume of what they evaluated, over that of the true front, averaged over
//! these tasks. The *online* measures are of tasks that no method has seen: the same ratio for the
//! solutions that a method names without an evaluation.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use anyhow::{Context as _, bail};
use rand::RngExt;
use warmfront_core::{Candidate, Observation, Purpose, Seed, Strategy, TrialId, UnitPoint};
use warmfront_math::sobol::Sobol;
use warmfront_meta::baseline::IndependentGpModel;
use warmfront_meta::pmto::{FrontModel, MultiPmto, MultiPmtoConfig};
use warmfront_meta::{ModelBased, ModelBasedConfig};
use warmfront_pareto::{Points, hypervolume};
use warmfront_problems::parametric::{
    DtlzKind, FrontKind, OneTask, ParametricDtlz, ParametricProblem, ShiftedFront, TaskShift,
};

/// Fixed tasks.
pub const TASKS: usize = 8;
/// Evaluations of each fixed task before a model proposes.
pub const INITIAL: usize = 10;
/// Unseen tasks.
pub const TESTS: usize = 50;
/// Points of a front that is named for an unseen task.
pub const FRONT: usize = 30;

/// Names of the problems.
pub const PROBLEMS: [&str; 8] = [
    "dtlz1",
    "dtlz2",
    "dtlz3",
    "shifted-zdt1",
    "shifted-zdt2",
    "shifted-zdt3",
    "shifted-dtlz2",
    "shifted-dtlz7",
];

/// Names of the methods.
pub const METHODS: [&str; 4] = [
    "multi-pmto",
    "multi-pmto-ft",
    "alone-qlognehvi",
    "multi-random",
];

/// A box of tasks by name.
#[must_use]
pub fn problem(name: &str) -> Option<Box<dyn ParametricProblem>> {
    let dtlz = |kind| Box::new(ParametricDtlz::new(kind, 5)) as Box<dyn ParametricProblem>;
    let shifted = |kind| Box::new(ShiftedFront::new(kind, TaskShift::I, 5, 3)) as _;
    Some(match name {
        "dtlz1" => dtlz(DtlzKind::Dtlz1),
        "dtlz2" => dtlz(DtlzKind::Dtlz2),
        "dtlz3" => dtlz(DtlzKind::Dtlz3),
        "shifted-zdt1" => shifted(FrontKind::Zdt1),
        "shifted-zdt2" => shifted(FrontKind::Zdt2),
        "shifted-zdt3" => shifted(FrontKind::Zdt3),
        "shifted-dtlz2" => shifted(FrontKind::Dtlz2),
        "shifted-dtlz7" => shifted(FrontKind::Dtlz7),
        _ => return None,
    })
}

/// What a run left behind.
#[derive(Debug, Clone, Default)]
pub struct MultiRun {
    /// Named numbers.
    pub measures: BTreeMap<String, f64>,
    /// Mean relative hypervolume of the fixed tasks after each round of one evaluation of every task;
    /// empty for a method that chooses its tasks.
    pub trace: Vec<f64>,
}

struct Arena {
    problem: Box<dyn ParametricProblem>,
    best: f64,
    reference: Vec<f64>,
    tasks: Vec<UnitPoint>,
    tests: Vec<UnitPoint>,
    seed: Seed,
}

impl Arena {
    fn costs(&self, point: &UnitPoint, task: &UnitPoint) -> anyhow::Result<Vec<f64>> {
        let candidate = Candidate::at(point.clone()).with_task(task.clone());
        let outcome = self.problem.noise_free(&candidate).context("no formula")?;
        let costs = outcome.costs().and_then(|costs| costs.complete());
        costs.context("a failed evaluation")
    }

    /// Hypervolume over that of the true front.
    fn score(&self, costs: &[Vec<f64>]) -> f64 {
        Points::new(&costs.concat(), self.reference.len()).map_or(0.0, |points| {
            hypervolume(points, &self.reference) / self.best
        })
    }

    /// Mean score of the solutions that `answer` names for unseen tasks.
    fn online(&self, answer: &dyn Fn(&UnitPoint) -> Vec<UnitPoint>) -> anyhow::Result<f64> {
        let mut sum = 0.0;
        for task in &self.tests {
            let costs: Vec<Vec<f64>> = answer(task)
                .iter()
                .map(|x| self.costs(x, task))
                .collect::<anyhow::Result<_>>()?;
            sum += self.score(&costs);
        }
        Ok(sum / self.tests.len() as f64)
    }
}

/// Runs a method on a box of tasks for `evaluations` evaluations in total.
///
/// # Errors
/// For an unknown name and errors of the strategies.
pub fn run(name: &str, method: &str, seed: u64, evaluations: usize) -> anyhow::Result<MultiRun> {
    let arena = arena(name, seed)?;
    let mut run = MultiRun::default();
    let observations = match method {
        "multi-pmto" => {
            let mut rng = arena.seed.stream(Purpose::Init, 0);
            let mut strategy = config(&arena).build(
                arena.problem.space(),
                arena.problem.task_dim(),
                arena.problem.objectives(),
                &mut rng,
            )?;
            drive(&arena, &mut strategy, evaluations, None)?
        }
        "multi-pmto-ft" => {
            let mut rng = arena.seed.stream(Purpose::Init, 0);
            let mut strategy = MultiPmtoConfig {
                tasks: MultiPmtoConfig::fixed_tasks(arena.tasks.clone(), INITIAL).tasks,
                round: TASKS,
                ..config(&arena)
            }
            .build(
                arena.problem.space(),
                arena.problem.task_dim(),
                arena.problem.objectives(),
                &mut rng,
            )?;
            drive(&arena, &mut strategy, evaluations, None)?
        }
        "alone-qlognehvi" => alone(&arena, evaluations)?,
        "multi-random" => random(&arena, evaluations)?,
        _ => bail!("unknown method {method}"),
    };
    if method != "multi-pmto" {
        offline(&arena, &observations, &mut run)?;
        let nearest = nearest_fronts(&arena, &observations)?;
        let answer = |task: &UnitPoint| nearest(task);
        run.measures
            .insert("online/nearest".into(), arena.online(&answer)?);
    }
    // The same map for the evaluations of every method.
    let model = front_model(&arena, &observations)?;
    run.measures.insert(
        "online/map".into(),
        arena.online(&|task| model.front(task, FRONT))?,
    );
    run.measures.insert(
        "online/refined".into(),
        arena.online(&|task| model.refined_front(task, FRONT))?,
    );
    Ok(run)
}

fn config(arena: &Arena) -> MultiPmtoConfig {
    MultiPmtoConfig {
        // As the strategy that solves one task gets it.
        reference_point: Some(arena.reference.clone()),
        ..MultiPmtoConfig::default()
    }
}

fn arena(name: &str, seed: u64) -> anyhow::Result<Arena> {
    let problem = problem(name).with_context(|| format!("unknown problem {name}"))?;
    let seed = Seed(0x006d_756c_7469).child(seed);
    let best = problem.max_hypervolume().context("no known front")?.value;
    let reference = problem.reference_point().value.to_vec();
    let d = problem.task_dim();
    let tests = Sobol::scrambled(d, &mut Seed(1).stream(Purpose::Init, 0))?
        .points(TESTS)
        .chunks_exact(d)
        .map(UnitPoint::clamped)
        .collect();
    let tasks = latin_hypercube(TASKS, d, seed);
    Ok(Arena {
        problem,
        best,
        reference,
        tasks,
        tests,
        seed,
    })
}

fn latin_hypercube(count: usize, dim: usize, seed: Seed) -> Vec<UnitPoint> {
    let mut rng = seed.stream(Purpose::Init, 7);
    let columns: Vec<Vec<f64>> = (0..dim)
        .map(|_| {
            let mut cells: Vec<usize> = (0..count).collect();
            for i in (1..count).rev() {
                cells.swap(i, rng.random_range(0..=i as u64) as usize);
            }
            let at = |cell| (cell as f64 + rng.random::<f64>()) / count as f64;
            cells.into_iter().map(at).collect()
        })
        .collect();
    (0..count)
        .map(|i| UnitPoint::clamped(columns.iter().map(|c| c[i]).collect::<Vec<_>>()))
        .collect()
}

/// Asks and tells one by one; `task` is what the candidates of a strategy without tasks are about.
fn drive(
    arena: &Arena,
    strategy: &mut dyn Strategy,
    evaluations: usize,
    task: Option<&UnitPoint>,
) -> anyhow::Result<Vec<Observation>> {
    let seed = match task {
        Some(task) => {
            let index = arena.tasks.iter().position(|t| t == task).unwrap_or(0);
            arena.seed.child(100 + index as u64)
        }
        None => arena.seed,
    };
    let mut all = Vec::with_capacity(evaluations);
    for trial in 0..evaluations as u64 {
        let mut rng = seed.stream(Purpose::Ask, trial);
        let candidate = strategy
            .ask(NonZeroUsize::MIN, &[], &mut rng)?
            .into_iter()
            .next()
            .context("an empty proposal")?;
        let full = match task {
            Some(task) => candidate.clone().with_task(task.clone()),
            None => candidate.clone(),
        };
        let mut rng = seed.stream(Purpose::Evaluate, trial);
        let outcome = arena.problem.evaluate(&full, &mut rng)?;
        let told = Observation {
            trial: TrialId(trial),
            candidate,
            outcome,
        };
        let mut rng = seed.stream(Purpose::Tell, trial);
        strategy.tell(std::slice::from_ref(&told), &mut rng)?;
        all.push(Observation {
            candidate: full,
            ..told
        });
    }
    Ok(all)
}

/// Independent processes and qLogNEHVI on each task by itself.
fn alone(arena: &Arena, evaluations: usize) -> anyhow::Result<Vec<Observation>> {
    let mut by_task = Vec::with_capacity(TASKS);
    for (index, task) in arena.tasks.iter().enumerate() {
        let one = OneTask::new(&arena.problem, task.clone())?;
        let config = ModelBasedConfig {
            reference_point: Some(arena.reference.clone()),
            initial_trials: Some(INITIAL),
            ..ModelBasedConfig::default()
        };
        let mut rng = arena
            .seed
            .child(100 + index as u64)
            .stream(Purpose::Init, 0);
        use warmfront_problems::Problem as _;
        let mut strategy = ModelBased::new(
            IndependentGpModel::default(),
            one.space(),
            one.objectives(),
            config,
            &mut rng,
        )?;
        by_task.push(drive(
            arena,
            &mut strategy,
            evaluations / TASKS,
            Some(task),
        )?);
    }
    // In rounds, as the other methods go.
    let mut all = Vec::with_capacity(evaluations);
    for step in 0..evaluations / TASKS {
        for own in &by_task {
            let trial = TrialId(all.len() as u64);
            all.push(Observation {
                trial,
                ..own[step].clone()
            });
        }
    }
    Ok(all)
}

fn random(arena: &Arena, evaluations: usize) -> anyhow::Result<Vec<Observation>> {
    let mut all = Vec::with_capacity(evaluations);
    for trial in 0..evaluations as u64 {
        let mut rng = arena.seed.stream(Purpose::Ask, trial);
        let task = &arena.tasks[trial as usize % TASKS];
        let candidate =
            Candidate::at(arena.problem.space().sample(&mut rng)).with_task(task.clone());
        let outcome = arena.problem.evaluate(&candidate, &mut rng)?;
        all.push(Observation {
            trial: TrialId(trial),
            candidate,
            outcome,
        });
    }
    Ok(all)
}

fn of_task<'a>(
    observations: &'a [Observation],
    task: &'a UnitPoint,
) -> impl Iterator<Item = &'a Observation> {
    observations
        .iter()
        .filter(move |o| o.candidate.task.as_ref() == Some(task))
}

fn offline(arena: &Arena, observations: &[Observation], run: &mut MultiRun) -> anyhow::Result<()> {
    let rounds = observations.len() / TASKS;
    run.trace = vec![0.0; rounds];
    for task in &arena.tasks {
        let mut costs = Vec::new();
        let mut own = of_task(observations, task);
        for mean in &mut run.trace {
            if let Some(o) = own.next() {
                costs.push(arena.costs(&o.candidate.point, task)?);
            }
            *mean += arena.score(&costs) / TASKS as f64;
        }
    }
    for (name, at) in [("offline/half", rounds / 2), ("offline", rounds)] {
        if let Some(value) = at.checked_sub(1).and_then(|i| run.trace.get(i)) {
            run.measures.insert(name.into(), *value);
        }
    }
    Ok(())
}

/// Answers an unseen task by the non-dominated solutions of the nearest fixed one.
fn nearest_fronts<'a>(
    arena: &'a Arena,
    observations: &[Observation],
) -> anyhow::Result<impl Fn(&UnitPoint) -> Vec<UnitPoint> + 'a> {
    let mut fronts = Vec::with_capacity(TASKS);
    for task in &arena.tasks {
        let points: Vec<&UnitPoint> = of_task(observations, task)
            .map(|o| &o.candidate.point)
            .collect();
        let mut costs = Vec::new();
        for x in &points {
            costs.extend(arena.costs(x, task)?);
        }
        let front = warmfront_pareto::non_dominated(Points::new(&costs, arena.reference.len())?);
        fronts.push(
            front
                .into_iter()
                .map(|i| points[i].clone())
                .collect::<Vec<_>>(),
        );
    }
    Ok(move |at: &UnitPoint| {
        let distance = |task: &UnitPoint| -> f64 {
            let pairs = task.coords().iter().zip(at.coords());
            pairs.map(|(a, b)| (a - b).powi(2)).sum()
        };
        let nearest = (0..TASKS)
            .min_by(|&a, &b| distance(&arena.tasks[a]).total_cmp(&distance(&arena.tasks[b])));
        nearest.map_or_else(Vec::new, |index| fronts[index].clone())
    })
}

fn front_model(arena: &Arena, observations: &[Observation]) -> anyhow::Result<FrontModel> {
    let mut rng = arena.seed.stream(Purpose::Init, 1);
    let mut learner: MultiPmto = config(arena).build(
        arena.problem.space(),
        arena.problem.task_dim(),
        arena.problem.objectives(),
        &mut rng,
    )?;
    learner.tell(observations, &mut rng)?;
    Ok(learner.front_model()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_scored_between_nothing_and_the_whole_front() -> anyhow::Result<()> {
        for method in METHODS {
            let done = run("dtlz2", method, 3, 96)?;
            let fixed = method != "multi-pmto";
            assert_eq!(done.trace.len(), if fixed { 12 } else { 0 });
            assert_eq!(done.measures.contains_key("offline"), fixed);
            assert!(done.measures.contains_key("online/refined"));
            for (name, value) in &done.measures {
                assert!((0.3..=1.0).contains(value), "{method} {name}: {value}");
            }
            // What has been reached is not lost again.
            assert!(done.trace.windows(2).all(|pair| pair[0] <= pair[1]));
        }
        assert!(run("dtlz2", "nothing", 3, 96).is_err());
        assert!(run("nothing", "multi-random", 3, 96).is_err());
        Ok(())
    }

    #[test]
    fn every_problem_has_a_front_to_be_measured_against() {
        for name in PROBLEMS {
            let problem = problem(name).unwrap_or_else(|| panic!("{name} is not known"));
            assert!(problem.max_hypervolume().is_some(), "{name}");
        }
    }
}
