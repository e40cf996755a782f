//! What came out of a [`contest`](super::contest), as a page, a table for programs and a plot.

mod plot;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::contest::{Outcome, Record, Sample};
use super::rows::{Comparison, Limit, Measure, Row};
use super::sides::Side;
use crate::setup::Setup;
use crate::stats::median;

/// Below this many seconds on one thread, a second one need only do no harm.
const WORTH_A_THREAD: f64 = 0.02;
/// What "never slower" means in a measurement.
const NO_HARM: f64 = 0.95;

/// One line of the table: a row beside one peer, or beside its own limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Name of the row.
    pub id: String,
    /// Its heading.
    pub group: String,
    /// What and how large.
    pub what: String,
    /// Beside whom; empty for the row's own limit.
    pub peer: String,
    /// `s` or `MB`.
    pub unit: &'static str,
    /// Median of the peer's turns.
    pub theirs: Option<f64>,
    /// Median of our turns.
    pub ours: Option<f64>,
    /// Median over the rounds of theirs ÷ ours.
    pub ratio: Option<f64>,
    /// The least of the rounds.
    pub least: Option<f64>,
    /// The most of the rounds.
    pub most: Option<f64>,
    /// In how many rounds.
    pub rounds: usize,
    /// The goal in words; empty where it is only shown.
    pub goal: String,
    /// The goal as a ratio.
    pub goal_ratio: Option<f64>,
    /// Whether it is met.
    pub met: Option<bool>,
    /// Whether the result is as good.
    pub good: Option<bool>,
    /// The numbers of that check, or why nothing was measured.
    pub note: String,
}

/// The lines of the rows that were asked for, with what is known about them.
#[must_use]
pub fn lines(rows: &[Row], records: &BTreeMap<String, Record>) -> Vec<Line> {
    let lines = rows.iter().flat_map(|row| {
        let record = records.get(&row.id);
        let limit = row.limit.map(|limit| own_line(row, limit, record));
        let beside = row.comparisons.iter();
        let beside = beside.map(move |comparison| peer_line(row, comparison, record));
        beside.chain(limit)
    });
    lines.collect()
}

/// What is compared in a row: seconds, or MB.
fn measured(row: &Row, threads: usize, sample: &Sample) -> f64 {
    match row.measure {
        Measure::Memory(_) => sample.megabytes.unwrap_or(f64::NAN),
        // Processor time says nothing about a call that uses more than one.
        Measure::TwoThreads(_) => sample.seconds,
        _ if threads > 1 => sample.seconds,
        _ => sample.cpu_seconds,
    }
}

fn empty(row: &Row) -> Line {
    Line {
        id: row.id.clone(),
        group: row.group.to_owned(),
        what: row.what.clone(),
        peer: String::new(),
        unit: match row.measure {
            Measure::Memory(_) => "MB",
            _ => "s",
        },
        theirs: None,
        ours: None,
        ratio: None,
        least: None,
        most: None,
        rounds: 0,
        goal: String::new(),
        goal_ratio: None,
        met: None,
        good: None,
        note: String::new(),
    }
}

fn own_line(row: &Row, limit: Limit, record: Option<&Record>) -> Line {
    let mut line = empty(row);
    line.goal = limit.label();
    let Some(record) = record else {
        line.note = "not measured yet".to_owned();
        return line;
    };
    let ours: Vec<f64> = record
        .ours
        .iter()
        .map(|sample| measured(row, record.threads, sample))
        .collect();
    let value = median(&ours);
    line.ours = Some(value);
    line.rounds = ours.len();
    // Being fast with a worse result is no feat.
    let verdicts = record.peers.iter().filter_map(|peer| match &peer.outcome {
        Outcome::Measured { verdict, .. } => verdict.as_ref(),
        _ => None,
    });
    line.good = verdicts.map(|verdict| verdict.good).reduce(|a, b| a && b);
    line.met = Some(match limit {
        Limit::Milliseconds(limit) => 1e3 * value <= limit,
        Limit::Megabytes(limit) => value <= limit,
    });
    line
}

