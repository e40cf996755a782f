//! Whole optimisations: how far each method gets in fifty evaluations, and what its suggestions cost.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use warmfront_core::{Purpose, Seed, UnitPoint};
use warmfront_problems::{
    Design, Problem as _, Synthetic, branin_currin, design_points, dtlz2, hartmann6,
};

pub use self::page::{Goal, Line, goals, lines, markdown, tally, write};
use super::contest::Contest;
use super::protocol::{Answer, Point, Request, Run, Values};
use super::sides::{Party, Side};
use crate::cell::fnv1a;
use crate::{score, setup, store};

/// Evaluations of a run, those of the initial design included.
pub const EVALUATIONS: usize = 50;
/// Names of the problems.
pub const PROBLEMS: [&str; 3] = ["hartmann6", "branin_currin", "dtlz2"];

/// A problem with what a run on it should reach.
pub struct Arena {
    name: &'static str,
    problem: Synthetic,
    goal: f64,
}

impl Arena {
    /// The problem with this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let (name, problem, goal) = match name {
            "hartmann6" => (PROBLEMS[0], hartmann6(), 0.01),
            "branin_currin" => (PROBLEMS[1], branin_currin(), 0.975),
            "dtlz2" => (PROBLEMS[2], dtlz2(6, 2), 0.72),
            other => bail!(
                "unknown problem `{other}`; there are: {}",
                PROBLEMS.join(", ")
            ),
        };
        Ok(Self {
            name,
            problem,
            goal,
        })
    }

    /// Whether the score is a regret, which is to be small, and not a share of the largest hypervolume.
    fn is_regret(&self) -> bool {
        self.problem.objectives().len() == 1
    }

    /// Regret or share of the largest hypervolume.
    fn score(&self, costs: &[Vec<f64>]) -> f64 {
        if let Some(optimum) = self.problem.optimum() {
            let best = costs.iter().map(|c| c[0]).fold(f64::INFINITY, f64::min);
            // The published optimum is rounded.
            return (best - optimum.value.cost).max(0.0);
        }
        let reference = self.problem.reference_point().value;
        let largest = self.problem.max_hypervolume().map_or(1.0, |v| v.value);
        score::hypervolume(costs, reference) / largest
    }

    /// What the score should reach, as a cost.
    fn goal_cost(&self) -> f64 {
        self.cost(self.goal)
    }

    /// The score as a cost: smaller is better.
    fn cost(&self, score: f64) -> f64 {
        if self.is_regret() { score } else { -score }
    }

    /// The same initial design for all methods: `2(d + 1)` points of a Sobol sequence.
    fn design(&self, seed: u32) -> Vec<UnitPoint> {
        let space = self.problem.space();
        let mut rng = Seed(u64::from(seed)).stream(Purpose::Init, 1);
        design_points(space, 2 * (space.dim() + 1), Design::Sobol, &mut rng)
    }
}

/// A method that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The plain Gaussian-process strategy of ours, for outcomes with little noise.
    Ours,
    /// The same as a user has it who chooses nothing.
    OursDefault,
    /// Uniform random points.
    Random,
    /// The loop of a library.
    Peer(Side),
}

impl Method {
    /// Every method, the slow ones last.
    pub const ALL: [Self; 6] = [
        Self::Ours,
        Self::OursDefault,
        Self::Random,
        Self::Peer(Side::Egobox),
        Self::Peer(Side::Optuna),
        Self::Peer(Side::Botorch),
    ];

    /// The method of a side that has a loop.
    #[must_use]
    pub fn of(side: Side) -> Option<Self> {
        let side = match side {
            Side::OneThread => Side::Ours,
            other => other,
        };
        Self::ALL.into_iter().find(|method| method.side() == side)
    }

