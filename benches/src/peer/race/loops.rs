//! Whole optimisations: how far each method gets in fifty evaluations, and what its suggestions cost.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use warmfront_core::{Purpose, Seed, UnitPoint};
use warmfront_problems::{
    Design, Problem as _, Synthetic, branin_currin, design_points, dtlz2, hartmann6,
};

use super::contest::Contest;
use super::protocol::{Answer, Point, Request, Run};
use super::rows::LOOP_FROM;
use super::sides::{Party, Side};
use crate::score;
use crate::stats::{holm, median, paired, quantile};

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
    /// The plain Gaussian-process strategy of ours.
    Ours,
    /// Uniform random points.
    Random,
    /// The loop of a library.
    Peer(Side),
}

impl Method {
    /// Every method, the slow ones last.
    pub const ALL: [Self; 5] = [
        Self::Ours,
        Self::Random,
        Self::Peer(Side::Egobox),
        Self::Peer(Side::Optuna),
        Self::Peer(Side::Botorch),
    ];

    /// The method of a side that has a loop.
    #[must_use]
    pub fn of(side: Side) -> Option<Self> {
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
            _ => self.side().name(),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Random => "random",
            _ => self.side().label(),
        }
    }

    /// Whose process runs it.
    fn side(self) -> Side {
        match self {
            Self::Ours | Self::Random => Side::Ours,
            Self::Peer(side) => side,
        }
    }
}

/// One run, kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The method.
    pub method: String,
    /// The problem.
    pub problem: String,
    /// Number of the seed.
    pub seed: u32,
    /// Version of the method.
    pub version: String,
    /// Evaluations of the initial design.
    pub design: usize,
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

    fn last(&self) -> f64 {
        self.scores.last().copied().unwrap_or(f64::NAN)
    }
}

/// Makes one run.
///
/// A loop that ends by itself before the last evaluation stays where it is.
///
/// # Errors
/// If the process fails before it has suggested anything, or suggests what is no point.
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
        version: method.side().version().to_owned(),
        design: design.len(),
        scores: (1..=costs.len())
            .map(|end| arena.score(&costs[..end]))
            .collect(),
        seconds: Vec::new(),
        cpu_seconds: Vec::new(),
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

fn path(folder: &Path, method: Method, problem: &str, seed: u32) -> PathBuf {
    folder.join(format!("{}-{problem}-{seed:03}.json", method.name()))
}

/// The runs of a plan that there are in `folder`.
#[must_use]
pub fn read(plan: &Plan, folder: &Path) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &method in &plan.methods {
        for problem in &plan.problems {
            for seed in 0..plan.seeds {
                let text = std::fs::read(path(folder, method, problem, seed));
                let cell = text
                    .ok()
                    .and_then(|t| serde_json::from_slice::<Cell>(&t).ok());
                cells.extend(cell.filter(|c| c.version == method.side().version()));
            }
        }
    }
    cells
}