fn peer_line(row: &Row, comparison: &Comparison, record: Option<&Record>) -> Line {
    let mut line = empty(row);
    line.peer = comparison.peer.label().to_owned();
    line.goal_ratio = comparison.goal;
    let Some(record) = record else {
        line.note = "not measured yet".to_owned();
        return line.with_goal();
    };
    let values = |samples: &[Sample]| -> Vec<f64> {
        let values = samples.iter().map(|s| measured(row, record.threads, s));
        values.collect()
    };
    let ours = values(&record.ours);
    line.ours = Some(median(&ours));
    let peer = record.peers.iter().find(|p| p.peer == comparison.peer);
    let (samples, verdict) = match peer.map(|p| &p.outcome) {
        Some(Outcome::Measured { samples, verdict }) => (samples, verdict),
        Some(Outcome::Failed(reason)) => {
            line.note = format!("not measured: {reason}");
            return line.with_goal();
        }
        Some(Outcome::Heavy) => {
            line.note = "takes minutes: measured without --quick".to_owned();
            return line.with_goal();
        }
        None => {
            line.note = "not measured yet".to_owned();
            return line.with_goal();
        }
    };
    let theirs = values(samples);
    let ratios: Vec<f64> = theirs.iter().zip(&ours).map(|(a, b)| a / b).collect();
    let least = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
    line.theirs = Some(median(&theirs));
    line.rounds = ratios.len();
    line.least = Some(least(&ratios));
    line.most = Some(ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    line.ratio = Some(median(&ratios));
    if comparison.peer == Side::OneThread {
        // Other work on the machine takes the second processor away: the best turns say what is possible.
        line.ratio = Some(least(&theirs) / least(&ours));
        if least(&theirs) < WORTH_A_THREAD {
            line.goal_ratio = Some(NO_HARM);
        }
    }
    line.met = line.ratio.zip(line.goal_ratio).map(|(r, goal)| r >= goal);
    if let Some(verdict) = verdict {
        line.good = Some(verdict.good);
        line.note.clone_from(&verdict.text);
    }
    line.with_goal()
}

impl Line {
    fn with_goal(mut self) -> Self {
        if let Some(goal) = self.goal_ratio {
            self.goal = format!("≥ {goal}×");
        }
        self
    }

    fn verdict(&self) -> &'static str {
        match (self.met, self.good) {
            (Some(true), Some(false)) => "**result worse**",
            (Some(true), _) => "met",
            (Some(false), _) => "**not met**",
            (None, Some(false)) => "**result worse**",
            (None, _) => "",
        }
    }
}

/// How many goals there are, how many were measured, how many of these are met with a result as good.
#[must_use]
pub fn tally(lines: &[Line]) -> [usize; 3] {
    let goals = lines.iter().filter(|line| !line.goal.is_empty());
    let known = goals.clone().filter(|line| line.met.is_some());
    let met = known
        .clone()
        .filter(|line| line.met == Some(true) && line.good != Some(false));
    [goals.count(), known.count(), met.count()]
}

/// A quantity with three digits and a unit that suits it.
fn quantity(value: f64, unit: &str) -> String {
    let (value, unit) = match (unit, value) {
        ("s", v) if v < 1e-3 => (1e6 * v, "µs"),
        ("s", v) if v < 1.0 => (1e3 * v, "ms"),
        (unit, v) => (v, unit),
    };
    format!("{} {unit}", digits(value))
}

