//! The table of what is measured: each row with its sizes, its peers and its goals.

use super::protocol::{Task, Work};
use super::quality::Quality;
use super::sides::Side;

/// One measured piece of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name on command lines and in files: its group's name, then what and how large.
    pub id: String,
    /// Heading in the report.
    pub group: &'static str,
    /// What and how large, in words.
    pub what: String,
    /// How it is measured.
    pub measure: Measure,
    /// Beside whom.
    pub comparisons: Vec<Comparison>,
    /// What ours may take at most.
    pub limit: Option<Limit>,
}

/// How a row is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Processor time of a call.
    Call(Task),
    /// The most memory that a process holds that does nothing else.
    Memory(Task),
    /// Time on the clock of a call of ours on two threads.
    TwoThreads(Task),
    /// Processor time of a suggestion after [`LOOP_FROM`] evaluations, refit included.
    Loop(&'static str),
    /// The same on the clock, of ours on two threads.
    TwoThreadsLoop(&'static str),
}

impl Measure {
    /// How many threads ours has where every side has `threads`.
    #[must_use]
    pub fn our_threads(&self, threads: usize) -> usize {
        match self {
            Self::TwoThreads(_) | Self::TwoThreadsLoop(_) => 2,
            Self::Call(_) | Self::Memory(_) | Self::Loop(_) => threads,
        }
    }

    /// Whether whole optimisations are measured, of another seed in each round.
    #[must_use]
    pub fn is_loop(&self) -> bool {
        matches!(self, Self::Loop(_) | Self::TwoThreadsLoop(_))
    }

    /// The task whose first call is not measured.
    #[must_use]
    pub fn warmed_up(&self) -> Option<&Task> {
        match self {
            Self::Call(task) | Self::TwoThreads(task) => Some(task),
            Self::Memory(_) | Self::Loop(_) | Self::TwoThreadsLoop(_) => None,
        }
    }
}

/// From which evaluation on the suggestions of a loop count.
pub const LOOP_FROM: usize = 40;

/// A peer with what ours should reach beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The peer.
    pub peer: Side,
    /// Least ratio of its time to ours; none where it is only shown.
    pub goal: Option<f64>,
    /// What must agree.
    pub quality: Quality,
    /// Whether the peer takes so long that it is left out of quick runs and measured once.
    pub heavy: bool,
}

/// What ours may take at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Time, in milliseconds.
    Milliseconds(f64),
    /// Memory.
    Megabytes(f64),
}

impl Limit {
    /// The limit in words.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Milliseconds(limit) => format!("≤ {limit} ms"),
            Self::Megabytes(limit) => format!("≤ {limit} MB"),
        }
    }
}

fn beside(peer: Side, goal: impl Into<Option<f64>>, quality: Quality) -> Comparison {
    Comparison {
        peer,
        goal: goal.into(),
        quality,
        heavy: false,
    }
}

impl Comparison {
    fn heavy(mut self, heavy: bool) -> Self {
        self.heavy = heavy;
        self
    }
}

struct Table(Vec<Row>);

impl Table {
    fn add(
        &mut self,
        group: &'static str,
        id: &str,
        what: String,
        measure: Measure,
        comparisons: Vec<Comparison>,
    ) -> &mut Row {
        self.0.push(Row {
            id: id.replace('_', "-"),
            group,
            what,
            measure,
            comparisons,
            limit: None,
        });
        self.0.last_mut().expect("a row was added")
    }

    fn call(&mut self, group: &'static str, task: Task, by: Vec<Comparison>) -> &mut Row {
        let (id, what) = (id(&task), what(&task));
        self.add(group, &id, what, Measure::Call(task), by)
    }
}

fn id(task: &Task) -> String {
    let Task {
        work,
        variant,
        m,
        n,
    } = task;
    let name = match work {
        Work::GpGradient => "gradient",
        Work::GpFit => "fit",
        Work::GpPredict => "predict",
        Work::Suggest => "suggest",
        Work::Boxes => "boxes",
        Work::Hypervolume => "hv",
        Work::Contributions => "contributions",
        Work::Filter => "filter",
        Work::Ranks => "ranks",
    };
    match work {
        Work::GpGradient | Work::GpFit | Work::GpPredict => format!("{name}-{variant}-n{n}"),
        Work::Filter | Work::Ranks => format!("{name}-m{m}-n{n}"),
        _ => format!("{name}-{variant}-m{m}-n{n}"),
    }
}

