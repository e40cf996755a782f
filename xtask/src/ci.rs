//! Everything that a change must pass, in one command and with nothing to install beyond Rust.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cargo::{cargo, metadata};
use crate::tidy;

/// Runs the steps in order, cheapest first, and stops at the first that fails.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let mut tests = TestCount::default();
    let outcome = steps(&mut report, &mut tests);
    println!("\n{}", report.summary());
    if let Err(error) = &outcome {
        eprintln!("error: {error:#}");
    }
    // The last line, so that a person or a script finds it.
    println!("{} passed, {} failed", tests.passed, tests.failed);
    Ok(if outcome.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn steps(report: &mut Report, tests: &mut TestCount) -> anyhow::Result<()> {
    report.step("format", || {
        succeed(&mut cargo(&["fmt", "--all", "--check"]))
    })?;
    report.step("tidy", tidy::check)?;
    report.step("clippy", || {
        succeed(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    report.step("test", || {
        // Unit, integration and documentation tests; --no-fail-fast so that the count is whole.
        succeed_counting(
            // All features: what is off by default is tested nowhere else.
            &mut cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]),
            tests,
        )
    })?;
    report.step("features", features)?;
    report.step("doc", || {
        succeed(
            cargo(&[
                "doc",
                "--workspace",
                "--no-deps",
                "--all-features",
                "--quiet",
            ])
            .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })
}

/// A check of each package with features that are off by default: without any, then with each alone.
/// The workspace build hides both cases, because it unifies features over all members.
fn features() -> anyhow::Result<()> {
    for package in metadata()?.members() {
        if package.optional_features.is_empty() {
            continue;
        }
        succeed(&mut cargo(&[
            "check",
            "--quiet",
            "--all-targets",
            "-p",
            &package.name,
        ]))?;
        for feature in &package.optional_features {
            let args = [
                "check",
                "--quiet",
                "--all-targets",
                "-p",
                &package.name,
                "--features",
                feature,
            ];
            succeed(&mut cargo(&args))?;
        }
    }
    Ok(())
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{command:?} did not start"))?;
    anyhow::ensure!(status.success(), "`{}` failed ({status})", display(command));
    Ok(())
}

/// Like [`succeed`], passing standard output through and adding up cargo's `test result:` lines.
fn succeed_counting(command: &mut Command, count: &mut TestCount) -> anyhow::Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?} did not start"))?;
    let output = child
        .stdout
        .take()
        .expect("standard output was piped above");
    let mut stdout = std::io::stdout().lock();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(stdout, "{line}")?;
        count.add(&line);
    }
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "`{}` failed ({status})", display(command));
    anyhow::ensure!(count.passed > 0, "no test ran");
    Ok(())
}

fn display(command: &Command) -> String {
    let args: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
    format!("cargo {}", args.join(" "))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct TestCount {
    passed: u64,
    failed: u64,
}

impl TestCount {
    fn add(&mut self, line: &str) {
        let Some(rest) = line.trim_start().strip_prefix("test result:") else {
            return;
        };
        let words: Vec<&str> = rest
            .split([' ', ';', '.'])
            .filter(|w| !w.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }
}

#[derive(Debug, Default)]
struct Report {
    lines: Vec<(&'static str, Duration, bool)>,
}

impl Report {
    #[expect(clippy::disallowed_methods, reason = "each step prints its time")]
    fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        println!("── {name}");
        let start = Instant::now();
        let outcome = work();
        let elapsed = start.elapsed();
        self.lines.push((name, elapsed, outcome.is_ok()));
        println!("── {name}: {:.1} s", elapsed.as_secs_f64());
        outcome.with_context(|| format!("step `{name}` failed"))
    }

    fn summary(&self) -> String {
        let mut text = String::new();
        let mut total = Duration::ZERO;
        for (name, elapsed, ok) in &self.lines {
            let mark = if *ok { "ok" } else { "FAILED" };
            text.push_str(&format!(
                "{name:<10} {:>8.1} s  {mark}\n",
                elapsed.as_secs_f64()
            ));
            total += *elapsed;
        }
        text + &format!("{:<10} {:>8.1} s", "total", total.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_the_result_lines_of_several_test_binaries() {
        let mut count = TestCount::default();
        count.add("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.02s");
        count.add("test tests::result ... ok");
        count.add("test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out");
        assert_eq!(
            count,
            TestCount {
                passed: 15,
                failed: 2
            }
        );
    }

    #[test]
    fn a_failing_step_is_named_and_timed() {
        let mut report = Report::default();
        assert!(report.step("one", || Ok(())).is_ok());
        let error = report.step("two", || anyhow::bail!("broken")).unwrap_err();
        assert_eq!(format!("{error:#}"), "step `two` failed: broken");
        assert!(report.summary().contains("FAILED"));
    }
}
