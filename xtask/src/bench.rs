//! Criterion benches, with the machine they ran on.

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::Arg::{Long, Value};
use lexopt::ValueExt as _;

use crate::cargo::cargo;
use crate::reproduce::forward;

/// `bench [CRATE] [--save NAME] [--baseline NAME]`.
pub(crate) fn run(args: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let request = Request::parse(args)?;
    println!("{}", machine());
    let mut command = cargo(&["bench", "-p", "warmfront-bench"]);
    match &request.bench {
        Some(name) => command.args(["--bench", name]),
        None => command.arg("--benches"),
    };
    command.arg("--");
    if let Some(name) = &request.save {
        command.args(["--save-baseline", name]);
    }
    if let Some(name) = &request.baseline {
        command.args(["--baseline", name]);
    }
    forward(command)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    bench: Option<String>,
    save: Option<String>,
    baseline: Option<String>,
}

impl Request {
    fn parse(args: Vec<OsString>) -> anyhow::Result<Self> {
        let mut request = Self::default();
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(name) if request.bench.is_none() => {
                    // The bench of crate warmfront-gp is called gp.
                    let name = name.string()?;
                    request.bench = Some(name.trim_start_matches("warmfront-").to_owned());
                }
                Long("save") => request.save = Some(parser.value()?.string()?),
                Long("baseline") => request.baseline = Some(parser.value()?.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(request)
    }
}

/// One line about processor and compiler: a measurement without them says nothing.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|l| l.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
    let rustc = std::process::Command::new("rustc")
        .arg("--version")
        .output()
        .ok();
    let rustc = rustc.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {cores} threads, {}",
        cpu.as_deref().unwrap_or(std::env::consts::ARCH),
        rustc.as_deref().unwrap_or("unknown rustc")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_crate_and_names() {
        let args = ["warmfront-gp", "--save", "before"]
            .map(OsString::from)
            .to_vec();
        let expected = Request {
            bench: Some("gp".into()),
            save: Some("before".into()),
            baseline: None,
        };
        assert_eq!(Request::parse(args).unwrap(), expected);
        assert!(Request::parse(vec!["--what".into()]).is_err());
    }
}