fn digits(value: f64) -> String {
    match value {
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// The page: how it was measured, one table for each heading.
#[must_use]
pub fn markdown(lines: &[Line], setup: &Setup) -> String {
    let [goals, known, met] = tally(lines);
    let mut page = format!(
        "# Warmfront beside other libraries\n\nEvery ratio is *theirs ÷ ours*: above 1 ours is faster, or smaller. \
         Each is the median over rounds in which both sides took turns on the same inputs, with the least and the \
         most of them in brackets. Times are of the processor, those of two threads of the clock.\n\n\
         {met} of {known} measured goals are met with a result as good; {} are not measured.\n\n| | |\n|---|---|\n",
        goals - known
    );
    for (name, value) in &setup.facts {
        let _ = writeln!(page, "| {name} | {value} |");
    }
    let mut group = "";
    for line in lines {
        if line.group != group {
            group = &line.group;
            let _ = write!(
                page,
                "\n## {group}\n\n| | beside | theirs | ours | ratio | goal | | result |\n|---|---|---|---|---|---|---|---|\n"
            );
        }
        let shown = |value: Option<f64>| value.map_or("–".to_owned(), |v| quantity(v, line.unit));
        let ratio = match (line.ratio, line.least, line.most) {
            (Some(ratio), Some(least), Some(most)) if line.rounds > 1 => format!(
                "**{}×** ({}–{})",
                digits(ratio),
                digits(least),
                digits(most)
            ),
            (Some(ratio), ..) => format!("**{}×**", digits(ratio)),
            _ => "–".to_owned(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {ratio} | {} | {} | {} |",
            line.what,
            if line.peer.is_empty() {
                "–"
            } else {
                &line.peer
            },
            shown(line.theirs),
            shown(line.ours),
            line.goal,
            line.verdict(),
            line.note.replace(['|', '\n'], " "),
        );
    }
    page
}

/// Writes `peers.md`, `peers.csv` and `peers.svg` into `folder`.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, lines: &[Line], setup: &Setup) -> anyhow::Result<()> {
    let put = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    put("peers.md", markdown(lines, setup).as_bytes())?;
    let mut table = csv::Writer::from_writer(Vec::new());
    for line in lines {
        table.serialize(line)?;
    }
    put("peers.csv", &table.into_inner()?)?;
    put("peers.svg", plot::ratios(lines).standalone().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::contest::PeerRecord;
    use super::super::quality::Verdict;
    use super::super::rows::choose;
    use super::*;

    fn sample(seconds: f64) -> Sample {
        Sample {
            seconds,
            cpu_seconds: seconds,
            megabytes: None,
        }
    }

    fn known(row: &Row, ours: &[f64], peers: &[(Side, &[f64], bool)]) -> BTreeMap<String, Record> {
        let record = Record {
            id: row.id.clone(),
            rounds: ours.len(),
            threads: 1,
            version: String::new(),
            versions: BTreeMap::new(),
            ours: ours.iter().copied().map(sample).collect(),
            peers: peers
                .iter()
                .map(|(peer, times, good)| PeerRecord {
                    peer: *peer,
                    version: String::new(),
                    outcome: Outcome::Measured {
                        samples: times.iter().copied().map(sample).collect(),
                        verdict: Some(Verdict {
                            good: *good,
                            text: "equal".into(),
                        }),
                    },
                })
                .collect(),
        };
        BTreeMap::from([(row.id.clone(), record)])
    }

    fn row(id: &str) -> Vec<Row> {
        choose(&[id.to_owned()]).unwrap()
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds() {
        let rows = row("hv-concave-m6-n100");
        let moocore: &[f64] = &[0.002, 0.004, 0.0072];
        let pygmo: &[f64] = &[0.003, 0.003, 0.003];
        let peers = [(Side::Moocore, moocore, true), (Side::Pygmo, pygmo, false)];
        let lines = lines(&rows, &known(&rows[0], &[0.001, 0.002, 0.002], &peers));
        let page = markdown(&lines, &Setup::default());
        let expected =
            "| moocore | 4.00 ms | 2.00 ms | **2.00×** (2.00–3.60) | ≥ 1.5× | met | equal |";
        assert!(page.contains(expected), "{page}");
        assert!(page.contains("**result worse**"), "{page}");
        assert_eq!(tally(&lines), [2, 2, 1]);
    }

    #[test]
    fn a_limit_has_a_line_of_its_own() {
        let rows = row("suggest-log-ehvi-m2-n50");
        let worse: [(Side, &[f64], bool); 1] = [(Side::Botorch, &[0.2], false)];
        let line = lines(&rows, &known(&rows[0], &[0.01], &worse)).remove(1);
        assert_eq!((line.met, line.verdict()), (Some(true), "**result worse**"));
        let lines = lines(&rows, &known(&rows[0], &[0.03], &[]));
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].goal.as_str(), lines[0].met), ("", None));
        assert_eq!(
            (lines[1].goal.as_str(), lines[1].met),
            ("≤ 25 ms", Some(false))
        );
        assert_eq!(lines[0].note, "not measured yet");
    }

    #[test]
    fn a_second_thread_need_only_do_no_harm_to_short_calls() {
        let rows = row("threads-hv-concave-m8-n100");
        let check = |one: f64, two: f64| {
            let peers: [(Side, &[f64], bool); 1] = [(Side::OneThread, &[one, 2.0 * one], true)];
            let line = lines(&rows, &known(&rows[0], &[two, two], &peers)).remove(0);
            (line.goal, line.met)
        };
        assert_eq!(check(0.04, 0.03), ("≥ 1.6×".into(), Some(false)));
        assert_eq!(check(0.04, 0.02), ("≥ 1.6×".into(), Some(true)));
        assert_eq!(check(0.004, 0.004), ("≥ 0.95×".into(), Some(true)));
    }

    #[test]
    fn what_is_not_measured_says_why() {
        let rows = row("boxes-concave-m3-n100");
        let mut records = known(&rows[0], &[0.001], &[(Side::Botorch, &[], true)]);
        let record = records.values_mut().next().unwrap();
        record.peers[0].outcome = Outcome::Failed("no `python3` found".into());
        let lines = lines(&rows, &records);
        let page = markdown(&lines, &Setup::default());
        assert!(page.contains("not measured: no `python3` found"), "{page}");
        assert_eq!(tally(&lines), [1, 0, 0]);
        let drawn = plot::ratios(&lines).standalone();
        assert!(drawn.contains("nothing measured"), "{drawn}");
    }

    #[test]
    fn quantities_have_three_digits() {
        assert_eq!(quantity(1.234e-6, "s"), "1.23 µs");
        assert_eq!(quantity(0.04567, "s"), "45.7 ms");
        assert_eq!(quantity(123.4, "s"), "123 s");
        assert_eq!(quantity(87.0, "MB"), "87.0 MB");
    }
}
