//! Sequences of amino acids with the energy of binding to an antigen.

use std::collections::HashSet;

use anyhow::{Context as _, bail, ensure};
use warmfront_core::{Domain, SearchSpace, SpaceError};

use crate::nap::task::Table;

/// Letters of the amino acids, and how many of them a sequence has.
const LETTERS: &str = "ACDEFGHIKLMNPQRSTVWY";
const POSITIONS: usize = 11;

/// One letter for each position.
pub(super) fn space() -> Result<SearchSpace, SpaceError> {
    let mut builder = SearchSpace::builder();
    for position in 1..=POSITIONS {
        let letters = LETTERS.chars().map(|c| c.to_string());
        builder = builder.param(format!("p{position}"), Domain::categorical(letters));
    }
    builder.build()
}

/// Sequences and energies, one-hot.
pub(super) fn sequences(name: &str, bytes: &[u8]) -> anyhow::Result<Table> {
    let mut reader = csv::Reader::from_reader(bytes);
    let letters = LETTERS.len();
    let dim = POSITIONS * letters;
    let mut table = Table {
        name: name
            .trim_start_matches("antbo/")
            .trim_end_matches(".csv")
            .to_owned(),
        dim,
        x: Vec::new(),
        costs: Vec::new(),
    };
    let mut seen = HashSet::new();
    for (row, record) in reader.records().enumerate() {
        let record = record?;
        let (Some(text), Some(energy)) = (record.get(0), record.get(1)) else {
            bail!("row {row} has {} columns, expected 2", record.len());
        };
        let energy: f64 = energy.parse().with_context(|| format!("row {row}"))?;
        ensure!(energy.is_finite(), "row {row} has the energy {energy}");
        ensure!(
            text.len() == POSITIONS,
            "row {row} has {} letters, expected {POSITIONS}",
            text.len()
        );
        if !seen.insert(text.to_owned()) {
            continue;
        }
        let start = table.x.len();
        table.x.resize(start + dim, 0.0);
        for (position, letter) in text.chars().enumerate() {
            let index = LETTERS
                .find(letter)
                .with_context(|| format!("row {row} has the letter `{letter}`"))?;
            table.x[start + position * letters + index] = 1.0;
        }
        table.costs.push(energy);
    }
    ensure!(!table.is_empty(), "there are no rows");
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_one_hot() {
        let table = sequences(
            "antbo/X.csv",
            b"cdrh3,binding_energy\nAAAAAAAAAAY,-3\nACAAAAAAAAA,-4.5\nAAAAAAAAAAY,-3\n",
        )
        .expect("two different rows");
        assert_eq!((table.name.as_str(), table.len()), ("X", 2));
        assert!((table.row(0).iter().sum::<f64>() - 11.0).abs() < 1e-12);
        assert!((table.row(0)[219] - 1.0).abs() < 1e-12);
        assert!((table.row(1)[21] - 1.0).abs() < 1e-12);
        let error = sequences("a", b"s,e\nAAAAAAAAAAB,1\n").expect_err("no amino acid");
        assert_eq!(error.to_string(), "row 0 has the letter `B`");
    }
}
