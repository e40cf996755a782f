//! Rules about the files themselves.

use std::path::Path;

use serde_json::Value;

use super::Repository;

const LINE_LIMIT: usize = 700;
/// Besides hidden files.
const ROOT: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "crates",
    "xtask",
    "docs",
    "benches",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];
/// The crate that may state lints of its own, because it may hold small explained `unsafe`.
const OWN_LINTS: &str = "warmfront-linalg";

pub(super) fn lints_inherited(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in repository.metadata.members() {
        let manifest = repository.read(&package.manifest);
        let own = package.name == OWN_LINTS && section(&manifest, "lints.rust", "unsafe_code");
        if !own && !section(&manifest, "lints", "workspace = true") {
            complaints.push(format!("{} lacks `[lints] workspace = true`", package.name));
        }
    }
    complaints
}

/// Whether a line of the manifest's `[name]` section starts with `entry`.
fn section(manifest: &str, name: &str, entry: &str) -> bool {
    let header = format!("[{name}]");
    manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.starts_with(entry))
}

pub(super) fn golden_provenance(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in &repository.files {
        if file
            .parent()
            .is_none_or(|folder| !folder.ends_with("tests/golden"))
        {
            continue;
        }
        let stated = if file.extension().is_some_and(|e| e == "json") {
            states_provenance(&repository.read(file))
        } else {
            // A file that is not JSON has its provenance in the folder's page.
            file.ends_with("README.md") || named_beside(repository, file)
        };
        if !stated {
            complaints.push(format!("{} has no `provenance`", file.display()));
        }
    }
    complaints
}

fn states_provenance(json: &str) -> bool {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    value["provenance"]
        .as_str()
        .is_some_and(|text| !text.trim().is_empty())
}

fn named_beside(repository: &Repository, file: &Path) -> bool {
    let name = file
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    repository
        .read(file.with_file_name("README.md"))
        .contains(&name)
}

pub(super) fn no_machine_paths(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in &repository.files {
        for (number, line) in repository.read(file).lines().enumerate() {
            if has_machine_path(line) {
                complaints.push(format!(
                    "{}:{}: {}",
                    file.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    complaints
}

/// Whether the line names a place that exists on one machine only.
fn has_machine_path(line: &str) -> bool {
    // Split, so that this file keeps its own rule.
    const PLACES: &[&str] = &[
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
        concat!("/t", "mp/"),
        concat!(":\\Us", "ers\\"),
    ];
    PLACES.iter().any(|place| {
        line.match_indices(place).any(|(at, _)| {
            // In the middle of an address or a relative path it is no machine's.
            let before = line[..at].chars().next_back();
            place.starts_with(':')
                || !before.is_some_and(|c| c.is_alphanumeric() || "_-./".contains(c))
        })
    })
}

pub(super) fn root_entries(repository: &Repository) -> Vec<String> {
    let mut names: Vec<String> = repository
        .files
        .iter()
        .filter_map(|file| file.components().next())
        .map(|first| first.as_os_str().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !ROOT.contains(&name.as_str()))
        .collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| format!("`{name}` may not stand in the root"))
        .collect()
}

pub(super) fn source_length(repository: &Repository) -> Vec<String> {
    repository
        .files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
        .map(|file| (file, repository.read(file).lines().count()))
        .filter(|(_, lines)| *lines > LINE_LIMIT)
        .map(|(file, lines)| format!("{} has {lines}", file.display()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_machine_paths_but_not_addresses() {
        let check = |text: &str, expected| assert_eq!(has_machine_path(text), expected, "{text}");
        check(concat!("see /ho", "me/someone/x"), true);
        check(concat!("\"/t", "mp/x\""), true);
        check(concat!("C:\\Us", "ers\\me"), true);
        check(concat!("https://example.org/ho", "me/page"), false);
        check(concat!("benches/wo", "rk/x"), false);
        check("a/b", false);
    }

    #[test]
    fn finds_an_entry_in_its_own_section_only() {
        let manifest = "[package]\nworkspace = true\n[lints]\nworkspace = true\n[x]\n";
        assert!(section(manifest, "lints", "workspace = true"));
        assert!(!section(
            "[a]\nworkspace = true\n[lints]\n[b]\n",
            "lints",
            "workspace = true"
        ));
    }

    #[test]
    fn provenance_must_say_something() {
        assert!(states_provenance(r#"{"provenance": "SciPy 1.17", "x": 1}"#));
        assert!(!states_provenance(r#"{"provenance": " "}"#));
        assert!(!states_provenance("[1]"));
    }
}
