//! What came out of whole optimisations: goals and verdicts, tables, curves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::{Arena, Cell, EVALUATIONS, Method, Plan};
use crate::peer::race::rows::LOOP_FROM;
use crate::report::plot::{self, Labels, Style, Vertical};
use crate::setup::Setup;
use crate::stats::{holm, median, paired, quantile, quantiles};

/// With fewer seeds there is no verdict.
const SEEDS: usize = 20;
/// Gaps below this are drawn as this.
const LEAST_GAP: f64 = 1e-6;

/// One method on one problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The problem.
    pub problem: String,
    /// The method.
    pub method: &'static str,
    /// How many whole runs.
    pub seeds: usize,
    /// How many failed.
    pub failed: usize,
    /// How many ended by themselves before the last evaluation.
    pub ended: usize,
    /// Median of the final regrets or shares of the largest hypervolume.
    pub median: Option<f64>,
    /// Their lower quartile.
    pub lower: Option<f64>,
    /// Their upper quartile.
    pub upper: Option<f64>,
    /// Seeds in which ours is better.
    pub wins: Option<usize>,
    /// Seeds in which it is worse.
    pub losses: Option<usize>,
    /// Of the signed-rank test of ours against it.
    pub p: Option<f64>,
    /// With Holm's correction within the problem.
    pub p_holm: Option<f64>,
    /// Median milliseconds of processor time of late suggestions.
    pub milliseconds: Option<f64>,
    #[serde(skip)]
    label: &'static str,
}

/// What ours should reach on a problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goal {
    /// The problem.
    pub problem: String,
    /// What should be reached.
    pub goal: String,
    /// Whether it is; `None` where that is not known.
    pub met: Option<bool>,
    /// The numbers, or what is missing.
    pub note: String,
}

/// Whole runs of a method on a problem by seed.
fn whole<'a>(cells: &'a [Cell], problem: &str, method: Method) -> BTreeMap<u32, &'a Cell> {
    let of = cells
        .iter()
        .filter(|c| c.problem == problem && c.method == method.name() && c.failure.is_none());
    of.map(|cell| (cell.seed, cell)).collect()
}

fn score_name(arena: &Arena) -> &'static str {
    match arena.is_regret() {
        true => "regret",
        false => "share of the largest hypervolume",
    }
}

/// One line for each method on each problem.
///
/// # Errors
/// If a problem is unknown.
pub fn lines(plan: &Plan, cells: &[Cell]) -> anyhow::Result<Vec<Line>> {
    let mut all = Vec::new();
    for problem in &plan.problems {
        let arena = Arena::new(problem)?;
        let mut lines: Vec<Line> = plan
            .methods
            .iter()
            .map(|&method| line(&arena, method, cells))
            .collect();
        let tests: Vec<f64> = lines.iter().filter_map(|l| l.p).collect();
        let mut corrected = holm(&tests).into_iter();
        for line in lines.iter_mut().filter(|line| line.p.is_some()) {
            line.p_holm = corrected.next();
        }
        all.extend(lines);
    }
    Ok(all)
}

fn line(arena: &Arena, method: Method, cells: &[Cell]) -> Line {
    let ours = whole(cells, arena.name, Method::Ours);
    let theirs = whole(cells, arena.name, method);
    let cost = |cell: &Cell| arena.cost(cell.last());
    let shared = ours.keys().filter(|seed| theirs.contains_key(seed));
    let (a, b): (Vec<f64>, Vec<f64>) = shared.map(|s| (cost(ours[s]), cost(theirs[s]))).unzip();
    let test = (method != Method::Ours && !a.is_empty()).then(|| paired(&a, &b));
    let scores: Vec<f64> = theirs.values().map(|cell| cell.last()).collect();
    let late: Vec<f64> = theirs
        .values()
        .flat_map(|cell| cell.cpu_seconds.iter().skip(cell.late(LOOP_FROM)).copied())
        .collect();
    let at = |p: f64| (!scores.is_empty()).then(|| quantile(&scores, p));
    let failed = cells
        .iter()
        .filter(|c| c.problem == arena.name && c.method == method.name() && c.failure.is_some());
    Line {
        problem: arena.name.to_owned(),
        method: method.name(),
        label: method.label(),
        seeds: scores.len(),
        failed: failed.count(),
        ended: theirs.values().filter(|cell| cell.ended).count(),
        median: at(0.5),
        lower: at(0.25),
        upper: at(0.75),
        wins: test.map(|t| t.wins),
        losses: test.map(|t| t.losses),
        p: test.map(|t| t.p),
        p_holm: None,
        milliseconds: (!late.is_empty()).then(|| 1e3 * median(&late)),
    }
}

