//! Finished cells on disk.
//!
//! One small file per cell, written beside its place, flushed and renamed, and closed by a line
//! with a checksum: a file is either whole or ignored, whatever interrupted the run.

mod record;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::cell::{Cell, CellResult, Step};
pub use record::write_record;

/// One line of a cell's file and of `results.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    key: String,
    problem: String,
    task: u32,
    method: String,
    seed: u32,
    evaluation: u32,
    hypervolume: f64,
    optimum: f64,
    ask_seconds: f64,
    tell_seconds: f64,
    setup_seconds: f64,
    /// Absent in files from before there were fidelities.
    #[serde(default = "one")]
    suggestions: u32,
    /// Absent in files from before it was asked for, empty where there is no table.
    #[serde(default)]
    row: Option<u32>,
}

fn one() -> u32 {
    1
}

fn lines<'a>(cell: &'a Cell, result: &'a CellResult) -> impl Iterator<Item = Line> + 'a {
    let key = cell.key();
    (1..)
        .zip(&result.steps)
        .map(move |(evaluation, step)| Line {
            key: key.clone(),
            problem: cell.problem.clone(),
            task: cell.task,
            method: cell.method.clone(),
            seed: cell.seed,
            evaluation,
            hypervolume: step.hypervolume,
            optimum: result.optimum,
            ask_seconds: milliseconds(step.ask_seconds),
            tell_seconds: milliseconds(step.tell_seconds),
            setup_seconds: milliseconds(result.setup_seconds),
            suggestions: step.suggestions,
            row: step.row,
        })
}

/// Times are known to no better than this, and short numbers keep the files small.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e5).round() / 1e5
}

/// One line of a cell's file and of `measures.csv`, of experiments that measure whole runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Measure {
    key: String,
    problem: String,
    method: String,
    seed: u32,
    evaluations: u32,
    name: String,
    value: f64,
}

fn measures<'a>(cell: &'a Cell, result: &'a CellResult) -> impl Iterator<Item = Measure> + 'a {
    let key = cell.key();
    let count = result.measures.len();
    let end = (count > 0).then_some((COUNT, count as f64));
    let named = result
        .measures
        .iter()
        .map(|(name, value)| (name.as_str(), *value));
    named.chain(end).map(move |(name, value)| Measure {
        key: key.clone(),
        problem: cell.problem.clone(),
        method: cell.method.clone(),
        seed: cell.seed,
        evaluations: cell.evaluations,
        name: name.to_owned(),
        value,
    })
}

/// Closes the measures of a cell with their number.
const COUNT: &str = "(measures)";

/// Writes the measures of all results as one CSV file, one row per cell and measure.
///
/// # Errors
/// When the file cannot be written.
pub fn write_measures(path: &Path, results: &BTreeMap<Cell, CellResult>) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut writer = csv::Writer::from_path(path).with_context(context)?;
    for (cell, result) in results {
        for line in measures(cell, result) {
            writer.serialize(line).with_context(context)?;
        }
    }
    writer.flush().with_context(context)
}

/// Writes all results as one CSV file, one row per cell and evaluation.
///
/// # Errors
/// When the file cannot be written.
pub fn write_results(path: &Path, results: &BTreeMap<Cell, CellResult>) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut writer = csv::Writer::from_path(path).with_context(context)?;
    for (cell, result) in results {
        for line in lines(cell, result) {
            writer.serialize(line).with_context(context)?;
        }
    }
    writer.flush().with_context(context)
}

/// The folder that holds finished cells.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Results recorded elsewhere, by key.
    recorded: HashMap<String, CellResult>,
}

impl Store {
    /// Opens the store in `out`, creating the folder.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn open(out: &Path) -> anyhow::Result<Self> {
        let folder = out.join("cells");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        Ok(Self {
            folder,
            recorded: HashMap::new(),
        })
    }

    /// Takes cells from a `record.csv`, `results.csv` or `measures.csv` of an earlier run as finished. Returns how
    /// many are whole.
    ///
    /// A torn last line is ignored, and so is the cell it belongs to.
    ///
    /// # Errors
    /// When the file cannot be read or has other columns.
    pub fn add_recorded(&mut self, path: &Path) -> anyhow::Result<usize> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let before = self.recorded.len();
        let results = read_results(&bytes)
            .with_context(|| format!("{} is no record of runs", path.display()))?;
        self.recorded.extend(results);
        Ok(self.recorded.len() - before)
    }

    fn path(&self, cell: &Cell) -> PathBuf {
        // The name is for people; the key decides.
        let file = format!(
            "{}-t{}-s{}-{}.csv",
            cell.method,
            cell.task,
            cell.seed,
            cell.key()
        );
        self.folder.join(&cell.problem).join(file)
    }

    /// The result of `cell`, if it is stored and whole.
    #[must_use]
    pub fn load(&self, cell: &Cell) -> Option<CellResult> {
        let stored = std::fs::read(self.path(cell))
            .ok()
            .and_then(|bytes| parse(&bytes, cell));
        stored
            .or_else(|| self.recorded.get(&cell.key()).cloned())
            .filter(|result| result.is_whole(cell))
    }

    /// Stores a finished cell, all or nothing.
    ///
    /// # Errors
    /// When the file cannot be written, for example because the disk is full.
    pub fn save(&self, cell: &Cell, result: &CellResult) -> anyhow::Result<()> {
        let path = self.path(cell);
        let context = || format!("cannot store the finished cell {}", path.display());
        ensure!(
            result.is_whole(cell),
            "{} has {} evaluations and {} measures, expected {} or finite measures alone",
            cell.label(),
            result.steps.len(),
            result.measures.len(),
            cell.evaluations
        );
        let mut writer = csv::Writer::from_writer(Vec::new());
        for line in lines(cell, result) {
            writer.serialize(line).with_context(context)?;
        }
        for line in measures(cell, result) {
            writer.serialize(line).with_context(context)?;
        }
        let mut bytes = writer
            .into_inner()
            .map_err(|e| e.into_error())
            .with_context(context)?;
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(format!("# {checksum:08x}\n").as_bytes());

        let folder = path
            .parent()
            .expect("a cell's file lies in its problem's folder");
        std::fs::create_dir_all(folder).with_context(context)?;
        replace(&path, |file| Ok(file.write_all(&bytes)?)).with_context(context)
    }
}

