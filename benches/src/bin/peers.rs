//! `peers`: other libraries and ours side by side; what `cargo xtask bench --peers` runs.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its terminal"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use warmfront_bench::peer::race::contest::{Contest, Records, Terms};
use warmfront_bench::peer::race::loops::{self, Method, Plan};
use warmfront_bench::peer::race::ours;
use warmfront_bench::peer::race::report::{self, State};
use warmfront_bench::peer::race::rows::choose;
use warmfront_bench::peer::race::sides::Launcher;
use warmfront_bench::setup::Setup;

/// Measure other libraries and ours in turns on the same inputs: time, memory, and whether the result is as
/// good.
///
/// Makes a Python environment (BoTorch, moocore, pygmo, Optuna; some gigabytes) and builds the Rust libraries
/// (egobox, friedrich) in the output folder when they are first needed. A library that cannot be had leaves its
/// comparisons unmeasured. Rows and runs that have finished are kept: the same command goes on where it stopped.
#[derive(Debug, Parser)]
#[command(name = "peers", version)]
struct Arguments {
    /// Rows or groups of them, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    rows: Vec<String>,
    /// How often every side has its turn [default: 9, quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Threads of every side
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=2))]
    threads: u8,
    /// Short turns, and nothing that takes minutes
    #[arg(long)]
    quick: bool,
    /// Measure the rows named by --rows even if they have been measured; with --loops: the runs that failed
    #[arg(long)]
    again: bool,
    /// Only write the tables about what has been measured
    #[arg(long)]
    report: bool,
    /// List the rows
    #[arg(long)]
    list: bool,
    /// Whole optimisations of 50 evaluations instead of single calls
    #[arg(long)]
    loops: bool,
    /// Number of seeds of the loops
    #[arg(long, default_value_t = 20, value_name = "N")]
    seeds: u32,
    /// Methods of the loops, which take turns, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B", default_values_t = Method::ALL.map(|m| m.name().to_owned()))]
    methods: Vec<String>,
    /// Problems of the loops, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B", default_values_t = loops::PROBLEMS.map(str::to_owned))]
    problems: Vec<String>,
    /// Python interpreter that has the packages [default: that of an environment made in the output folder]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// After how many minutes without an answer a library is given up
    #[arg(long, default_value_t = 60, value_name = "MINUTES")]
    limit: u64,
    /// Output folder [default: target/peers]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Answer as our side (for the program itself)
    #[arg(long, hide = true)]
    worker: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.worker {
        ours::serve(std::io::stdin().lock(), std::io::stdout().lock()).map(|()| true)
    } else if arguments.list {
        list(&arguments).map(|()| true)
    } else {
        run(&arguments)
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn list(arguments: &Arguments) -> anyhow::Result<()> {
    for row in choose(&arguments.rows)? {
        println!("{:32} {}: {}", row.id, row.group, row.what);
    }
    Ok(())
}

/// Whether ours did everything that it was asked.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    ensure!(
        !arguments.again || arguments.loops || !arguments.rows.is_empty(),
        "--again needs --rows, or --loops: measuring everything again takes hours"
    );
    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => target_folder()?.join("peers"),
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    // Two at once would disturb each other's times.
    let lock = std::fs::File::create(folder.join("lock"))?;
    ensure!(
        lock.try_lock().is_ok(),
        "another run measures into {}",
        folder.display()
    );
    let mut terms = Terms::new(arguments.quick);
    terms.threads = usize::from(arguments.threads);
    if let Some(rounds) = arguments.rounds {
        terms.rounds = usize::from(rounds);
    }
    let limit = Duration::from_secs(60 * arguments.limit);
    let launcher = Launcher::new(&folder, arguments.python.clone(), limit);
    let contest = Contest::new(launcher, terms);
    if arguments.loops {
        run_loops(arguments, &folder, contest)
    } else {
        run_rows(arguments, &folder, terms, contest)
    }
}

fn run_rows(
    arguments: &Arguments,
    folder: &Path,
    terms: Terms,
    mut contest: Contest,
) -> anyhow::Result<bool> {
    let rows = choose(&arguments.rows)?;
    let records = Records::new(folder, terms.threads)?;
    let mut known = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let mut record = records.get(&row.id);
        let finished = record.as_ref().is_some_and(|r| r.is_finished(row, &terms));
        if !arguments.report && (arguments.again || !finished) {
            let measured = contest.measure(row, record.as_ref(), arguments.again);
            records.put(&measured)?;
            let fresh = BTreeMap::from([(row.id.clone(), measured)]);
            for line in report::lines(std::slice::from_ref(row), &fresh) {
                eprintln!("{:>3}/{} {}", index + 1, rows.len(), brief(&line));
            }
            record = fresh.into_values().next();
        }
        let Some(record) = record else { continue };
        known.insert(row.id.clone(), record);
    }
    let asked = report::lines(&rows, &known);
    let [goals, measured, met] = report::tally(&asked);
    // The page is about everything that has been measured, now or before.
    let all = choose(&[])?;
    for row in &all {
        if let Some(record) = records.get(&row.id) {
            known.insert(row.id.clone(), record);
        }
    }
    let lines = report::lines(&all, &known);
    let all = known.values();
    let setup = setup(
        arguments,
        all.clone().flat_map(|record| &record.versions),
        all.map(|record| &record.machine),
    );
    let name = format!("peers{}", suffix(arguments));
    report::write(folder, &name, &lines, &setup)?;
    println!("{met} of {measured} known goals met, {goals} goals");
    println!("{}", folder.join(name).with_extension("md").display());
    let failed = asked.iter().filter(|line| line.state == State::Failed);
    Ok(failed.count() == 0)
}