/// The goals of ours on each problem: a score, and a median not worse than that of the best other library.
///
/// # Errors
/// If a problem is unknown.
pub fn goals(plan: &Plan, lines: &[Line]) -> anyhow::Result<Vec<Goal>> {
    let mut goals = Vec::new();
    for problem in &plan.problems {
        let arena = Arena::new(problem)?;
        let of = |method: Method| {
            let found = lines
                .iter()
                .find(|l| l.problem == *problem && l.method == method.name());
            found.and_then(|line| Some((line, line.median?)))
        };
        let relation = if arena.is_regret() { "≤" } else { "≥" };
        let mut add = |goal: String, met: Option<bool>, note: String| {
            goals.push(Goal {
                problem: problem.clone(),
                goal,
                met,
                note,
            });
        };
        let enough = |line: &Line| line.seeds >= SEEDS && line.seeds >= plan.seeds as usize;
        let few = |line: &Line| format!("{} seeds of at least {SEEDS}", line.seeds);
        let ours = of(Method::Ours);
        let score = format!("{} {relation} {}", score_name(&arena), arena.goal);
        let (met, note) = match ours {
            None => (None, "not measured".to_owned()),
            Some((line, _)) if !enough(line) => (None, few(line)),
            Some((_, median)) => (
                Some(arena.cost(median) <= arena.goal_cost()),
                format!("{median:.4}"),
            ),
        };
        add(score, met, note);

        let peers = Method::ALL.into_iter().filter(|m| m.is_peer());
        let peers: Vec<_> = peers.map(|peer| (peer, of(peer))).collect();
        let best = peers
            .iter()
            .filter_map(|(_, found)| *found)
            .min_by(|a, b| arena.cost(a.1).total_cmp(&arena.cost(b.1)));
        let (met, note) = match (ours, best) {
            (Some((line, median)), Some((peer, theirs))) if enough(line) => {
                let met = arena.cost(median) <= arena.cost(theirs);
                let p = peer.p_holm.unwrap_or(f64::NAN);
                let [better, worse] = [peer.wins, peer.losses].map(Option::unwrap_or_default);
                let mut note = format!(
                    "{median:.4} to {theirs:.4} of {}, better in {better} and worse in {worse} seeds, p = {p:.3}",
                    peer.label
                );
                for (peer, line) in peers
                    .iter()
                    .filter(|(_, found)| !found.is_some_and(|(l, _)| enough(l)))
                {
                    let seeds = line.map_or(0, |(line, _)| line.seeds);
                    let _ = write!(note, "; {}: {seeds} runs of {SEEDS}", peer.label());
                }
                // A peer that is not measured, or not often enough, may be better.
                let complete = peers
                    .iter()
                    .all(|(_, found)| found.is_some_and(|(l, _)| enough(l)));
                ((complete || !met).then_some(met), note)
            }
            _ => (None, "not measured".to_owned()),
        };
        add("not worse than the best peer".to_owned(), met, note);
    }
    Ok(goals)
}

/// How many goals there are, how many are known, how many of these are met.
#[must_use]
pub fn tally(goals: &[Goal]) -> [usize; 3] {
    let known = goals.iter().filter(|goal| goal.met.is_some());
    let met = goals.iter().filter(|goal| goal.met == Some(true));
    [goals.len(), known.count(), met.count()]
}

/// How the runs were made, the goals, and a table for each problem.
///
/// # Errors
/// If a problem is unknown.
pub fn markdown(plan: &Plan, cells: &[Cell]) -> anyhow::Result<String> {
    let lines = lines(plan, cells)?;
    let goals = goals(plan, &lines)?;
    let [all, known, met] = tally(&goals);
    let mut page = format!(
        "# Loops of {EVALUATIONS} evaluations\n\nMade by a command of its own, apart from the table of single calls. The \
         methods take turns, seed by seed, where none has been measured before (the last table says when each was), from \
         the same initial design of 2(d + 1) Sobol points: what a library would do with its own default design is not \
         measured. Medians with quartiles; Wilcoxon's signed-rank test of ours against \
         each, over the seeds that both have, with Holm's correction within a problem. \"Suggestion\" is processor time \
         with refit, at {LOOP_FROM} to {} evaluations.\n\nThe problems have no noise. \"ours\" is told so \
         (`IndependentGpModel::low_noise`, LogEI or the closed-form log-EHVI), and so is Optuna \
         (`deterministic_objective=True`); BoTorch and egobox infer it, as they do by default; \"ours, default configuration\" is told nothing but the size of the design. \
         The reference point of the score is given to ours and to BoTorch; egobox, Optuna and ours with the default \
         configuration choose their own.\n\n{met} of {known} known goals are met, {} are not known.\n\n\
         | problem | goal | | |\n|---|---|---|---|\n",
        EVALUATIONS - 1,
        all - known
    );
    for goal in &goals {
        let verdict = match goal.met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "not known",
        };
        let _ = writeln!(
            page,
            "| {} | {} | {verdict} | {} |",
            goal.problem, goal.goal, goal.note
        );
    }
    for name in &plan.problems {
        let _ = write!(
            page,
            "\n## {name}\n\n| method | seeds | {} | quartiles | ours better / worse | p | p (Holm) | suggestion | |\n\
             |---|---|---|---|---|---|---|---|---|\n",
            score_name(&Arena::new(name)?)
        );
        for line in lines.iter().filter(|line| line.problem == *name) {
            page.push_str(&row(line));
        }
        let failures = cells.iter().filter(|c| c.problem == *name);
        for (cell, reason) in failures.filter_map(|c| Some((c, c.failure.as_ref()?))) {
            let reason = reason.replace('\n', " ");
            let _ = write!(page, "\n{}, seed {}: {reason}\n", cell.method, cell.seed);
        }
    }
    page.push_str("\n## When it was measured\n\n| method | runs | first | last | versions | commits |\n|---|---|---|---|---|---|\n");
    for method in &plan.methods {
        page.push_str(&origin(*method, cells));
    }
    Ok(page)
}

