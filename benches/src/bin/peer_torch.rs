//! `peer_torch`: a training step of the neural acquisition process in PyTorch and ours side by side.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its terminal"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use warmfront_bench::peer::torch::{Workload, duel, serve, table};

/// Measure PyTorch's training step and ours in turns, on one thread each: seconds and memory.
///
/// 4 layers of width 128 with 4 heads and 512 hidden units, 16 contexts of 50 evaluations and 200
/// candidates, forward and backward. Loss, logits and gradients are compared first. Run it in the release
/// profile; processor time is what is compared, so other programs disturb little.
#[derive(Debug, Parser)]
#[command(name = "peer_torch", version)]
struct Arguments {
    /// Python interpreter that has PyTorch
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Steps of every side
    #[arg(long, default_value_t = 9, value_name = "N")]
    rounds: usize,
    /// PyTorch's variants, separated by commas: plain, fused, split, compiled (needs a C++ compiler)
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B",
        default_value = "plain,fused,split"
    )]
    variants: Vec<String>,
    /// Answer as one side (for the program itself)
    #[arg(long, hide = true)]
    worker: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let workload = Workload::default();
    let done = if arguments.worker {
        serve(&workload, std::io::stdin().lock(), std::io::stdout().lock())
    } else {
        let tell = |line: &str| eprintln!("{line}");
        duel(
            &workload,
            &arguments.python,
            &arguments.variants,
            arguments.rounds,
            tell,
        )
        .map(|sides| print!("{}", table(&sides)))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
