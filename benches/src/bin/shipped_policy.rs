//! `shipped_policy`: trains the policy that comes with warmfront-np.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program talks to its terminal"
)]

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use warmfront_bench::nap::families::{FamilySpec, Halls};
use warmfront_bench::nap::policies::Policies;
use warmfront_bench::nap::recipes::{Variant, recipe};
use warmfront_bench::runner::RunConfig;
use warmfront_bench::store::replace;
use warmfront_np::Precision;

/// Train the policy that comes with warmfront-np, on functions of one to eight inputs.
///
/// It takes about half an hour on two cores, and goes on where an earlier call stopped. The file does not depend on the number of threads.
#[derive(Debug, Parser)]
#[command(name = "shipped_policy", version)]
struct Arguments {
    /// File to write, with weights in half precision
    #[arg(default_value = "target/shipped-policy/general.safetensors")]
    file: PathBuf,
    /// Folder of checkpoints and curves
    #[arg(long, value_name = "DIR", default_value = "target/shipped-policy")]
    out: PathBuf,
    /// Threads; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N")]
    jobs: usize,
}

/// Of the tasks that it is judged on; its training has a seed of its own.
const SEED: u64 = 2026;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // Before the training, not after it: a folder that cannot be made would cost hours.
    if let Some(folder) = arguments.file.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    let spec = FamilySpec::find("general").context("the family is gone")?;
    let halls = Halls::new(None, SEED);
    let recipe = recipe(spec, Variant::WarmUp, SEED);
    let config = RunConfig {
        jobs: arguments.jobs,
        time_limit: None,
        progress: true,
    };
    let policies = Policies::default();
    policies.train(
        std::slice::from_ref(&recipe),
        &halls,
        &arguments.out,
        &config,
    )?;
    let policy = policies.get(&recipe)?;
    replace(&arguments.file, |file| {
        Ok(policy.write_with(file, Precision::Half)?)
    })?;
    println!(
        "{}: {} parameters",
        arguments.file.display(),
        policy.network().parameters().len()
    );
    Ok(())
}