/// When, with which packages and of which commits a method's runs were made.
fn origin(method: Method, cells: &[Cell]) -> String {
    let of: Vec<&Cell> = cells.iter().filter(|c| c.method == method.name()).collect();
    let dates: BTreeSet<&str> = of.iter().map(|c| &*c.measured).collect();
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return String::new();
    };
    let commits: BTreeSet<&str> = of.iter().map(|c| &*c.commit).collect();
    let versions: BTreeSet<String> = of
        .iter()
        .flat_map(|c| &c.versions)
        .map(|(package, version)| format!("{package} {version}"))
        .collect();
    let list = |all: Vec<&str>| all.join(", ");
    format!(
        "| {} | {} | {first} | {last} | {} | {} |\n",
        method.label(),
        of.len(),
        list(versions.iter().map(String::as_str).collect()),
        list(commits.into_iter().collect()),
    )
}

fn row(line: &Line) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:.4}"));
    let mut notes = Vec::new();
    if line.failed > 0 {
        notes.push(format!("{} failed", line.failed));
    }
    if line.ended > 0 {
        notes.push(format!("{} ended by themselves", line.ended));
    }
    let notes = notes.join(", ");
    let (Some(median), Some(lower), Some(upper)) = (line.median, line.lower, line.upper) else {
        let label = line.label;
        return format!("| {label} | 0 | not measured | | | | | | {notes} |\n");
    };
    let pairs = line.wins.zip(line.losses);
    format!(
        "| {} | {} | **{median:.4}** | {lower:.4}–{upper:.4} | {} | {} | {} | {} | {notes} |\n",
        line.label,
        line.seeds,
        pairs.map_or(String::new(), |(wins, losses)| format!("{wins} / {losses}")),
        number(line.p),
        number(line.p_holm),
        line.milliseconds
            .map_or(String::new(), |ms| format!("{ms:.1} ms")),
    )
}

/// How far each method is after each evaluation: median and quartiles.
fn curves(plan: &Plan, arena: &Arena, cells: &[Cell]) -> String {
    let lines = plan.methods.iter().enumerate().filter_map(|(i, &method)| {
        let runs = whole(cells, arena.name, method);
        let gap = |score: f64| match arena.is_regret() {
            true => score.max(LEAST_GAP).log10(),
            false => (1.0 - score).max(LEAST_GAP).log10(),
        };
        let at = |step: usize| {
            let now = runs.values().filter_map(|cell| cell.scores.get(step));
            let now: Vec<f64> = now.map(|&score| gap(score)).collect();
            let [lower, middle, upper] = quantiles(&now, &[0.25, 0.5, 0.75])[..] else {
                return [f64::NAN; 3];
            };
            [middle, lower, upper]
        };
        let mut style = plot::style(method.name(), i);
        if method == Method::Ours {
            style = Style {
                color: "#d55e00",
                dash: "",
                emphasis: true,
            };
        }
        (!runs.is_empty()).then(|| plot::Line {
            style,
            label: method.name().to_owned(),
            band: (0..EVALUATIONS).map(at).collect(),
        })
    });
    let vertical = match arena.is_regret() {
        true => "regret",
        false => "missing share of the hypervolume",
    };
    let labels = Labels {
        title: arena.name,
        horizontal: "evaluations",
        vertical: Vertical::Log(vertical),
    };
    plot::chart(labels, EVALUATIONS as u32, lines.collect()).standalone()
}