    /// The method with this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.with_context(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown method `{name}`; there are: {names}")
        })
    }

    /// Name on command lines and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::OursDefault => "ours-default",
            _ => self.side().name(),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::OursDefault => "ours, default configuration",
            _ => self.side().label(),
        }
    }

    /// Whether it is of another library.
    #[must_use]
    pub fn is_peer(self) -> bool {
        matches!(self, Self::Peer(_))
    }

    /// Whose process runs it.
    fn side(self) -> Side {
        match self {
            Self::Ours | Self::OursDefault | Self::Random => Side::Ours,
            Self::Peer(side) => side,
        }
    }
}

/// One run, kept in a file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cell {
    /// The method.
    pub method: String,
    /// The problem.
    pub problem: String,
    /// Number of the seed.
    pub seed: u32,
    /// Of everything that determines it: what runs on the method's side, the problem, the design.
    pub key: String,
    /// Version by package, of the method's side.
    pub versions: BTreeMap<String, String>,
    /// The machine.
    pub machine: String,
    /// The commit, and whether there were changes since.
    pub commit: String,
    /// Date and time.
    pub measured: String,
    /// Why there is no whole run.
    pub failure: Option<String>,
    /// Whether the method ended by itself before the last evaluation.
    pub ended: bool,
    /// Evaluations of the initial design.
    pub design: usize,
    /// What was suggested after the design.
    pub points: Vec<Vec<f64>>,
    /// Regret or share of the largest hypervolume after each evaluation.
    pub scores: Vec<f64>,
    /// Seconds of each suggestion after the design.
    pub seconds: Vec<f64>,
    /// The same of processor time.
    pub cpu_seconds: Vec<f64>,
}

impl Cell {
    /// Where the suggestions begin that came after `evaluations`.
    #[must_use]
    pub fn late(&self, evaluations: usize) -> usize {
        evaluations.saturating_sub(self.design)
    }

    /// The final score with what it should reach, both larger is better, and the points.
    #[must_use]
    pub fn values(&self, arena: &Arena) -> Values {
        [
            ("score", vec![-arena.cost(self.last())]),
            ("goal", vec![-arena.goal_cost()]),
            ("points", self.points.concat()),
        ]
        .map(|(name, list)| (name.to_owned(), list))
        .into()
    }

    fn last(&self) -> f64 {
        self.scores.last().copied().unwrap_or(f64::NAN)
    }
}

/// Makes one run.
///
/// A loop that ends by itself before the last evaluation stays where it is.
///
/// # Errors
/// If the process fails, or suggests what is no point.
pub fn run(party: &mut Party, method: Method, arena: &Arena, seed: u32) -> anyhow::Result<Cell> {
    let design: Vec<Vec<f64>> = arena
        .design(seed)
        .iter()
        .map(|point| point.coords().to_vec())
        .collect();
    let problem = &arena.problem;
    let mut costs: Vec<Vec<f64>> = design.iter().map(|x| problem.value(x)).collect();
    let mut cell = Cell {
        method: method.name().to_owned(),
        problem: arena.name.to_owned(),
        seed,
        versions: party.versions.clone(),
        design: design.len(),
        scores: (1..=costs.len())
            .map(|end| arena.score(&costs[..end]))
            .collect(),
        ..Cell::default()
    };
    let run = Run {
        method: method.name().to_owned(),
        dim: problem.space().dim(),
        objectives: problem.objectives().len(),
        reference: problem.reference_point().value.to_vec(),
        steps: EVALUATIONS - design.len(),
        x: design,
        y: costs.clone(),
        seed,
    };
    party.ask(&Request::Start { run })?;
    let mut y = None;
    for step in costs.len()..EVALUATIONS {
        let point = match party.ask(&Request::Step { y: y.take() }) {
            Ok(Answer::Point(point)) => point,
            Ok(other) => bail!("expected a point, got {other:?}"),
            Err(error) if step > cell.design && error.to_string().contains("ended by itself") => {
                cell.scores.resize(EVALUATIONS, cell.last());
                cell.ended = true;
                break;
            }
            Err(error) => return Err(error),
        };
        let Point {
            x,
            seconds,
            cpu_seconds,
        } = point;
        let x = UnitPoint::new(x)?;
        ensure!(
            x.coords().len() == problem.space().dim(),
            "a point of {} coordinates instead of {}",
            x.coords().len(),
            problem.space().dim()
        );
        cell.points.push(x.coords().to_vec());
        let value = problem.value(x.coords());
        costs.push(value.clone());
        cell.scores.push(arena.score(&costs));
        cell.seconds.push(seconds);
        cell.cpu_seconds.push(cpu_seconds);
        y = Some(value);
    }
    Ok(cell)
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The methods, in the order in which they run.
    pub methods: Vec<Method>,
    /// Names from [`PROBLEMS`].
    pub problems: Vec<String>,
    /// Number of seeds.
    pub seeds: u32,
    /// Threads of every method.
    pub threads: usize,
}