fn what(task: &Task) -> String {
    let Task {
        work,
        variant,
        m,
        n,
    } = task;
    let variant = match &**variant {
        "rbf" => "RBF",
        "matern52" => "Matérn 5/2",
        "qlog_nehvi" => "qLogNEHVI",
        "log_ehvi" => "EHVI, closed form",
        other => other,
    };
    match work {
        Work::GpGradient | Work::GpFit | Work::GpPredict => format!("{variant}, n = {n}"),
        Work::Filter => format!("filter, m = {m}, n = {n}"),
        Work::Ranks => format!("ranks, m = {m}, n = {n}"),
        _ => format!("{variant}, m = {m}, n = {n}"),
    }
}

/// Every row.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut table = Table(Vec::new());
    regression(&mut table);
    suggestions(&mut table);
    fronts(&mut table);
    sorting(&mut table);
    loops(&mut table);
    memory(&mut table);
    two_threads(&mut table);
    table.0
}

fn regression(table: &mut Table) {
    let sizes = [50, 100, 200, 500, 1000, 2000];
    let gradient = [30.0, 12.0, 5.0, 3.5, 3.5, 4.0];
    let fit = [40.0, 20.0, 8.0, 5.0, 5.0, 5.0];
    for kernel in ["rbf", "matern52"] {
        for (n, goal) in sizes.into_iter().zip(gradient) {
            let task = Task::new(Work::GpGradient, kernel, 1, n);
            let by = vec![beside(Side::Botorch, goal, Quality::Gradient)];
            table.call("GP value and gradient", task, by);
        }
    }
    for kernel in ["rbf", "matern52"] {
        for (n, goal) in sizes.into_iter().zip(fit) {
            // Half an hour for one more kernel of the same size says little.
            if kernel == "matern52" && n > 1000 {
                continue;
            }
            let task = Task::new(Work::GpFit, kernel, 1, n);
            let mut by = vec![beside(Side::Botorch, goal, Quality::LogPosterior).heavy(n >= 1000)];
            if n <= 100 {
                by.push(beside(Side::Egobox, 10.0, Quality::TestError));
            }
            table.call("GP fit", task, by);
        }
    }
    for kernel in ["rbf", "matern52"] {
        for n in sizes {
            let task = Task::new(Work::GpPredict, kernel, 1, n);
            let mut by = vec![beside(Side::Botorch, 8.0, Quality::Predictions)];
            // friedrich has the kernel with one lengthscale.
            if kernel == "matern52" {
                by.push(beside(Side::Friedrich, 4.0, Quality::Predictions));
            }
            table.call("GP prediction at 10 000 points", task, by);
        }
    }
}

fn suggestions(table: &mut Table) {
    for m in [2, 3, 4] {
        for n in [50, 100, 200] {
            let group = "Suggestion";
            let sampled = Task::new(Work::Suggest, "qlog_nehvi", m, n);
            let goal = (m == 2).then_some(25.0);
            let heavy = m > 2;
            let by = vec![beside(Side::Botorch, goal, Quality::Utility).heavy(heavy)];
            let row = table.call(group, sampled, by);
            row.limit = (m == 3).then_some(Limit::Milliseconds(800.0));

            let closed = Task::new(Work::Suggest, "log_ehvi", m, n);
            let by = vec![beside(Side::Botorch, None, Quality::Utility)];
            let limit = [25.0, 60.0, 200.0][m - 2];
            table.call(group, closed, by).limit = Some(Limit::Milliseconds(limit));
        }
    }
}

