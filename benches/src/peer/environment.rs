//! What other programs need to run: a Python environment with packages, a built Rust program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// Left in an environment that is complete; holds the packages.
const MARK: &str = "complete";
/// PyTorch's builds without a graphics card: a fifth of the usual size.
const CPU_INDEX: &str = "https://download.pytorch.org/whl/cpu";

/// The Python interpreter of an environment that has `packages` (`name==version`), or those of them that can be
/// installed: made in `folder` by `venv` and `pip` at the first call.
///
/// # Errors
/// If there is no Python, or it cannot make environments, or pip cannot install any package.
pub fn python(folder: &Path, packages: &[String]) -> anyhow::Result<PathBuf> {
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let mark = folder.join(MARK);
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let base = ["python3", "python"]
        .into_iter()
        .find(|name| succeeds(Command::new(name).arg("--version").stdout(Stdio::null())))
        .context("no `python3` found: install Python 3.11 or later, or name one that has the packages by --python")?;
    ensure!(
        succeeds(Command::new(base).args(["-m", "venv"]).arg(folder)),
        "`{base} -m venv {}` failed: install Python's venv module, or use --python",
        folder.display()
    );
    ensure!(
        succeeds(
            Command::new(&python)
                .args(["-m", "pip", "--version"])
                .stdout(Stdio::null())
        ),
        "the environment in {} has no pip: install Python's ensurepip module (on Debian: python3-venv), or use --python",
        folder.display()
    );
    if install(&python, packages)? {
        std::fs::write(&mark, wanted)
            .with_context(|| format!("cannot write {}", mark.display()))?;
    }
    Ok(python)
}

/// Installs what can be installed; whether that is everything. What is missing is tried again the next time.
fn install(python: &Path, packages: &[String]) -> anyhow::Result<bool> {
    let pip = || {
        let mut command = Command::new(python);
        command.args(["-m", "pip", "install", "--quiet"]);
        command
    };
    // Where that index cannot be reached or lacks the version, the usual PyTorch is taken.
    if let Some(torch) = packages.iter().find(|p| p.starts_with("torch=="))
        && reachable(python, CPU_INDEX)
    {
        succeeds(pip().args([torch, "--index-url", CPU_INDEX]));
    }
    if succeeds(pip().args(packages)) {
        return Ok(true);
    }
    // A library without a wheel for this Python must not keep the others out.
    let installed = packages.iter().filter(|p| succeeds(pip().arg(p))).count();
    ensure!(
        installed > 0,
        "pip could not install {}: it needs Python 3.11 or later, a package index, and some gigabytes of space",
        packages.join(", ")
    );
    Ok(false)
}

fn reachable(python: &Path, address: &str) -> bool {
    let script = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)";
    succeeds(
        Command::new(python)
            .args(["-c", script, address])
            .stderr(Stdio::null()),
    )
}

/// The texts of a Rust program.
#[derive(Debug, Clone, Copy)]
pub struct RustProgram<'a> {
    /// Name of the executable.
    pub name: &'a str,
    /// `Cargo.toml`.
    pub manifest: &'a str,
    /// `Cargo.lock`: every dependency has the version measured.
    pub lock: &'a str,
    /// `src/main.rs`.
    pub source: &'a str,
}

/// Builds a Rust program outside the workspace, in the release profile, and returns the executable's path.
///
/// # Errors
/// If a file cannot be written, or cargo cannot build.
pub fn rust(folder: &Path, program: RustProgram<'_>) -> anyhow::Result<PathBuf> {
    let files = [
        ("Cargo.toml", program.manifest),
        ("Cargo.lock", program.lock),
        ("src/main.rs", program.source),
    ];
    std::fs::create_dir_all(folder.join("src"))
        .with_context(|| format!("cannot make {}", folder.display()))?;
    for (file, text) in files {
        let path = folder.join(file);
        // A file that is written is newer, and cargo would build again.
        if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    ensure!(
        succeeds(
            Command::new(cargo)
                .args(["build", "--release", "--locked", "--quiet"])
                .current_dir(folder)
                .env_remove("CARGO_TARGET_DIR")
                .stdout(Stdio::null())
        ),
        "cargo could not build the program in {}: it needs the crates' registry at the first time",
        folder.display()
    );
    Ok(folder
        .join("target/release")
        .join(program.name)
        .with_extension(std::env::consts::EXE_EXTENSION))
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
