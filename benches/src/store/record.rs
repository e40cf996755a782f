//! Finished cells as a small file to keep: one row per cell.
//!
//! | column | holds |
//! |---|---|
//! | `key`, `problem`, `task`, `method`, `seed`, `evaluations` | which cell |
//! | `setup_seconds`, `optimum` | of the whole run |
//! | `values` | `EVALUATION:HYPERVOLUME`, wherever it changes |
//! | `milliseconds` | `ASK/TELL` of each evaluation |
//! | `suggestions` | of each evaluation; empty if it is always one |
//! | `rows` | of each evaluation, `-` without a table; empty if there is none |
//! | `measures` | `NAME=VALUE` |
//! | `checksum` | `2-` and the CRC-32 of all other columns: a row is whole or ignored |
//!
//! Records from before have the CRC-32 of `key` and the texts alone, without `2-`; they are read as well.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{Display, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::cell::{Cell, CellResult, Step};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    key: String,
    problem: String,
    task: u32,
    method: String,
    seed: u32,
    evaluations: u32,
    setup_seconds: f64,
    optimum: f64,
    values: String,
    milliseconds: String,
    suggestions: String,
    rows: String,
    measures: String,
    checksum: String,
}

/// What the checksums of this format begin with.
const VERSION: &str = "2-";

impl Row {
    /// The checksum of the whole row.
    fn check(&self) -> String {
        // Every column is named, so that a new one cannot be left out.
        let Self {
            key,
            problem,
            task,
            method,
            seed,
            evaluations,
            setup_seconds,
            optimum,
            values,
            milliseconds,
            suggestions,
            rows,
            measures,
            checksum: _,
        } = self;
        // No text is cut elsewhere and has the same checksum.
        let text = format!(
            "{key:?},{problem:?},{task},{method:?},{seed},{evaluations},{setup_seconds:?},{optimum:?},{values:?},\
             {milliseconds:?},{suggestions:?},{rows:?},{measures:?}"
        );
        format!("{VERSION}{:08x}", crc32fast::hash(text.as_bytes()))
    }

    /// The checksum of the first format.
    fn first_check(&self) -> String {
        let texts = [
            &self.key,
            &self.values,
            &self.milliseconds,
            &self.suggestions,
            &self.rows,
            &self.measures,
        ];
        let texts = texts.map(String::as_str).join(",");
        format!("{:08x}", crc32fast::hash(texts.as_bytes()))
    }

    fn is_whole(&self) -> bool {
        if self.checksum.starts_with(VERSION) {
            self.checksum == self.check()
        } else {
            self.checksum == self.first_check()
        }
    }
}

/// Columns that tell a record from other files.
pub(super) const COLUMNS: [&str; 4] = ["key", "values", "milliseconds", "measures"];

/// Writes all results as one CSV file, one row per cell.
///
/// # Errors
/// When the file cannot be written.
pub fn write_record(path: &Path, results: &BTreeMap<Cell, CellResult>) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut writer = csv::Writer::from_path(path).with_context(context)?;
    for (cell, result) in results {
        writer.serialize(row(cell, result)).with_context(context)?;
    }
    writer.flush().with_context(context)
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut out = String::new();
    for item in items {
        let space = if out.is_empty() { "" } else { " " };
        let _ = write!(out, "{space}{item}");
    }
    out
}

fn row(cell: &Cell, result: &CellResult) -> Row {
    let steps = &result.steps;
    let changes = (0..steps.len()).filter(|&i| {
        i == 0 || steps[i].hypervolume.to_bits() != steps[i - 1].hypervolume.to_bits()
    });
    let single = steps.iter().all(|s| s.suggestions == 1);
    let tabular = steps.iter().any(|s| s.row.is_some());
    let mut row = Row {
        key: cell.key(),
        problem: cell.problem.clone(),
        task: cell.task,
        method: cell.method.clone(),
        seed: cell.seed,
        evaluations: cell.evaluations,
        setup_seconds: short(result.setup_seconds),
        optimum: result.optimum,
        values: joined(changes.map(|i| format!("{}:{}", i + 1, steps[i].hypervolume))),
        milliseconds: joined(steps.iter().map(|s| {
            let [ask, tell] = [s.ask_seconds, s.tell_seconds].map(|t| short(1e3 * t));
            format!("{ask}/{tell}")
        })),
        suggestions: match single {
            true => String::new(),
            false => joined(steps.iter().map(|s| s.suggestions)),
        },
        rows: match tabular {
            true => joined(
                steps
                    .iter()
                    .map(|s| s.row.map_or_else(|| "-".to_owned(), |row| row.to_string())),
            ),
            false => String::new(),
        },
        measures: joined(result.measures.iter().map(|(n, v)| format!("{n}={v}"))),
        checksum: String::new(),
    };
    row.checksum = row.check();
    row
}