impl Plan {
    /// Every run in turns: problem by problem, seed by seed, method by method.
    fn runs(&self) -> impl Iterator<Item = (&String, u32, Method)> {
        let seeds = move |problem| (0..self.seeds).map(move |seed| (problem, seed));
        let methods = move |(problem, seed)| self.methods.iter().map(move |&m| (problem, seed, m));
        self.problems.iter().flat_map(seeds).flat_map(methods)
    }
}

fn path(folder: &Path, method: Method, problem: &str, seed: u32) -> PathBuf {
    folder.join(format!("{}-{problem}-{seed:03}.json", method.name()))
}

/// Sixteen hexadecimal digits that change with anything that determines a run.
fn key(method: Method, arena: &Arena, seed: u32, threads: usize) -> String {
    let design = arena.design(seed);
    let costs: Vec<_> = design
        .iter()
        .map(|x| arena.problem.value(x.coords()))
        .collect();
    let text = format!(
        "{} {} {} {seed} {EVALUATIONS} {threads} {design:?} {costs:?} {:?} {}",
        method.name(),
        method.side().fingerprint(),
        arena.name,
        arena.problem.reference_point().value,
        setup::machine(),
    );
    format!("{:016x}", fnv1a(text.as_bytes()))
}

/// The runs of a plan that there are in `folder` and that nothing has changed about since, those that
/// failed included.
///
/// # Errors
/// If a problem is unknown.
pub fn read(plan: &Plan, folder: &Path) -> anyhow::Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (problem, seed, method) in plan.runs() {
        let text = std::fs::read(path(folder, method, problem, seed));
        let cell = text
            .ok()
            .and_then(|t| serde_json::from_slice::<Cell>(&t).ok());
        let key = key(method, &Arena::new(problem)?, seed, plan.threads);
        cells.extend(cell.filter(|c| c.key == key));
    }
    Ok(cells)
}

/// After how many failures in a row a method is given up on a problem.
const FAILURES: usize = 3;