fn fronts(table: &mut Table) {
    for m in [3, 4] {
        let task = Task::new(Work::Boxes, "concave", m, 100);
        let by = vec![beside(Side::Botorch, 200.0, Quality::Volume)];
        table.call("Box decomposition", task, by);
    }
    for m in 2..=8 {
        let sizes: &[usize] = match m {
            2 | 3 => &[10, 50, 100, 200, 1000, 2000],
            4 | 5 => &[50, 100, 200, 500, 1000],
            6 => &[50, 100, 200, 500],
            7 => &[50, 100, 200, 300],
            _ => &[50, 100, 200],
        };
        for shape in ["linear", "concave", "convex"] {
            for &n in sizes {
                // All sizes of one shape; of the others those in between.
                if shape != "concave" && n != 100 && n != 200 {
                    continue;
                }
                // The faster of two is faster than neither.
                let (moocore, pygmo) = match (m, n) {
                    (2 | 3, ..=200) => (Some(3.0), Some(3.0)),
                    (2, _) => (None, None),
                    (3..=5, _) => (Some(1.3), None),
                    _ => (Some(1.5), Some(1.5)),
                };
                let task = Task::new(Work::Hypervolume, shape, m, n);
                let slow = m == 7 && n >= 300 || m == 8 && n >= 200;
                let by = vec![
                    beside(Side::Moocore, moocore, Quality::Volume).heavy(slow),
                    beside(Side::Pygmo, pygmo, Quality::Volume),
                ];
                table.call("Hypervolume", task, by);
            }
        }
    }
    for (m, goal) in [(4, 20.0), (5, 5.0)] {
        for n in [100, 200, 500] {
            let task = Task::new(Work::Contributions, "concave", m, n);
            let by = vec![beside(Side::Moocore, goal, Quality::Volumes)];
            table.call("All contributions", task, by);
        }
    }
}

fn sorting(table: &mut Table) {
    for work in [Work::Filter, Work::Ranks] {
        for m in [2, 3, 4, 6] {
            for n in [100, 1000, 10_000] {
                let task = Task::new(work, "", m, n);
                let by = vec![beside(Side::Moocore, 1.5, Quality::Labels)];
                table.call("Non-dominated filter and ranks", task, by);
            }
        }
    }
}

/// Problems of loops, and the most milliseconds that a suggestion may take.
const LOOPS: [(&str, &str, f64); 3] = [
    ("hartmann6", "1 objective, Hartmann6", 7.0),
    ("branin_currin", "2 objectives, Branin–Currin", 15.0),
    ("dtlz2", "2 objectives, DTLZ2", 15.0),
];

fn loops(table: &mut Table) {
    for (problem, what, limit) in LOOPS {
        let by = vec![
            beside(Side::Egobox, None, Quality::Score),
            beside(Side::Optuna, None, Quality::Score),
            beside(Side::Botorch, None, Quality::Score).heavy(true),
        ];
        let id = format!("loop-{problem}");
        let group = "Suggestion inside a loop at 40 to 49 evaluations, with refit";
        table
            .add(group, &id, what.to_owned(), Measure::Loop(problem), by)
            .limit = Some(Limit::Milliseconds(limit));
    }
}

fn memory(table: &mut Table) {
    for variant in ["qlog_nehvi", "log_ehvi"] {
        let task = Task::new(Work::Suggest, variant, 4, 200);
        let heavy = variant == "qlog_nehvi";
        let by = vec![beside(Side::Botorch, None, Quality::Utility).heavy(heavy)];
        let (id, text) = (format!("memory-{}", id(&task)), what(&task));
        table
            .add(
                "Memory of a suggestion",
                &id,
                text,
                Measure::Memory(task),
                by,
            )
            .limit = Some(Limit::Megabytes(200.0));
    }
}