/// Three significant digits: times are known to no better.
fn short(time: f64) -> f64 {
    format!("{time:.2e}").parse().unwrap_or(time)
}

/// Whole results by key; rows that are damaged are left out.
pub(super) fn read(mut reader: csv::Reader<&[u8]>) -> HashMap<String, CellResult> {
    let rows = reader.deserialize::<Row>().flatten();
    rows.filter_map(|row| Some((row.key.clone(), result(&row)?)))
        .collect()
}

fn result(row: &Row) -> Option<CellResult> {
    if !row.is_whole() {
        return None;
    }
    let mut measures = BTreeMap::new();
    for part in row.measures.split_whitespace() {
        // A name may hold anything but spaces.
        let (name, value) = part.rsplit_once('=')?;
        measures.insert(name.to_owned(), value.parse().ok()?);
    }
    Some(CellResult {
        setup_seconds: row.setup_seconds,
        optimum: row.optimum,
        steps: steps(row)?,
        measures,
    })
}

fn steps(row: &Row) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for part in row.milliseconds.split_whitespace() {
        let (ask, tell) = part.split_once('/')?;
        let seconds = |text: &str| text.parse::<f64>().ok().map(|ms| ms / 1e3);
        steps.push(Step {
            hypervolume: f64::NAN,
            ask_seconds: seconds(ask)?,
            tell_seconds: seconds(tell)?,
            suggestions: 1,
            row: None,
        });
    }
    let mut starts = Vec::new();
    for part in row.values.split_whitespace() {
        let (at, value) = part.split_once(':')?;
        starts.push((at.parse::<usize>().ok()?, value.parse::<f64>().ok()?));
    }
    for (index, &(from, value)) in starts.iter().enumerate() {
        let end = match starts.get(index + 1) {
            Some(next) => next.0.checked_sub(1)?,
            None => steps.len(),
        };
        for step in steps.get_mut(from.checked_sub(1)?..end)? {
            step.hypervolume = value;
        }
    }
    let whole = |count: usize| count == 0 || count == steps.len();
    let counts: Vec<u32> = numbers(&row.suggestions)?;
    let rows: Vec<&str> = row.rows.split_whitespace().collect();
    if !whole(counts.len()) || !whole(rows.len()) {
        return None;
    }
    for (step, count) in steps.iter_mut().zip(counts) {
        step.suggestions = count;
    }
    for (step, text) in steps.iter_mut().zip(rows) {
        step.row = match text {
            "-" => None,
            number => Some(number.parse().ok()?),
        };
    }
    let finite = steps.iter().all(|s| s.hypervolume.is_finite());
    finite.then_some(steps)
}

