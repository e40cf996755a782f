//! Licences of everything that is linked or built.

use super::Repository;

/// Licences that ask for no more than attribution.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

pub(super) fn permissive(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in &repository.metadata.packages {
        let name = format!("{} {}", package.name, package.version);
        match &package.license {
            None => complaints.push(format!("{name} states no licence")),
            Some(expression) => match allowed(expression) {
                Some(true) => {}
                Some(false) => complaints.push(format!("{name} is under `{expression}`")),
                None => complaints.push(format!("{name}: cannot read `{expression}`")),
            },
        }
    }
    complaints
}

/// Whether an SPDX expression can be satisfied with permissive licences alone; `None` if unreadable.
fn allowed(expression: &str) -> Option<bool> {
    // Old manifests separate alternatives with a slash.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let value = alternatives(&mut rest)?;
    rest.is_empty().then_some(value)
}

fn alternatives(words: &mut &[&str]) -> Option<bool> {
    let mut value = conjunction(words)?;
    while words.first() == Some(&"OR") {
        *words = &words[1..];
        value |= conjunction(words)?;
    }
    Some(value)
}

fn conjunction(words: &mut &[&str]) -> Option<bool> {
    let mut value = atom(words)?;
    while words.first() == Some(&"AND") {
        *words = &words[1..];
        value &= atom(words)?;
    }
    Some(value)
}

fn atom(words: &mut &[&str]) -> Option<bool> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    if *first == "(" {
        let value = alternatives(words)?;
        let (close, rest) = words.split_first()?;
        *words = rest;
        return (*close == ")").then_some(value);
    }
    if matches!(*first, ")" | "OR" | "AND" | "WITH") {
        return None;
    }
    let mut name = (*first).to_owned();
    if words.first() == Some(&"WITH") {
        name = format!("{name} WITH {}", words.get(1)?);
        *words = &words[2..];
    }
    Some(PERMISSIVE.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn reads_expressions() {
        let check = |expression: &str, expected| assert_eq!(allowed(expression), expected);
        check("MIT", Some(true));
        check("MIT/Apache-2.0", Some(true));
        check("GPL-3.0-only", Some(false));
        check("GPL-3.0-only OR MIT", Some(true));
        check("MIT AND AGPL-3.0-only", Some(false));
        check("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true));
        check("Apache-2.0 WITH LLVM-exception OR MIT", Some(true));
        check("GPL-2.0-only WITH Classpath-exception-2.0", Some(false));
        check("(MIT", None);
        check("", None);
    }
}