/// Writes a file beside its place, flushes it, and then moves it there.
///
/// # Errors
/// When it cannot be written; what was there before stays.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let temporary = path.with_extension(format!("{}.partial", std::process::id()));
    let written = (|| -> anyhow::Result<()> {
        let mut file = BufWriter::new(File::create(&temporary)?);
        write(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        std::fs::rename(&temporary, path)?;
        Ok(())
    })();
    if written.is_err() {
        // Frees the space again; when this fails too, the first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a cell's file; `None` when it is torn, damaged or another cell's.
fn parse(bytes: &[u8], cell: &Cell) -> Option<CellResult> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (body, checksum) = text.strip_suffix('\n')?.rsplit_once("\n# ")?;
    // The line break before the checksum belongs to the body.
    let body = &bytes[..=body.len()];
    if u32::from_str_radix(checksum, 16).ok()? != crc32fast::hash(body) {
        return None;
    }
    read_results(body).ok()?.remove(&cell.key())
}

/// Whole results by key.
fn read_results(bytes: &[u8]) -> anyhow::Result<HashMap<String, CellResult>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers()?.clone();
    let has = |columns: &[&str]| columns.iter().all(|c| header.iter().any(|h| h == *c));
    if has(&record::COLUMNS) {
        return Ok(record::read(reader));
    }
    if has(&["key", "name", "value"]) {
        return Ok(read_measures(reader));
    }
    let groups = read_lines(reader, &header)?;
    let whole = |(key, lines): (String, Vec<Line>)| Some((key, assemble(&lines)?));
    Ok(groups.into_iter().filter_map(whole).collect())
}

/// The measures of each key. A file that is cut between two lines cannot be told from a whole one:
/// every cell ends with a line that says how many it has.
fn read_measures(mut reader: csv::Reader<&[u8]>) -> HashMap<String, CellResult> {
    let mut groups: HashMap<String, CellResult> = HashMap::new();
    for line in reader.deserialize::<Measure>() {
        // An interrupted writer leaves a torn line at the end.
        let Ok(line) = line else { continue };
        let result = groups.entry(line.key).or_default();
        result.measures.insert(line.name, line.value);
    }
    groups.retain(|_, result| {
        let count = result.measures.remove(COUNT);
        count.is_some_and(|count| (count - result.measures.len() as f64).abs() < 0.5)
    });
    groups
}

fn read_lines(
    mut reader: csv::Reader<&[u8]>,
    header: &csv::StringRecord,
) -> anyhow::Result<HashMap<String, Vec<Line>>> {
    for column in ["key", "evaluation", "hypervolume", "optimum"] {
        ensure!(header.iter().any(|h| h == column), "no column `{column}`");
    }
    let mut groups: HashMap<String, Vec<Line>> = HashMap::new();
    for line in reader.deserialize::<Line>() {
        // An interrupted writer leaves a torn line at the end.
        let Ok(line) = line else { continue };
        groups.entry(line.key.clone()).or_default().push(line);
    }
    Ok(groups)
}

/// The result from its lines, if they are evaluations 1, 2, 3, … in order and all finite.
fn assemble(lines: &[Line]) -> Option<CellResult> {
    let first = lines.first()?;
    let mut steps = Vec::with_capacity(lines.len());
    for (expected, line) in (1..).zip(lines) {
        if line.evaluation != expected || !line.hypervolume.is_finite() {
            return None;
        }
        steps.push(Step {
            hypervolume: line.hypervolume,
            ask_seconds: line.ask_seconds,
            tell_seconds: line.tell_seconds,
            suggestions: line.suggestions,
            row: line.row,
        });
    }
    Some(CellResult {
        setup_seconds: first.setup_seconds,
        optimum: first.optimum,
        steps,
        ..CellResult::default()
    })
}
