//! Starts programs of warmfront-bench in the release profile.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::cargo::cargo;

/// Forwards every argument and the exit code.
pub(crate) fn run(args: Vec<OsString>) -> anyhow::Result<ExitCode> {
    forward(program("reproduce", args)?)
}

/// A program of warmfront-bench in the release profile, to be run where the user stands.
pub(crate) fn program(name: &str, args: Vec<OsString>) -> anyhow::Result<Command> {
    let manifest = crate::cargo::root().join("Cargo.toml");
    let mut command = cargo(&["run", "--release", "--manifest-path"]);
    command
        .arg(manifest)
        .args(["-p", "warmfront-bench", "--bin", name, "--"]);
    // Paths on the command line are relative to where the user stands, not to the workspace root.
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    command.args(args).current_dir(here);
    Ok(command)
}

/// Runs `command` to its end and passes its exit code on.
pub(crate) fn forward(mut command: Command) -> anyhow::Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("{command:?} did not start"))?;
    // A process ended by a signal has no code.
    Ok(status
        .code()
        .and_then(|c| u8::try_from(c).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