/// Writes `NAME.md`, `NAME.csv`, `NAME-goals.csv` and a plot for each problem into `folder`.
///
/// # Errors
/// If a problem is unknown, or a file cannot be written.
pub fn write(
    plan: &Plan,
    cells: &[Cell],
    setup: &Setup,
    folder: &Path,
    name: &str,
) -> anyhow::Result<()> {
    let put = |ending: &str, text: &[u8]| {
        let path = folder.join(format!("{name}{ending}"));
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut page = markdown(plan, cells)?;
    page.push_str("\n| | |\n|---|---|\n");
    for (name, value) in &setup.facts {
        let _ = writeln!(page, "| {name} | {value} |");
    }
    put(".md", page.as_bytes())?;
    let lines = lines(plan, cells)?;
    let mut table = csv::Writer::from_writer(Vec::new());
    for line in &lines {
        table.serialize(line)?;
    }
    put(".csv", &table.into_inner()?)?;
    let mut table = csv::Writer::from_writer(Vec::new());
    for goal in goals(plan, &lines)? {
        table.serialize(goal)?;
    }
    put("-goals.csv", &table.into_inner()?)?;
    for problem in &plan.problems {
        let drawn = curves(plan, &Arena::new(problem)?, cells);
        put(&format!("-{problem}.svg"), drawn.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::race::sides::Side;

    fn plan(seeds: u32) -> Plan {
        Plan {
            methods: Method::ALL.to_vec(),
            problems: vec!["hartmann6".into()],
            seeds,
            threads: 1,
        }
    }

    fn cell(method: Method, seed: u32, score: f64) -> Cell {
        Cell {
            method: method.name().into(),
            problem: "hartmann6".into(),
            seed,
            design: 14,
            scores: vec![score; EVALUATIONS],
            seconds: vec![0.1; 36],
            cpu_seconds: vec![0.004; 36],
            ..Cell::default()
        }
    }

    /// Ours with regrets near `ours`, the others near theirs.
    fn cells(seeds: u32, ours: f64, others: &[(Method, f64)]) -> Vec<Cell> {
        let all = others.iter().copied().chain([(Method::Ours, ours)]);
        let runs = |(method, score): (Method, f64)| {
            (0..seeds).map(move |seed| cell(method, seed, score * f64::from(seed + 1)))
        };
        all.flat_map(runs).collect()
    }

    #[test]
    fn ours_is_paired_with_each_method_over_shared_seeds() {
        let mut cells = cells(8, 0.001, &[(Method::Random, 1.0)]);
        cells.push(Cell {
            failure: Some("crashed".into()),
            ..cell(Method::Peer(Side::Egobox), 0, 0.0)
        });
        let page = markdown(&plan(8), &cells).unwrap();
        assert!(page.contains("| ours | 8 | **0.0045** |"), "{page}");
        let random = "| 8 / 0 | 0.0078 | 0.0078 | 4.0 ms |";
        assert!(page.contains(random), "{page}");
        assert!(page.contains("| Optuna | 0 | not measured"), "{page}");
        assert!(page.contains("| 1 failed |"), "{page}");
        assert!(page.contains("egobox, seed 0: crashed"), "{page}");
        assert!(page.contains("8 seeds of at least 20"), "{page}");
    }

    #[test]
    fn goals_are_a_score_and_the_best_peer() {
        let peers = [Side::Egobox, Side::Optuna, Side::Botorch].map(Method::Peer);
        let known = |ours: f64, theirs: [f64; 3]| {
            let others: Vec<_> = peers.into_iter().zip(theirs).collect();
            let plan = plan(20);
            let lines = lines(&plan, &cells(20, ours, &others)).unwrap();
            goals(&plan, &lines).unwrap()
        };
        let met = |goals: &[Goal]| [goals[0].met, goals[1].met];
        // The median of 1, 2, …, 20 is 10.5.
        let good = known(0.0005, [0.0006, 0.01, 0.02]);
        assert_eq!(met(&good), [Some(true), Some(true)]);
        assert_eq!(tally(&good), [2, 2, 2]);
        let behind = known(0.0005, [0.0004, 0.01, 0.02]);
        assert_eq!(met(&behind), [Some(true), Some(false)]);
        assert!(behind[1].note.contains("of egobox"), "{behind:?}");
        assert_eq!(met(&known(0.01, [0.1; 3])), [Some(false), Some(true)]);

        let plan = plan(20);
        let some = cells(20, 0.0005, &[(peers[0], 0.01)]);
        let goals = goals(&plan, &lines(&plan, &some).unwrap()).unwrap();
        assert_eq!(met(&goals), [Some(true), None], "two peers are missing");
        assert_eq!(tally(&goals), [2, 1, 1]);
    }

    #[test]
    fn curves_are_drawn() {
        let arena = Arena::new("hartmann6").unwrap();
        let cells = cells(4, 0.001, &[(Method::Random, 1.0)]);
        let drawn = curves(&plan(4), &arena, &cells);
        assert!(drawn.contains("random") && drawn.contains("regret"));
        assert!(!drawn.contains("NaN") && !drawn.contains("egobox"));
    }
}
