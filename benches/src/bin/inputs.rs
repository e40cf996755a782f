//! `inputs DIR`: writes the inputs of the benchmarks for other programs to read.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program talks to its terminal"
)]

use std::path::PathBuf;

use clap::Parser;

/// Writes the inputs of the benchmarks: little-endian row-major f64 files, and their shapes in
/// index.json.
#[derive(Parser)]
struct Arguments {
    /// Folder to write into; made if it is missing.
    dir: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let count = warmfront_bench::inputs::write(&arguments.dir)?;
    println!("{count} arrays in {}", arguments.dir.display());
    Ok(())
}