/// What is said about a line as soon as it is known.
fn brief(line: &report::Line) -> String {
    let beside = match line.peer.as_str() {
        "" => String::new(),
        peer => format!(" beside {peer}"),
    };
    let ratio = line.ratio.map_or(String::new(), |r| format!(" {r:.2}×"));
    let mark = match line.state {
        State::Met => "met",
        State::NotMet => "NOT MET",
        State::Worse => "WORSE",
        State::Failed => "FAILED",
        State::Unchecked => "NOT CHECKED",
        State::Missing | State::Shown | State::Stale => "",
    };
    format!(
        "{}{beside}:{ratio} {} {mark} {}",
        line.id, line.goal, line.note
    )
}

fn run_loops(arguments: &Arguments, folder: &Path, mut contest: Contest) -> anyhow::Result<bool> {
    ensure!(arguments.seeds > 0, "no seeds");
    let methods = arguments.methods.iter().map(|name| Method::find(name));
    let plan = Plan {
        methods: methods.collect::<anyhow::Result<_>>()?,
        problems: arguments.problems.clone(),
        seeds: arguments.seeds,
        threads: usize::from(arguments.threads),
    };
    let cells = folder.join(format!("loops-{}", plan.threads));
    if !arguments.report {
        let again = arguments.again;
        loops::run_all(&plan, &cells, &mut contest, again, |line| {
            eprintln!("{line}");
        })?;
    }
    let asked = loops::read(&plan, &cells)?;
    // The page is about everything that has been measured, now or before.
    let all = Plan {
        methods: Method::ALL.to_vec(),
        problems: loops::PROBLEMS.map(str::to_owned).to_vec(),
        ..plan
    };
    let runs = loops::read(&all, &cells)?;
    let setup = setup(
        arguments,
        runs.iter().flat_map(|cell| &cell.versions),
        runs.iter().map(|cell| &cell.machine),
    );
    let name = format!("loops{}", suffix(arguments));
    loops::write(&all, &runs, &setup, folder, &name)?;
    let goals = loops::goals(&all, &loops::lines(&all, &runs)?)?;
    let [goals, known, met] = loops::tally(&goals);
    println!("{met} of {known} known goals met, {goals} goals");
    println!("{}", folder.join(name).with_extension("md").display());
    let peers: BTreeSet<&str> = Method::ALL
        .into_iter()
        .filter(|method| method.is_peer())
        .map(Method::name)
        .collect();
    let failed = asked.iter().filter(|cell| cell.failure.is_some());
    Ok(failed.filter(|cell| !peers.contains(&*cell.method)).count() == 0)
}

/// What the names of the pages end with, so that those of one thread stay.
fn suffix(arguments: &Arguments) -> &'static str {
    if arguments.threads == 1 { "" } else { "-2" }
}

fn setup<'a>(
    arguments: &Arguments,
    versions: impl Iterator<Item = (&'a String, &'a String)>,
    machines: impl Iterator<Item = &'a String>,
) -> Setup {
    let mut command = "`cargo xtask bench --peers".to_owned();
    let mut option = |name: &str, value: String| {
        command.push_str(&format!(" --{name} {value}"));
    };
    if !arguments.rows.is_empty() {
        option("rows", arguments.rows.join(","));
    }
    if let Some(rounds) = arguments.rounds {
        option("rounds", rounds.to_string());
    }
    if arguments.threads != 1 {
        option("threads", arguments.threads.to_string());
    }
    if arguments.loops {
        option("seeds", arguments.seeds.to_string());
        option("methods", arguments.methods.join(","));
        option("problems", arguments.problems.join(","));
    }
    for (flag, set) in [
        ("quick", arguments.quick),
        ("loops", arguments.loops),
        ("again", arguments.again),
        ("report", arguments.report),
    ] {
        if set {
            command.push_str(&format!(" --{flag}"));
        }
    }
    command.push('`');
    let mut setup = Setup::default();
    // Rows and runs may come from other calls with other options.
    setup.add("command of this page", command);
    setup.add_environment();
    let machines: BTreeSet<&String> = machines.collect();
    let machines: Vec<&str> = machines.into_iter().map(String::as_str).collect();
    setup.add("machines measured", machines.join("; "));
    let versions: BTreeSet<String> = versions.map(|(k, v)| format!("{k} {v}")).collect();
    let versions: Vec<String> = versions.into_iter().collect();
    setup.add("versions", versions.join(", "));
    setup
}

/// The folder that cargo builds into: this program stands in one of its profiles' folders.
fn target_folder() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder
        .context("this program stands in no target folder; use --out")?
        .to_owned())
}
