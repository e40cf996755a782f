//! `cargo xtask reproduce`: runs an experiment and writes its report.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its terminal"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Parser;
use warmfront_bench::cell::Cell;
use warmfront_bench::data::DataFolder;
use warmfront_bench::profile::{Experiment, Overrides, Plan, experiment};
use warmfront_bench::report;
use warmfront_bench::runner::{self, RunConfig};
use warmfront_bench::setup::Setup;
use warmfront_bench::store::{Store, write_record};
use warmfront_bench::system::{System, system};

/// Run published experiments and compare methods, with an HTML report at the end.
///
/// Finished runs are kept in the output folder: the same command goes on where it stopped.
#[derive(Debug, Parser)]
#[command(name = "reproduce", bin_name = "cargo xtask reproduce", version)]
struct Arguments {
    /// Which system: smog, primo, pmto, nap
    #[arg(default_value = "smog")]
    system: String,
    /// How much to run: quick (minutes), standard (hours), paper (a day)
    #[arg(long, default_value = "quick")]
    profile: String,
    /// Folder with published data (`yahpo`, `hpobench-xgb`, `antbo`)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Base seed: every replicate derives from it
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// Runs at the same time; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N")]
    jobs: usize,
    /// Output folder [default: target/reproduce/SYSTEM-PROFILE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only these methods, separated by commas (the reference method always runs)
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    methods: Vec<String>,
    /// Only these problems, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    problems: Vec<String>,
    /// Another number of seeds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
    /// Another number of evaluations (with fidelities: of full ones)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    evaluations: Option<u32>,
    /// Start no run later than this
    #[arg(long, value_name = "MINUTES")]
    time_limit: Option<f64>,
    /// Take the runs of an earlier record.csv (or results.csv, measures.csv) as finished
    #[arg(long, value_name = "FILE")]
    resume_from: Vec<PathBuf>,
    /// Show what would run, and stop
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "preparations count towards the time limit"
)]
fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let experiment = experiment(&arguments.system)?;
    let Some(profile) = experiment.profiles.get(&arguments.profile) else {
        let names: Vec<_> = experiment.profiles.keys().map(String::as_str).collect();
        bail!(
            "unknown profile `{}`; there are: {}",
            arguments.profile,
            names.join(", ")
        );
    };
    let data = arguments
        .data
        .as_deref()
        .map(DataFolder::open)
        .transpose()?;
    let lab = system(&experiment.experiment, data, arguments.seed);
    let lab = &*lab;
    let overrides = Overrides {
        methods: arguments.methods.clone(),
        problems: arguments.problems.clone(),
        seeds: arguments.seeds,
        evaluations: arguments.evaluations,
    };
    let plan = Plan::new(profile, &experiment.reference_method, &overrides, lab)?;
    for (problem, reason) in &plan.skipped {
        eprintln!("skipping {problem}: {reason}");
    }
    let cells = plan.cells(lab);
    if arguments.list {
        list(&experiment, &arguments.profile, &plan, cells.len(), lab);
        return Ok(ExitCode::SUCCESS);
    }
    lab.check(&plan)?;

    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_folder(arguments));
    let mut store = Store::open(&out)?;
    for file in &arguments.resume_from {
        let count = store.add_recorded(file)?;
        lab.add_recorded(file)?;
        eprintln!("{}: {count} runs", file.display());
    }
    let minutes = arguments.time_limit.or(profile.minutes);
    let mut config = RunConfig {
        jobs: arguments.jobs,
        time_limit: minutes.map(|m| Duration::from_secs_f64(60.0 * m.clamp(0.0, 1e6))),
        progress: true,
    };
    let start = Instant::now();
    let open: Vec<&Cell> = cells.iter().filter(|c| store.load(c).is_none()).collect();
    lab.prepare(&open, &out, &config)
        .context("stopped before the first run; the same command goes on from there")?;
    let limit = config.time_limit;
    config.time_limit = limit.map(|limit| limit.saturating_sub(start.elapsed()));
    let ready = |cell: &&Cell| store.load(cell).is_some() || lab.ready(cell);
    let (cells, unready): (Vec<Cell>, Vec<Cell>) = cells.into_iter().partition(|c| ready(&c));
    let mut outcome = runner::run(&cells, lab, &store, &config)
        .context("stopped; what had finished is kept, and the same command goes on from there")?;
    outcome.left += unready.len();
    eprintln!(
        "{} runs finished, {} of them before; {} failed, {} left",
        outcome.finished.len(),
        outcome.reused,
        outcome.failures.len(),
        outcome.left
    );
    for (cell, reason) in &outcome.failures {
        eprintln!("failed: {}: {reason}", cell.label());
    }

    let mut setup = setup(arguments, lab, &config);
    setup.add(
        "runs reused from earlier",
        format!("{} of {}", outcome.reused, outcome.finished.len()),
    );
    let page = lab
        .write_report(
            &out,
            &report::Input {
                experiment: &experiment,
                profile: &arguments.profile,
                plan: &plan,
                finished: &outcome.finished,
                failures: &outcome.failures,
                left: outcome.left,
                catalogue: lab,
                setup: &setup,
            },
        )
        .context("the runs are kept, but the report could not be written")?;
    write_record(&out.join("record.csv"), &outcome.finished)?;
    let page = page.canonicalize().unwrap_or(page);
    println!("{}", page.display());
    Ok(if outcome.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Inside the target folder of the workspace, wherever the command was started.
fn default_folder(arguments: &Arguments) -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let workspace = workspace.parent().map_or_else(PathBuf::new, PathBuf::from);
    let name = format!("{}-{}", arguments.system, arguments.profile);
    workspace.join("target").join("reproduce").join(name)
}

fn setup(arguments: &Arguments, lab: &dyn System, config: &RunConfig) -> Setup {
    let mut setup = Setup::default();
    let words: Vec<String> = std::env::args().skip(1).collect();
    setup.add(
        "command",
        format!("cargo xtask reproduce {}", words.join(" ")),
    );
    setup.add("base seed", arguments.seed);
    let jobs = match config.jobs {
        0 => "one per core".to_owned(),
        jobs => jobs.to_string(),
    };
    setup.add("runs at the same time", jobs);
    setup.add_environment();
    setup.data = lab.data().map(DataFolder::files).unwrap_or_default();
    setup
}

fn list(experiment: &Experiment, profile: &str, plan: &Plan, cells: usize, lab: &dyn System) {
    println!(
        "{} ({}), profile {profile}: {cells} runs",
        experiment.title, experiment.paper
    );
    println!("{}\n", experiment.profiles[profile].summary);
    for entry in &plan.entries {
        let (title, _) = lab.describe_problem(&entry.problem);
        println!(
            "{:<15} {:?}: {title}; {} seeds × {} evaluations",
            entry.problem, entry.section, entry.seeds, entry.evaluations
        );
        println!("{:<15} {}", "", entry.methods.join(", "));
    }
    let others: Vec<_> = experiment
        .profiles
        .keys()
        .filter(|p| *p != profile)
        .collect();
    println!(
        "\nother profiles: {others:?}; all problems: {}",
        lab.problems().join(", ")
    );
    println!("all methods: {}", lab.methods().join(", "));
}
