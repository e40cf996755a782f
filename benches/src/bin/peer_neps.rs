//! `peer_neps`: NePS' own PriMO and ours side by side.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its terminal"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser;
use warmfront_bench::peer::duel::{self, Plan, Terms};
use warmfront_bench::peer::{NEPS_VERSION, Neps, neps_environment, table};
use warmfront_bench::setup::Setup;

/// Measure NePS' PriMO and ours in turns: final hypervolume and seconds per suggestion.
///
/// Makes a Python environment with NePS at the first call (some gigabytes). Finished runs are kept
/// in the output folder: the same command goes on where it stopped. Run it on a quiet machine, and
/// in the release profile.
#[derive(Debug, Parser)]
#[command(name = "peer_neps", version)]
struct Arguments {
    /// Python interpreter that has NePS [default: that of an environment made in the target folder]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Output folder [default: target/peers/neps]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Number of seeds
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// Full evaluations per run
    #[arg(long, default_value_t = Terms::default().budget, value_name = "N")]
    budget: f64,
    /// Problems, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B",
        default_value = "momf_branin_currin,mf_zdt6_d10"
    )]
    problems: Vec<String>,
    /// Qualities of the two objectives' priors, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B",
        default_value = "good-good,bad-bad"
    )]
    conditions: Vec<String>,
    /// Variants of ours, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B",
        default_value = "improved,as-run"
    )]
    variants: Vec<String>,
    /// Only write the page about the runs there are
    #[arg(long)]
    report: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        arguments.budget > 0.0 && arguments.budget.is_finite(),
        "the budget must be positive"
    );
    let plan = Plan {
        problems: arguments.problems.clone(),
        conditions: arguments.conditions.clone(),
        variants: arguments.variants.clone(),
        seeds: arguments.seeds,
        terms: Terms {
            budget: arguments.budget,
            ..Terms::default()
        },
    };
    let peers = peers_folder();
    let out = arguments.out.clone().unwrap_or_else(|| peers.join("neps"));
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let csv = out.join("neps.csv");
    let versions = out.join("versions.json");

    let rows = if arguments.report {
        duel::read(&csv)?
    } else {
        let start = || {
            let python = match &arguments.python {
                Some(python) => python.clone(),
                None => {
                    eprintln!("preparing NePS {NEPS_VERSION}");
                    neps_environment(&peers.join(format!("neps-{NEPS_VERSION}")))?
                }
            };
            let neps = Neps::start(&python)?;
            std::fs::write(&versions, serde_json::to_string(&neps.versions)?)?;
            Ok(neps)
        };
        duel::run(&plan, &csv, start, |row| {
            eprintln!(
                "{} {} seed {} {}: hypervolume {:.4}, {:.1} ms per model suggestion",
                row.problem,
                row.condition,
                row.seed,
                row.method,
                row.hypervolume,
                1e3 * row.model_seconds / row.model_suggestions as f64,
            );
        })?
    };
    let page = table::markdown(&plan, &rows, &setup(&plan, &versions));
    let path = out.join("neps.md");
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

fn setup(plan: &Plan, versions: &Path) -> Setup {
    let mut setup = Setup::default();
    setup.add(
        "command",
        format!(
            "`cargo run --release -p warmfront-bench --bin peer_neps -- --seeds {} --budget {} \
             --problems {} --conditions {} --variants {}`",
            plan.seeds,
            plan.terms.budget,
            plan.problems.join(","),
            plan.conditions.join(","),
            plan.variants.join(",")
        ),
    );
    setup.add_environment();
    let versions: std::collections::BTreeMap<String, String> = std::fs::read(versions)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    for (package, version) in &versions {
        setup.add(package, version);
    }
    setup
}

fn peers_folder() -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let workspace = workspace.parent().map_or_else(PathBuf::new, PathBuf::from);
    workspace.join("target").join("peers")
}
