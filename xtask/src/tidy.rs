//! Rules of the repository that the compiler does not check.
//!
//! Each rule is a function from the [`Repository`] to a list of complaints, and each is also a test.

mod dependencies;
mod files;
mod layers;
mod licences;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::cargo::{Metadata, metadata, root};

/// A rule's name and its check.
type Rule = (&'static str, fn(&Repository) -> Vec<String>);

const RULES: &[Rule] = &[
    ("licences are permissive", licences::permissive),
    (
        "the crate table equals cargo metadata",
        layers::table_matches,
    ),
    ("layers go strictly downward", layers::downward),
    (
        "dev-dependencies inside the workspace: the testkit only",
        dependencies::dev_only_testkit,
    ),
    ("confined dependencies", dependencies::confined),
    ("every dependency has a reason", dependencies::documented),
    ("lints are inherited", files::lints_inherited),
    (
        "golden files say where they come from",
        files::golden_provenance,
    ),
    ("no path of a machine", files::no_machine_paths),
    ("only the allowed entries in the root", files::root_entries),
    ("sources of at most 700 lines", files::source_length),
];

/// `cargo xtask tidy`.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    check()?;
    println!("tidy: {} rules hold", RULES.len());
    Ok(ExitCode::SUCCESS)
}

/// Fails with every complaint of every rule.
pub(crate) fn check() -> anyhow::Result<()> {
    let repository = Repository::open()?;
    let mut complaints = Vec::new();
    for (name, rule) in RULES {
        complaints.extend(
            rule(&repository)
                .into_iter()
                .map(|c| format!("{name}: {c}")),
        );
    }
    anyhow::ensure!(
        complaints.is_empty(),
        "tidy:\n  {}",
        complaints.join("\n  ")
    );
    Ok(())
}

/// What the rules look at.
#[derive(Debug)]
pub(crate) struct Repository {
    root: PathBuf,
    metadata: Metadata,
    /// Files that belong to the project, relative to the root.
    files: Vec<PathBuf>,
}

impl Repository {
    fn open() -> anyhow::Result<Self> {
        let root = root();
        Ok(Self {
            files: project_files(&root)?,
            metadata: metadata()?,
            root,
        })
    }

    /// The text of a file; empty when it is missing or not text.
    fn read(&self, relative: impl AsRef<Path>) -> String {
        std::fs::read_to_string(self.root.join(relative)).unwrap_or_default()
    }
}

/// Tracked files and new ones that are not ignored; without git, everything but build output.
fn project_files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let git = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output();
    if let Ok(output) = git
        && output.status.success()
    {
        let text = String::from_utf8_lossy(&output.stdout);
        let names = text
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from);
        return Ok(names.filter(|name| root.join(name).exists()).collect());
    }
    let mut files = Vec::new();
    walk(root, root, &mut files).context("the source tree cannot be listed")?;
    Ok(files)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" && entry.file_name() != ".git" {
                walk(root, &path, files)?;
            }
        } else if let Ok(relative) = path.strip_prefix(root) {
            files.push(relative.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(rule: fn(&Repository) -> Vec<String>) {
        let repository = Repository::open().unwrap();
        assert_eq!(rule(&repository), Vec::<String>::new());
    }

    macro_rules! rule_tests {
        ($($name:ident: $rule:path,)*) => {
            $(#[test] fn $name() { holds($rule); })*

            #[test]
            fn every_rule_has_a_test() {
                assert_eq!(RULES.len(), [$(stringify!($name)),*].len());
            }
        };
    }

    rule_tests! {
        licences_are_permissive: licences::permissive,
        crate_table_equals_metadata: layers::table_matches,
        layers_go_downward: layers::downward,
        only_the_testkit_is_a_dev_dependency: dependencies::dev_only_testkit,
        dependencies_are_confined: dependencies::confined,
        dependencies_are_documented: dependencies::documented,
        lints_are_inherited: files::lints_inherited,
        golden_files_have_provenance: files::golden_provenance,
        no_machine_paths: files::no_machine_paths,
        root_has_only_allowed_entries: files::root_entries,
        sources_are_short: files::source_length,
    }
}