/// Makes the runs that `folder` does not have yet, in turns: seed by seed, every method. One that fails
/// stops no other; it is kept and not tried again unless `again`.
///
/// # Errors
/// If a problem is unknown, or a file cannot be written.
pub fn run_all(
    plan: &Plan,
    folder: &Path,
    contest: &mut Contest,
    again: bool,
    mut tell: impl FnMut(&str),
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let known: BTreeMap<(String, u32, String), bool> = read(plan, folder)?
        .into_iter()
        .filter(|cell| cell.failure.is_none() || !again)
        .map(|cell| {
            (
                (cell.problem, cell.seed, cell.method),
                cell.failure.is_some(),
            )
        })
        .collect();
    let mut missing = BTreeSet::new();
    let mut failures: BTreeMap<(&String, Method), usize> = BTreeMap::new();
    for (problem, seed, method) in plan.runs() {
        let failed = failures.entry((problem, method)).or_default();
        let name = (problem.clone(), seed, method.name().to_owned());
        if let Some(has_failed) = known.get(&name) {
            *failed = if *has_failed { *failed + 1 } else { 0 };
            continue;
        }
        if missing.contains(&method) || *failed >= FAILURES {
            continue;
        }
        let side = method.side();
        if let Err(error) = contest.party(side, plan.threads) {
            tell(&format!("{}: {error:#}", method.label()));
            missing.insert(method);
            continue;
        }
        let arena = Arena::new(problem)?;
        let done = contest.run_loop(side, plan.threads, method, &arena, seed);
        *failed = if done.is_err() { *failed + 1 } else { 0 };
        let cell = Cell {
            key: key(method, &arena, seed, plan.threads),
            machine: setup::machine().to_owned(),
            commit: contest.commit().to_owned(),
            measured: setup::now(),
            ..done.unwrap_or_else(|error| Cell {
                method: method.name().to_owned(),
                problem: problem.clone(),
                seed,
                failure: Some(format!("{error:#}")),
                ..Cell::default()
            })
        };
        let text = serde_json::to_vec(&cell)?;
        store::replace(&path(folder, method, problem, seed), |file| {
            Ok(std::io::Write::write_all(file, &text)?)
        })?;
        let result = match &cell.failure {
            Some(reason) => reason.clone(),
            None => format!("{:.4}", cell.last()),
        };
        let label = method.label();
        tell(&format!("{label} on {problem}, seed {seed}: {result}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_regrets_and_shares() {
        let arena = Arena::new("hartmann6").unwrap();
        let best = arena.problem.optimum().unwrap().value.points[0].clone();
        let at_best = arena.problem.value(best.coords());
        assert!(arena.score(&[vec![-1.0], at_best]) < 1e-4);
        assert!((arena.score(&[vec![-1.0]]) - 2.322_37).abs() < 1e-9);
        let arena = Arena::new("dtlz2").unwrap();
        let share = arena.score(&[vec![0.0, 1.0], vec![1.0, 0.0]]);
        assert!((0.1..1.0).contains(&share), "{share}");
        assert!(Arena::new("dtlz9").is_err());
    }

    #[test]
    fn designs_depend_on_the_seed_only() {
        let arena = Arena::new("branin_currin").unwrap();
        assert_eq!(arena.design(3), arena.design(3));
        assert_ne!(arena.design(3), arena.design(4));
        assert_eq!(arena.design(0).len(), 6);
    }

    #[test]
    fn runs_take_turns() {
        let plan = Plan {
            methods: vec![Method::Ours, Method::Random],
            problems: vec!["hartmann6".into()],
            seeds: 2,
            threads: 1,
        };
        let order: Vec<(u32, &str)> = plan.runs().map(|(_, s, m)| (s, m.name())).collect();
        let expected = [(0, "ours"), (0, "random"), (1, "ours"), (1, "random")];
        assert_eq!(order, expected);
    }

    #[test]
    fn keys_are_of_everything_that_determines_a_run() {
        let arena = |name: &str| Arena::new(name).unwrap();
        let keys = [
            key(Method::Ours, &arena("hartmann6"), 0, 1),
            key(Method::OursDefault, &arena("hartmann6"), 0, 1),
            key(Method::Ours, &arena("dtlz2"), 0, 1),
            key(Method::Ours, &arena("hartmann6"), 1, 1),
            key(Method::Ours, &arena("hartmann6"), 0, 2),
        ];
        let different: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(keys[0], key(Method::Ours, &arena("hartmann6"), 0, 1));
    }

    #[test]
    fn methods_have_names_and_sides() {
        for method in Method::ALL {
            assert_eq!(Method::find(method.name()).unwrap(), method);
        }
        assert_eq!(Method::of(Side::Ours), Some(Method::Ours));
        assert_eq!(Method::of(Side::OneThread), Some(Method::Ours));
        assert_eq!(Method::of(Side::Moocore), None);
        let error = Method::find("theirs").unwrap_err().to_string();
        assert!(error.contains("ours-default"), "{error}");
    }
}