/// What takes over 20 ms on one thread, and what a second one must not slow down.
fn two_threads(table: &mut Table) {
    let mut tasks = Vec::new();
    let mut add = |work, variant, m, sizes: &[usize]| {
        tasks.extend(sizes.iter().map(|&n| Task::new(work, variant, m, n)));
    };
    add(Work::GpGradient, "rbf", 1, &[50, 200, 1000, 2000]);
    add(Work::GpFit, "rbf", 1, &[50, 100, 200, 500, 1000, 2000]);
    add(Work::GpPredict, "matern52", 1, &[200, 500, 1000, 2000]);
    for m in [2, 3, 4] {
        add(Work::Suggest, "qlog_nehvi", m, &[50, 100, 200]);
        add(Work::Suggest, "log_ehvi", m, &[50, 100, 200]);
    }
    for (m, n) in [(6, 500), (7, 300), (8, 100), (8, 200)] {
        add(Work::Hypervolume, "concave", m, &[n]);
    }
    for m in [4, 5] {
        add(Work::Contributions, "concave", m, &[500]);
    }
    add(Work::Ranks, "", 4, &[10_000]);
    const GROUP: &str = "Two threads beside one";
    let by = || vec![beside(Side::OneThread, 1.6, Quality::Identical)];
    for task in tasks {
        let (id, work) = (format!("threads-{}", id(&task)), task.work);
        let text = match work {
            Work::GpGradient => format!("value and gradient, {}", what(&task)),
            Work::GpFit => format!("fit, {}", what(&task)),
            Work::GpPredict => format!("prediction, {}", what(&task)),
            Work::Hypervolume => format!("hypervolume, {}", what(&task)),
            Work::Contributions => format!("contributions, {}", what(&task)),
            _ => what(&task),
        };
        table.add(GROUP, &id, text, Measure::TwoThreads(task), by());
    }
    for (problem, what, _) in LOOPS {
        let id = format!("threads-loop-{problem}");
        let text = format!("loop, {what}");
        table.add(GROUP, &id, text, Measure::TwoThreadsLoop(problem), by());
    }
}