fn numbers(text: &str) -> Option<Vec<u32>> {
    text.split_whitespace().map(|n| n.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(method: &str) -> Cell {
        Cell {
            seed: 3,
            problem: "p".into(),
            task: 1,
            method: method.into(),
            evaluations: 4,
            fingerprint: "f".into(),
            exclusive: false,
        }
    }

    fn step(hypervolume: f64, suggestions: u32, row: Option<u32>) -> Step {
        Step {
            hypervolume,
            ask_seconds: 0.0312,
            tell_seconds: 0.0,
            suggestions,
            row,
        }
    }

    fn read_back(results: &BTreeMap<Cell, CellResult>) -> HashMap<String, CellResult> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for (cell, result) in results {
            writer.serialize(row(cell, result)).expect("in memory");
        }
        let bytes = writer.into_inner().expect("in memory");
        read(csv::Reader::from_reader(&bytes[..]))
    }

    #[test]
    fn what_is_recorded_is_read_back() {
        let plain = CellResult {
            setup_seconds: 1.5,
            optimum: 1.0 / 3.0,
            steps: [0.1, 0.1, 0.2, 0.7]
                .map(|value| step(value / 3.0, 1, None))
                .to_vec(),
            ..CellResult::default()
        };
        let mut tabular = plain.clone();
        tabular.steps = vec![
            step(0.5, 2, Some(7)),
            step(0.5, 1, None),
            step(-1.0, 1, Some(0)),
            step(0.0, 3, Some(9)),
        ];
        let measured = CellResult {
            measures: [("a=b/q50".to_owned(), 1e-17), ("c".to_owned(), -2.0)].into(),
            ..CellResult::default()
        };
        let results: BTreeMap<Cell, CellResult> = [("x", plain), ("y", tabular), ("z", measured)]
            .map(|(name, result)| (cell(name), result))
            .into();
        let read = read_back(&results);
        assert_eq!(read.len(), 3);
        for (cell, result) in &results {
            assert_eq!(read[&cell.key()], *result, "{}", cell.method);
        }
    }

    #[test]
    fn damaged_rows_are_left_out() {
        let good = CellResult {
            steps: vec![step(0.5, 1, Some(7)); 4],
            ..CellResult::default()
        };
        let good = row(&cell("x"), &good);
        assert!(result(&good).is_some());
        // Well-formed, but not what was written: only the checksum can tell.
        let altered: [fn(&mut Row); 12] = [
            |row| row.values = "1:0.4".into(),
            |row| row.rows = "7 7 7 8".into(),
            |row| row.measures = "x=1".into(),
            |row| row.key = "another".into(),
            |row| row.problem = "another".into(),
            |row| row.method = "another".into(),
            |row| row.task += 1,
            |row| row.seed += 1,
            |row| row.evaluations += 1,
            |row| row.optimum = 2.0,
            |row| row.setup_seconds = 2.0,
            |row| row.milliseconds = row.milliseconds.replace("31.2", "31.3"),
        ];
        for (index, alter) in altered.into_iter().enumerate() {
            let mut row = good.clone();
            alter(&mut row);
            assert!(result(&row).is_none(), "alteration {index}");
        }
        let damage: [fn(&mut Row); 7] = [
            |row| row.values.clear(),
            |row| row.values = "0:1".into(),
            |row| row.values = "1:0.5 0:1".into(),
            |row| row.values = "1:0.5 9:1".into(),
            |row| row.rows = "7 7".into(),
            |row| row.milliseconds = "1/2 3".into(),
            |row| row.measures = "x".into(),
        ];
        for (index, damage) in damage.into_iter().enumerate() {
            let mut row = good.clone();
            damage(&mut row);
            assert!(result(&row).is_none(), "damage {index}, as it is");
            row.checksum = row.check();
            assert!(
                result(&row).is_none(),
                "damage {index}, with its own checksum"
            );
        }
    }

    #[test]
    fn records_of_the_first_format_are_read() {
        let good = CellResult {
            optimum: 1.0 / 3.0,
            steps: vec![step(0.5, 1, Some(7)); 4],
            ..CellResult::default()
        };
        let mut row = row(&cell("x"), &good);
        assert!(row.checksum.starts_with(VERSION));
        row.checksum = row.first_check();
        assert_eq!(result(&row).as_ref(), Some(&good));
        row.values = "1:0.4".into();
        assert!(result(&row).is_none());
    }

    /// What the project publishes must be there for `--resume-from`.
    #[test]
    fn the_published_records_are_whole() {
        for (text, rows) in [
            (
                include_str!("../../recorded/nap-standard/record.csv"),
                NAP_ROWS,
            ),
            (
                include_str!("../../recorded/pmto-standard/record.csv"),
                PMTO_ROWS,
            ),
        ] {
            let lines = text.lines().count() - 1;
            let whole = crate::store::read_results(text.as_bytes()).unwrap();
            assert_eq!(whole.len(), lines);
            assert!(lines >= rows, "{lines}");
        }
    }

    const NAP_ROWS: usize = 1400;
    const PMTO_ROWS: usize = 290;
}
