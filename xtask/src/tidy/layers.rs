//! The crate table of `docs/architecture.md` against `cargo metadata`.

use std::collections::BTreeMap;

use super::Repository;
use crate::cargo::Package;

const PAGE: &str = "docs/architecture.md";
/// The layer of a crate that only tests use: no crate may depend on it otherwise.
const DEV: &str = "dev";

#[derive(Debug, PartialEq, Eq)]
struct Row {
    layer: String,
    line: String,
    internal: Vec<String>,
}

pub(super) fn table_matches(repository: &Repository) -> Vec<String> {
    let table = match table(&repository.read(PAGE)) {
        Ok(table) => table,
        Err(complaint) => return vec![complaint],
    };
    let mut complaints = Vec::new();
    let members = repository.metadata.members();
    for package in &members {
        let expected = |layer: &str| {
            let internal = internal(package);
            let internal = if internal.is_empty() {
                "–".into()
            } else {
                internal.join(", ")
            };
            format!(
                "| `{}` | {layer} | {} | {internal} |",
                package.name, package.description
            )
        };
        match table.get(&package.name) {
            None => complaints.push(format!("{PAGE} lacks a row: {}", expected("?"))),
            Some(row) => {
                if row.internal != internal(package) || row.line != package.description {
                    let expected = expected(&row.layer);
                    complaints.push(format!(
                        "the manifest of {} asks for the row {expected}",
                        package.name
                    ));
                }
            }
        }
    }
    for name in table.keys() {
        if !members.iter().any(|p| p.name == *name) {
            complaints.push(format!("{PAGE} has a row for {name}, which is no member"));
        }
    }
    complaints
}

pub(super) fn downward(repository: &Repository) -> Vec<String> {
    let Ok(table) = table(&repository.read(PAGE)) else {
        return Vec::new(); // `table_matches` says why
    };
    let members = repository.metadata.members();
    let edges = members
        .iter()
        .flat_map(|p| internal(p).into_iter().map(|d| (p.name.clone(), d)));
    upward_edges(&table, edges)
}

/// Complaints about the edges that do not go from a layer to a lower one.
fn upward_edges(
    table: &BTreeMap<String, Row>,
    edges: impl Iterator<Item = (String, String)>,
) -> Vec<String> {
    let layer = |name: &str| {
        let row = table.get(name)?;
        if row.layer == DEV {
            Some(i32::MAX)
        } else {
            row.layer.parse().ok()
        }
    };
    let mut complaints = Vec::new();
    for (from, to) in edges {
        match (layer(&from), layer(&to)) {
            (Some(upper), Some(lower)) if lower < upper => {}
            (Some(_), Some(_)) => {
                complaints.push(format!("{from} may not depend on {to}: not a lower layer"));
            }
            _ => complaints.push(format!("no layer for {from} or {to} in {PAGE}")),
        }
    }
    complaints
}

/// Internal dependencies outside tests, sorted.
fn internal(package: &Package) -> Vec<String> {
    let mut names: Vec<String> = package
        .dependencies
        .iter()
        .filter(|d| d.internal && !d.dev)
        .map(|d| d.name.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Reads the table whose header starts with `| crate | layer |`.
fn table(page: &str) -> Result<BTreeMap<String, Row>, String> {
    let mut lines = page
        .lines()
        .skip_while(|l| cells(l).get(..2).is_none_or(|c| c != ["crate", "layer"]));
    let header = lines
        .next()
        .ok_or_else(|| format!("{PAGE} has no table `| crate | layer |`"))?;
    if cells(header) != ["crate", "layer", "one line", "internal dependencies"] {
        return Err(format!(
            "{PAGE}: the columns must be crate, layer, one line, internal dependencies"
        ));
    }
    let mut rows = BTreeMap::new();
    for line in lines.skip(1).take_while(|l| l.starts_with('|')) {
        let cells = cells(line);
        let [name, layer, text, internal] = cells[..] else {
            return Err(format!("{PAGE}: not four columns: {line}"));
        };
        let mut internal: Vec<String> = internal
            .split(',')
            .map(|d| d.trim().trim_matches('`').to_owned())
            .filter(|d| !d.is_empty() && d != "–")
            .collect();
        internal.sort();
        let row = Row {
            layer: layer.to_owned(),
            line: text.to_owned(),
            internal,
        };
        rows.insert(name.trim_matches('`').to_owned(), row);
    }
    Ok(rows)
}

fn cells(line: &str) -> Vec<&str> {
    match line
        .trim()
        .strip_prefix('|')
        .and_then(|l| l.strip_suffix('|'))
    {
        Some(inner) => inner.split('|').map(str::trim).collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "text\n\n| crate | layer | one line | internal dependencies |\n|---|---|---|---|\n\
        | `low` | 0 | The low one | – |\n| `high` | 1 | The high one | low |\n| `side` | 1 | Beside | |\n\nmore";

    #[test]
    fn reads_the_table() {
        let table = table(PAGE).unwrap();
        assert_eq!(table.len(), 3);
        assert_eq!(table["high"].internal, ["low"]);
        assert!(table["side"].internal.is_empty());
        assert!(super::table("nothing here").is_err());
    }

    #[test]
    fn refuses_edges_upward_and_sideways() {
        let table = table(PAGE).unwrap();
        let check = |from: &str, to: &str| {
            upward_edges(&table, [(from.to_owned(), to.to_owned())].into_iter()).len()
        };
        assert_eq!(check("high", "low"), 0);
        assert_eq!(check("low", "high"), 1);
        assert_eq!(check("high", "side"), 1);
        assert_eq!(check("high", "absent"), 1);
    }
}