/// The rows with one of these names, in the order of the table; a name is a row's, or the beginning of
/// several. All rows for no names.
///
/// # Errors
/// If a name fits none.
pub fn choose(names: &[String]) -> anyhow::Result<Vec<Row>> {
    let all = rows();
    let fits = |row: &Row, name: &str| {
        row.id
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    for name in names {
        if !all.iter().any(|row| fits(row, name)) {
            let mut groups: Vec<&str> = all
                .iter()
                .filter_map(|row| row.id.split('-').next())
                .collect();
            groups.dedup();
            anyhow::bail!(
                "no row is called `{name}`; names begin with: {}",
                groups.join(", ")
            );
        }
    }
    let chosen = |row: &Row| names.is_empty() || names.iter().any(|name| fits(row, name));
    Ok(all.into_iter().filter(chosen).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::inputs;

    #[test]
    fn names_are_unique_and_inputs_exist() {
        let rows = rows();
        let mut names: Vec<&str> = rows.iter().map(|row| &*row.id).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows.len());
        let written: Vec<String> = inputs::all().into_iter().map(|(name, _)| name).collect();
        for row in &rows {
            let (Measure::Call(task) | Measure::Memory(task) | Measure::TwoThreads(task)) =
                &row.measure
            else {
                continue;
            };
            let Task { variant, m, n, .. } = task;
            let name = match task.work {
                Work::GpGradient | Work::GpFit | Work::GpPredict => format!("gp_h6_n{n}.X"),
                Work::Suggest => format!("mo_dtlz2_m{m}_n{n}.X"),
                Work::Filter | Work::Ranks => format!("cloud_m{m}_n{n}.P"),
                _ => format!("front_{variant}_m{m}_n{n}.P"),
            };
            assert!(written.contains(&name), "{}: no {name}", row.id);
        }
    }

    /// Every goal of the table, one line for the rows of a kind: peer or limit, goal, number of rows.
    #[test]
    fn every_goal_is_asked_for() {
        let mut found: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for row in rows() {
            assert!(!row.comparisons.is_empty(), "{}", row.id);
            let kind = row.id.split('-').next().unwrap();
            let kind = KINDS.iter().find(|k| **k == kind).unwrap();
            let goals = row.comparisons.iter().filter_map(|c| {
                let goal = c.goal?;
                Some(format!("{} {goal}", c.peer.name()))
            });
            for goal in goals.chain(row.limit.map(Limit::label)) {
                *found.entry((kind, goal)).or_default() += 1;
            }
        }
        let found: Vec<String> = found
            .into_iter()
            .map(|((kind, goal), count)| format!("{kind}: {goal} in {count}"))
            .collect();
        assert_eq!(found, GOALS, "{found:#?}");
    }

    const KINDS: [&str; 12] = [
        "gradient",
        "fit",
        "predict",
        "suggest",
        "boxes",
        "hv",
        "contributions",
        "filter",
        "ranks",
        "loop",
        "memory",
        "threads",
    ];
    const GOALS: [&str; 31] = [
        "boxes: botorch 200 in 2",
        "contributions: moocore 20 in 3",
        "contributions: moocore 5 in 3",
        "filter: moocore 1.5 in 12",
        "fit: botorch 20 in 2",
        "fit: botorch 40 in 2",
        "fit: botorch 5 in 5",
        "fit: botorch 8 in 2",
        "fit: egobox 10 in 4",
        "gradient: botorch 12 in 2",
        "gradient: botorch 3.5 in 4",
        "gradient: botorch 30 in 2",
        "gradient: botorch 4 in 2",
        "gradient: botorch 5 in 2",
        "hv: moocore 1.3 in 20",
        "hv: moocore 1.5 in 23",
        "hv: moocore 3 in 16",
        "hv: pygmo 1.5 in 23",
        "hv: pygmo 3 in 16",
        "loop: ≤ 15 ms in 2",
        "loop: ≤ 7 ms in 1",
        "memory: ≤ 200 MB in 2",
        "predict: botorch 8 in 12",
        "predict: friedrich 4 in 6",
        "ranks: moocore 1.5 in 12",
        "suggest: botorch 25 in 3",
        "suggest: ≤ 200 ms in 3",
        "suggest: ≤ 25 ms in 3",
        "suggest: ≤ 60 ms in 3",
        "suggest: ≤ 800 ms in 3",
        "threads: one-thread 1.6 in 42",
    ];

    #[test]
    fn goals_are_those_of_their_sizes() {
        let of = |id: &str| {
            let chosen = choose(&[id.to_owned()]).unwrap();
            (chosen[0].comparisons.clone(), chosen[0].limit)
        };
        assert_eq!(of("gradient-rbf-n2000").0[0].goal, Some(4.0));
        assert_eq!(of("hv-concave-m3-n1000").0[0].goal, Some(1.3));
        assert_eq!(of("hv-concave-m8-n200").0[1].goal, Some(1.5));
        assert_eq!(of("contributions-concave-m4-n100").0[0].goal, Some(20.0));
        assert_eq!(
            of("suggest-log-ehvi-m4-n50").1,
            Some(Limit::Milliseconds(200.0))
        );
        assert_eq!(of("loop-dtlz2").1, Some(Limit::Milliseconds(15.0)));
        let memory = of("memory-suggest-qlog-nehvi-m4-n200");
        assert_eq!(memory.1, Some(Limit::Megabytes(200.0)));
        // A suggestion that failed needs little memory.
        assert_eq!(memory.0[0].quality, Quality::Utility);
    }

    #[test]
    fn two_threads_are_measured_wherever_they_should_help_or_do_no_harm() {
        let rows = choose(&["threads".to_owned()]).unwrap();
        let ids: Vec<&str> = rows.iter().map(|row| &*row.id).collect();
        for expected in [
            "gradient-rbf-n2000",
            "fit-rbf-n50",
            "fit-rbf-n2000",
            "predict-matern52-n500",
            "suggest-qlog-nehvi-m2-n100",
            "suggest-qlog-nehvi-m4-n200",
            "suggest-log-ehvi-m2-n50",
            "suggest-log-ehvi-m3-n200",
            "hv-concave-m7-n300",
            "hv-concave-m8-n200",
            "hv-concave-m6-n500",
            "contributions-concave-m4-n500",
            "loop-hartmann6",
        ] {
            let id = format!("threads-{expected}");
            assert!(ids.contains(&&*id), "{id}");
        }
        assert!(rows.iter().all(|row| row.measure.our_threads(1) == 2));
    }

    #[test]
    fn names_choose_groups_and_rows() {
        let count = |name: &str| choose(&[name.to_owned()]).map(|rows| rows.len());
        assert_eq!(count("boxes").unwrap(), 2);
        assert_eq!(count("fit-rbf-n50").unwrap(), 1);
        assert_eq!(count("gradient-rbf").unwrap(), 6);
        // Not the beginning of a word.
        assert!(count("grad").unwrap_err().to_string().contains("gradient"));
        assert_eq!(choose(&[]).unwrap().len(), rows().len());
    }
}
