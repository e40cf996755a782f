//! Development commands: `cargo xtask help`.
//!
//! Depends on nothing of the workspace's own, so that it starts in seconds and can judge a tree
//! that does not compile.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its terminal"
)]

mod bench;
mod cargo;
mod ci;
mod reproduce;
mod tidy;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use lexopt::Arg::{Long, Short, Value};

const HELP: &str = "\
Development commands of Warmfront.

    cargo xtask ci                       format, tidy, lints, tests, features, docs: what a change must pass
    cargo xtask tidy                     rules of the repository that the compiler does not check
    cargo xtask reproduce [SYSTEM] [...] run the published experiments of `smog` (the default), `primo` or `pmto`;
                                         `cargo xtask reproduce --help`
    cargo xtask bench [CRATE] [-- FILTER] criterion benches, with a table at the end
        --save NAME                      keep the measurements under this name
        --baseline NAME                  compare with measurements kept earlier: changes over 10 % are marked,
                                         and a slowdown that is no noise makes the command fail
    cargo xtask bench --peers [...]      other libraries and ours in turns; `cargo xtask bench --peers --help`
    cargo xtask help                     this text
";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let mut parser = lexopt::Parser::from_env();
    let command = match parser.next()? {
        None | Some(Long("help") | Short('h')) => "help".to_owned(),
        Some(Value(command)) => command.to_string_lossy().into_owned(),
        Some(other) => return Err(other.unexpected().into()),
    };
    let rest: Vec<OsString> = parser.raw_args()?.collect();
    match command.as_str() {
        "ci" => no_arguments(&rest).and_then(|()| ci::run()),
        "tidy" => no_arguments(&rest).and_then(|()| tidy::run()),
        "reproduce" => reproduce::run(rest),
        "bench" => bench::run(rest),
        "help" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("unknown command `{other}`; `cargo xtask help` lists them"),
    }
}

fn no_arguments(rest: &[OsString]) -> anyhow::Result<()> {
    match rest.first() {
        None => Ok(()),
        Some(first) => {
            Err(anyhow::anyhow!("unexpected {first:?}")).context("this command takes no arguments")
        }
    }
}
