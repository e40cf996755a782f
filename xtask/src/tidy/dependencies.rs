//! Which crate may use which dependency, and that each has a stated reason.

use super::Repository;

/// Dependencies that only some crates may name.
const CONFINED: &[(&str, &[&str])] = &[
    ("bincode", &["warmfront-codec"]),
    ("faer", &["warmfront-linalg"]),
    ("anyhow", &["warmfront-bench", "xtask"]),
];
const TESTKIT: &str = "warmfront-testkit";
const PAGE: &str = "docs/dependencies.md";

pub(super) fn dev_only_testkit(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in repository.metadata.members() {
        for dependency in package.dependencies.iter().filter(|d| d.internal) {
            if dependency.dev && dependency.name != TESTKIT {
                complaints.push(format!(
                    "{} has {} for its tests",
                    package.name, dependency.name
                ));
            }
            if !dependency.dev && dependency.name == TESTKIT {
                complaints.push(format!(
                    "{} has the testkit outside its tests",
                    package.name
                ));
            }
            // With a version it would have to be published.
            if dependency.name == TESTKIT && dependency.requirement != "*" {
                complaints.push(format!("{} states a version of the testkit", package.name));
            }
        }
    }
    complaints
}

pub(super) fn confined(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in repository.metadata.members() {
        for (name, allowed) in CONFINED {
            let uses = package.dependencies.iter().any(|d| d.name == *name);
            if uses && !allowed.contains(&package.name.as_str()) {
                let allowed = allowed.join(", ");
                complaints.push(format!("{} uses {name}; only {allowed} may", package.name));
            }
        }
    }
    complaints
}

pub(super) fn documented(repository: &Repository) -> Vec<String> {
    let page = repository.read(PAGE);
    let rows: Vec<&str> = page.lines().filter_map(first_cell).collect();
    let mut used: Vec<&str> = repository
        .metadata
        .members()
        .into_iter()
        .flat_map(|p| &p.dependencies)
        .filter(|d| !d.internal)
        .map(|d| d.name.as_str())
        .collect();
    used.sort_unstable();
    used.dedup();
    let missing = used.iter().filter(|name| !rows.contains(name));
    let stale = rows.iter().filter(|name| !used.contains(name));
    missing
        .map(|name| format!("{PAGE} has no row for {name}"))
        .chain(stale.map(|name| format!("{PAGE} has a row for {name}, which nothing uses")))
        .collect()
}

/// The name in a row such as `` | `serde` | … | ``.
fn first_cell(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?
        .split_once("` |")
        .map(|(name, _)| name)
}