/// Makes the runs that `folder` does not have yet; one that fails does not stop the others, but its method
/// on that problem.
///
/// # Errors
/// If a problem is unknown, or a file cannot be written.
pub fn run_all(
    plan: &Plan,
    folder: &Path,
    contest: &mut Contest,
    mut tell: impl FnMut(&str),
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let known: Vec<(String, String, u32)> = read(plan, folder)
        .into_iter()
        .map(|cell| (cell.method, cell.problem, cell.seed))
        .collect();
    for &method in &plan.methods {
        for problem in &plan.problems {
            let arena = Arena::new(problem)?;
            for seed in 0..plan.seeds {
                if known.contains(&(method.name().to_owned(), problem.clone(), seed)) {
                    continue;
                }
                let done = contest
                    .party(method.side(), plan.threads)
                    .and_then(|party| run(party, method, &arena, seed));
                match done {
                    Ok(cell) => {
                        let path = path(folder, method, problem, seed);
                        std::fs::write(&path, serde_json::to_vec(&cell)?)
                            .with_context(|| format!("cannot write {}", path.display()))?;
                        tell(&format!(
                            "{} on {problem}, seed {seed}: {:.4}",
                            method.label(),
                            cell.last()
                        ));
                    }
                    Err(error) => {
                        tell(&format!("{} on {problem}: {error:#}", method.label()));
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The tables: medians with their goals, and ours paired with every other.
///
/// # Errors
/// If a problem is unknown.
pub fn markdown(plan: &Plan, cells: &[Cell]) -> anyhow::Result<String> {
    let mut page = format!(
        "# Loops of {EVALUATIONS} evaluations\n\nThe same initial design of 2(d + 1) Sobol points for all methods, \
         seed by seed. Medians with quartiles; Wilcoxon's signed-rank test of ours against each, over the seeds \
         that both have, with Holm's correction within a problem. \"Suggestion\" is processor time with refit, at \
         {LOOP_FROM} to {} evaluations.\n",
        EVALUATIONS - 1
    );
    for name in &plan.problems {
        let arena = Arena::new(name)?;
        let (score, relation) = match arena.is_regret() {
            true => ("regret", "≤"),
            false => ("share of the largest hypervolume", "≥"),
        };
        let _ = write!(
            page,
            "\n## {name}\n\nGoal: {score} {relation} {}.\n\n| method | seeds | {score} | quartiles | ours better / worse | \
             p | p (Holm) | suggestion |\n|---|---|---|---|---|---|---|---|\n",
            arena.goal
        );
        page.push_str(&table(plan, &arena, cells));
    }
    Ok(page)
}

fn table(plan: &Plan, arena: &Arena, cells: &[Cell]) -> String {
    let of = |method: Method| -> BTreeMap<u32, &Cell> {
        let cells = cells
            .iter()
            .filter(|c| c.problem == arena.name && c.method == method.name());
        cells.map(|cell| (cell.seed, cell)).collect()
    };
    // Smaller is better in the test.
    let cost = |cell: &Cell| {
        if arena.is_regret() {
            cell.last()
        } else {
            -cell.last()
        }
    };
    let ours = of(Method::Ours);
    let tests: Vec<_> = plan
        .methods
        .iter()
        .map(|&method| {
            let theirs = of(method);
            let shared = ours.keys().filter(|seed| theirs.contains_key(seed));
            let (a, b): (Vec<f64>, Vec<f64>) =
                shared.map(|s| (cost(ours[s]), cost(theirs[s]))).unzip();
            (method != Method::Ours && !a.is_empty()).then(|| paired(&a, &b))
        })
        .collect();
    let mut corrected = holm(&tests.iter().flatten().map(|t| t.p).collect::<Vec<_>>()).into_iter();
    let mut text = String::new();
    for (&method, test) in plan.methods.iter().zip(&tests) {
        let cells = of(method);
        if cells.is_empty() {
            let _ = writeln!(text, "| {} | 0 | not measured | | | | | |", method.label());
            continue;
        }
        let last: Vec<f64> = cells.values().map(|cell| cell.last()).collect();
        let late: Vec<f64> = cells
            .values()
            .flat_map(|cell| cell.cpu_seconds.iter().skip(cell.late(LOOP_FROM)).copied())
            .collect();
        let tested = match test {
            Some(test) => format!(
                "{} / {} | {:.4} | {:.4}",
                test.wins,
                test.losses,
                test.p,
                corrected.next().unwrap_or(f64::NAN)
            ),
            None => " | | ".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | **{:.4}** | {:.4}–{:.4} | {tested} | {:.1} ms |",
            method.label(),
            cells.len(),
            median(&last),
            quantile(&last, 0.25),
            quantile(&last, 0.75),
            1e3 * median(&late),
        );
    }
    text
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
    fn ours_is_paired_with_each_method_over_shared_seeds() {
        let plan = Plan {
            methods: vec![Method::Ours, Method::Random, Method::Peer(Side::Optuna)],
            problems: vec!["hartmann6".into()],
            seeds: 8,
            threads: 1,
        };
        let cell = |method: &str, seed: u32, score: f64| Cell {
            method: method.into(),
            problem: "hartmann6".into(),
            seed,
            version: String::new(),
            design: 14,
            scores: vec![score],
            seconds: vec![0.1; 36],
            cpu_seconds: vec![0.004; 36],
        };
        let cells: Vec<Cell> = (0..8)
            .flat_map(|seed| {
                let near = 0.001 * f64::from(seed + 1);
                [
                    cell("ours", seed, near),
                    cell("random", seed, 1.0 + near * near),
                ]
            })
            .collect();
        let page = markdown(&plan, &cells).unwrap();
        assert!(page.contains("Goal: regret ≤ 0.01."), "{page}");
        assert!(page.contains("| ours | 8 | **0.0045** |"), "{page}");
        assert!(
            page.contains("| 8 / 0 | 0.0078 | 0.0078 | 4.0 ms |"),
            "{page}"
        );
        assert!(page.contains("| Optuna | 0 | not measured"), "{page}");
    }
}
