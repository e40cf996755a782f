//! Criterion benches with a table at the end, and the comparison with other libraries.

mod changes;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use lexopt::Arg::{Long, Value};
use lexopt::ValueExt as _;

use crate::cargo::cargo;
use crate::reproduce::{forward, program};

/// `bench [CRATE] [--save NAME] [--baseline NAME]`, or `bench --peers ...`.
pub(crate) fn run(mut args: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let count = args.len();
    args.retain(|arg| arg != "--peers");
    if args.len() < count {
        return forward(program("peers", args)?);
    }
    benches(&Request::parse(args)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "only what this run has measured goes into the table"
)]
fn benches(request: &Request) -> anyhow::Result<ExitCode> {
    let machine = machine();
    println!("{machine}, {}", compiler());
    let folder = target_folder()?.join("criterion");
    // Before hours of measurements.
    if let Some(name) = &request.baseline {
        if !changes::is_saved(&folder, name) {
            bail!(
                "nothing is saved under the name `{name}`: make it by `cargo xtask bench --save {name}`"
            );
        }
        check_machine(&folder, name, &machine)?;
    }
    if let Some(name) = &request.save
        && changes::is_saved(&folder, name)
    {
        // What this call leaves out would pass for this machine's.
        check_machine(&folder, name, &machine)?;
    }
    let start = SystemTime::now();
    measure(request, &request.filter)?;
    let mut measured = changes::read(&folder, start, request.baseline.as_deref())?;
    if let Some(name) = &request.save {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(machine_file(&folder, name), &machine)
            .context("cannot write down the machine")?;
    }
    if let Some(name) = &request.baseline {
        if measured.iter().all(|m| m.change.is_none()) {
            bail!("`{name}` has none of these benches");
        }
        let marked = changes::slower(&measured);
        if !marked.is_empty() {
            println!(
                "\nmeasured again, as slower than `{name}`: {}",
                marked.len()
            );
            let start = SystemTime::now();
            measure(request, &[changes::filter(&marked).into()])?;
            let again = changes::read(&folder, start, request.baseline.as_deref())?;
            changes::confirm(&mut measured, &again);
        }
    }
    print!("{}", changes::table(&measured));
    if request.baseline.is_some() {
        println!(
            "\nnot compared: memory, whole optimisations, and what other libraries take (`--peers`)"
        );
    }
    Ok(match changes::has_regressed(&measured) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// Runs the benches that a filter leaves.
fn measure(request: &Request, filter: &[OsString]) -> anyhow::Result<()> {
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
        // Benches that are new since then do not stop the others.
        command.args(["--baseline-lenient", name]);
    }
    // Other work on the machine takes further processors away, and a change of ours is not that.
    let status = command
        .args(filter)
        .env("RAYON_NUM_THREADS", "1")
        .status()
        .context("cargo bench did not start")?;
    if !status.success() {
        bail!("cargo bench failed");
    }
    Ok(())
}

/// Beside the folders of the benches: on what a baseline was measured.
fn machine_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.machine"))
}

/// Times of another machine say nothing about a change of the code.
fn check_machine(folder: &Path, name: &str, machine: &str) -> anyhow::Result<()> {
    match std::fs::read_to_string(machine_file(folder, name)) {
        Ok(saved) if saved != machine => {
            bail!("`{name}` was measured elsewhere: {saved}; here: {machine}")
        }
        Ok(_) => {}
        Err(_) => println!("it is not known on what machine `{name}` was measured"),
    }
    Ok(())
}

fn target_folder() -> anyhow::Result<PathBuf> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cargo metadata did not start")?;
    let value: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let folder = value["target_directory"].as_str();
    Ok(folder.context("cargo metadata names no folder")?.into())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    bench: Option<String>,
    save: Option<String>,
    baseline: Option<String>,
    /// What follows `--`: for criterion.
    filter: Vec<OsString>,
}

impl Request {
    fn parse(args: Vec<OsString>) -> anyhow::Result<Self> {
        let mut request = Self::default();
        let mut args = args.into_iter();
        let own: Vec<OsString> = args.by_ref().take_while(|arg| arg != "--").collect();
        request.filter = args.collect();
        let mut parser = lexopt::Parser::from_args(own);
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
        if request.save.is_some() && request.baseline.is_some() {
            bail!("--save and --baseline exclude each other: save after the comparison");
        }
        Ok(request)
    }
}

/// The processor, without the compiler: another one is a change that may be measured. The name alone may
/// hide which one it is.
fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let entry = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} {}, {cores} threads",
        entry("model name").unwrap_or(std::env::consts::ARCH),
        ["cpu family", "model", "stepping"]
            .map(|name| entry(name).unwrap_or_default())
            .join("."),
    )
}

fn compiler() -> String {
    let rustc = std::process::Command::new("rustc")
        .arg("--version")
        .output()
        .ok();
    let rustc = rustc.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    rustc.unwrap_or_else(|| "unknown rustc".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_crate_and_names() {
        let args = ["warmfront-gp", "--save", "before", "--", "fit"]
            .map(OsString::from)
            .to_vec();
        let expected = Request {
            bench: Some("gp".into()),
            save: Some("before".into()),
            baseline: None,
            filter: vec!["fit".into()],
        };
        assert_eq!(Request::parse(args).unwrap(), expected);
        assert!(Request::parse(vec!["--what".into()]).is_err());
        let both = ["--save", "a", "--baseline", "b"].map(OsString::from);
        let error = Request::parse(both.to_vec()).unwrap_err();
        assert!(error.to_string().contains("exclude"), "{error}");
    }

    #[test]
    fn a_baseline_of_another_machine_is_refused() {
        let folder = std::env::temp_dir().join(format!("warmfront-machine-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(machine_file(&folder, "before"), "here").unwrap();
        let checks = [
            check_machine(&folder, "before", "here").is_ok(),
            check_machine(&folder, "before", "there").is_ok(),
            check_machine(&folder, "unknown", "there").is_ok(),
        ];
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(checks, [true, false, true]);
    }
}
