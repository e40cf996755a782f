//! What came out of a [`contest`](super::contest), as a page, a table for programs and a plot.

mod plot;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::contest::{Outcome, Record, Sample};
use super::quality::SLACK;
use super::rows::{Comparison, LOOP_FROM, Limit, Measure, Row};
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
    /// Whether it is fast or small enough, whatever the result.
    pub enough: Option<bool>,
    /// Whether the result is as good; `None` where that was not checked.
    pub good: Option<bool>,
    /// How it came out: met only as `met`.
    pub state: State,
    /// The numbers of that check, or why nothing was measured.
    pub note: String,
    /// Whether turns were short and few.
    pub quick: bool,
    /// The commit that was measured.
    pub commit: String,
    /// Date and time.
    pub measured: String,
}

/// How a line came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not measured.
    Missing,
    /// Ours failed.
    Failed,
    /// Measured, but not what is there now.
    Stale,
    /// Fast enough, but whether the result is as good was not checked.
    Unchecked,
    /// Not fast enough, or not small enough.
    NotMet,
    /// The result is worse.
    Worse,
    /// Fast enough with a result as good.
    Met,
    /// Only shown, with a result as good.
    Shown,
}

impl State {
    /// In a table.
    fn label(self) -> &'static str {
        match self {
            Self::Missing | Self::Shown => "",
            Self::Failed => "**failed**",
            Self::Stale => "older",
            Self::Unchecked => "not checked",
            Self::NotMet => "**not met**",
            Self::Worse => "**result worse**",
            Self::Met => "met",
        }
    }
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
        Measure::TwoThreads(_) | Measure::TwoThreadsLoop(_) => sample.seconds,
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
        enough: None,
        good: None,
        state: State::Missing,
        note: String::new(),
        quick: false,
        commit: String::new(),
        measured: String::new(),
    }
}

impl Line {
    /// Takes over what a record says about all of its row; whether there is more to say.
    fn begin(&mut self, record: Option<&Record>) -> bool {
        let Some(record) = record else {
            self.note = "not measured yet".to_owned();
            return false;
        };
        self.commit.clone_from(&record.commit);
        self.measured.clone_from(&record.measured);
        self.quick = record.terms.quick;
        if let Some(reason) = &record.failure {
            self.state = State::Failed;
            self.note = format!("ours failed: {reason}");
            return false;
        }
        true
    }

    fn finish(mut self, stale: bool) -> Self {
        self.state = match (self.enough, self.good) {
            _ if stale => State::Stale,
            (Some(false), _) => State::NotMet,
            (_, Some(false)) => State::Worse,
            (_, None) => State::Unchecked,
            (Some(true), _) => State::Met,
            (None, _) => State::Shown,
        };
        if stale {
            self.note += "; of an older state or another machine";
        }
        self
    }
}

fn own_line(row: &Row, limit: Limit, record: Option<&Record>) -> Line {
    let mut line = empty(row);
    line.goal = limit.label();
    let (true, Some(record)) = (line.begin(record), record) else {
        return line;
    };
    let ours: Vec<f64> = record
        .ours
        .iter()
        .map(|sample| measured(row, record.terms.threads, sample))
        .collect();
    let value = median(&ours);
    line.ours = Some(value);
    line.rounds = ours.len();
    // Being fast with a worse result is no feat.
    let fair = row.comparisons.iter().filter(|c| {
        // One seed's loop says nothing of how good the next is: `--loops` compares them.
        !(c.heavy && row.measure.is_loop())
    });
    let beside = fair.filter_map(|c| record.peers.iter().find(|p| p.peer == c.peer));
    let verdicts = beside.filter_map(|peer| match &peer.outcome {
        Outcome::Measured { verdict, .. } => verdict.good,
        _ => None,
    });
    line.good = verdicts.reduce(|a, b| a && b);
    if line.good.is_none() {
        line.note = "no other result to compare with".to_owned();
    }
    line.enough = Some(match limit {
        Limit::Milliseconds(limit) => 1e3 * value <= limit,
        Limit::Megabytes(limit) => value <= limit,
    });
    line.finish(record.is_stale())
}

fn peer_line(row: &Row, comparison: &Comparison, record: Option<&Record>) -> Line {
    let mut line = empty(row);
    line.peer = comparison.peer.label().to_owned();
    line.set_goal(comparison.goal);
    let (true, Some(record)) = (line.begin(record), record) else {
        return line;
    };
    let values = |samples: &[Sample]| -> Vec<f64> {
        let values = samples
            .iter()
            .map(|s| measured(row, record.terms.threads, s));
        values.collect()
    };
    line.ours = Some(median(&values(&record.ours)));
    let peer = record.peers.iter().find(|p| p.peer == comparison.peer);
    line.note = match peer.map(|p| &p.outcome) {
        Some(Outcome::Failed(reason)) => format!("it failed: {reason}"),
        Some(Outcome::Missing(reason)) => format!("not measured: {reason}"),
        Some(Outcome::Heavy) => "takes minutes: measured without --quick".to_owned(),
        None => "not measured yet".to_owned(),
        Some(Outcome::Measured { .. }) => String::new(),
    };
    let Some((
        beside,
        Outcome::Measured {
            samples,
            ours,
            cold,
            verdict,
        },
    )) = peer.map(|p| (p, &p.outcome))
    else {
        return line;
    };
    // It may have been left as it was when ours was measured again.
    line.quick = beside.terms.quick;
    let (theirs, ours) = (values(samples), values(ours));
    line.ours = Some(median(&ours));
    line.theirs = Some(median(&theirs));
    line.rounds = theirs.len();
    let least = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
    let ratios: Vec<f64> = if comparison.heavy {
        // One turn of theirs, beside all of ours.
        theirs.iter().map(|t| t / median(&ours)).collect()
    } else {
        theirs.iter().zip(&ours).map(|(a, b)| a / b).collect()
    };
    line.least = Some(least(&ratios));
    line.most = Some(ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    line.ratio = Some(median(&ratios));
    if comparison.peer == Side::OneThread {
        // Other work on the machine takes the second processor away: the best turns say what is possible.
        line.ratio = Some(least(&theirs) / least(&ours));
        if least(&theirs) < WORTH_A_THREAD {
            line.set_goal(Some(NO_HARM));
        }
    }
    line.enough = line.ratio.zip(line.goal_ratio).map(|(r, goal)| r >= goal);
    line.good = verdict.good;
    line.note.clone_from(&verdict.text);
    if *cold {
        line.note += "; its first call";
    }
    line.finish(beside.is_stale())
}

impl Line {
    fn set_goal(&mut self, goal: Option<f64>) {
        self.goal_ratio = goal;
        self.goal = goal.map_or(String::new(), |goal| format!("≥ {goal}×"));
    }
}

/// How many goals there are, how many are known about what is there now, how many of these are met with a
/// result as good.
#[must_use]
pub fn tally(lines: &[Line]) -> [usize; 3] {
    let goals = lines.iter().filter(|line| !line.goal.is_empty());
    let count = |states: &[State]| goals.clone().filter(|l| states.contains(&l.state)).count();
    let met = count(&[State::Met]);
    let missed = count(&[State::NotMet, State::Worse, State::Failed]);
    [goals.clone().count(), met + missed, met]
}

/// How many lines are in a state.
fn count(lines: &[Line], state: State) -> usize {
    lines.iter().filter(|line| line.state == state).count()
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
         most of them and their number in brackets; a peer that takes minutes has one turn, which is divided by the median of ours. \
         Times are of the processor, those of two threads of the clock, the best turns of either. A second thread has \
         to gain where a call takes over {:.0} ms, and else to do no harm. In the loops of this table, from \
         {LOOP_FROM} evaluations on, ours and Optuna are told that there is no noise, and the reference point is given \
         to ours and to BoTorch; egobox and Optuna choose their own.\n\n{SLACK}\n\n\
         {met} of {known} known goals are met with a result as good; {} are not known: not measured, not checked, or \
         measured of an older state of the code.",
        1e3 * WORTH_A_THREAD,
        goals - known
    );
    for (state, text) in [
        (State::Worse, "have a worse result"),
        (State::NotMet, "are not met"),
        (State::Failed, "failed on our side"),
        (State::Unchecked, "could not be checked"),
        (State::Stale, "are older"),
    ] {
        match count(lines, state) {
            0 => {}
            n => {
                let _ = write!(page, " Lines that {text}: {n}.");
            }
        }
    }
    page.push_str("\n\n| | |\n|---|---|\n");
    // What the page was written of need not be what was measured.
    let measured: BTreeSet<&str> = lines
        .iter()
        .filter(|line| !line.commit.is_empty())
        .map(|line| &*line.commit)
        .collect();
    let commits: Vec<&str> = measured.into_iter().collect();
    let _ = writeln!(page, "| commits measured | {} |", commits.join("; "));
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
                "**{}×** ({}–{}, {}{})",
                digits(ratio),
                digits(least),
                digits(most),
                line.rounds,
                if line.quick { " quick" } else { "" },
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
            line.state.label(),
            line.note.replace(['|', '\n'], " "),
        );
    }
    page
}

/// Writes `NAME.md`, `NAME.csv` and `NAME.svg` into `folder`.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, name: &str, lines: &[Line], setup: &Setup) -> anyhow::Result<()> {
    let put = |kind: &str, text: &[u8]| {
        let path = folder.join(format!("{name}.{kind}"));
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    put("md", markdown(lines, setup).as_bytes())?;
    let mut table = csv::Writer::from_writer(Vec::new());
    for line in lines {
        table.serialize(line)?;
    }
    put("csv", &table.into_inner()?)?;
    put("svg", plot::ratios(lines).standalone().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::contest::{PeerRecord, Terms};
    use super::super::quality::Verdict;
    use super::super::rows::choose;
    use super::*;
    use crate::setup;

    fn sample(seconds: f64) -> Sample {
        Sample {
            seconds,
            cpu_seconds: seconds,
            megabytes: None,
        }
    }

    fn known(row: &Row, ours: &[f64], peers: &[(Side, &[f64], bool)]) -> BTreeMap<String, Record> {
        let terms = Terms::new(true);
        let samples = |times: &[f64]| times.iter().copied().map(sample).collect::<Vec<_>>();
        let record = Record {
            id: row.id.clone(),
            terms,
            program: Side::Ours.fingerprint().to_owned(),
            machine: setup::machine().to_owned(),
            commit: "abc".into(),
            measured: "today".into(),
            versions: BTreeMap::new(),
            ours: samples(ours),
            failure: None,
            peers: peers
                .iter()
                .map(|(peer, times, good)| {
                    let outcome = Outcome::Measured {
                        samples: samples(times),
                        ours: samples(ours),
                        cold: false,
                        verdict: Verdict {
                            good: Some(*good),
                            text: "equal".into(),
                        },
                    };
                    PeerRecord::new(*peer, terms, outcome)
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
        let expected = "| moocore | 4.00 ms | 2.00 ms | **2.00×** (2.00–3.60, 3 quick) | ≥ 1.5× | met | equal |";
        assert!(page.contains(expected), "{page}");
        assert!(page.contains("**result worse**"), "{page}");
        assert_eq!(tally(&lines), [2, 2, 1]);
    }

    #[test]
    fn a_limit_has_a_line_of_its_own() {
        let rows = row("suggest-log-ehvi-m2-n50");
        let worse: [(Side, &[f64], bool); 1] = [(Side::Botorch, &[0.2], false)];
        let line = lines(&rows, &known(&rows[0], &[0.01], &worse)).remove(1);
        assert_eq!((line.enough, line.state), (Some(true), State::Worse));
        let alone = lines(&rows, &known(&rows[0], &[0.01], &[]));
        assert_eq!(alone[1].state, State::Unchecked, "nobody to compare with");
        assert_eq!(tally(&alone), [1, 0, 0]);
        let lines = lines(&rows, &known(&rows[0], &[0.03], &[]));
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].goal.as_str(), lines[0].enough), ("", None));
        assert_eq!(
            (lines[1].goal.as_str(), lines[1].enough),
            ("≤ 25 ms", Some(false))
        );
        assert_eq!(lines[0].note, "not measured yet");
    }

    #[test]
    fn one_loop_beside_one_loop_decides_nothing() {
        let rows = row("loop-hartmann6");
        let peers: [(Side, &[f64], bool); 2] =
            [(Side::Egobox, &[0.1], true), (Side::Botorch, &[9.0], false)];
        let lines = lines(&rows, &known(&rows[0], &[0.005], &peers));
        let state = |peer: &str| lines.iter().find(|l| l.peer == peer).unwrap().state;
        assert_eq!(state("BoTorch"), State::Worse);
        assert_eq!(state(""), State::Met);
    }

    #[test]
    fn a_second_thread_need_only_do_no_harm_to_short_calls() {
        let rows = row("threads-hv-concave-m8-n100");
        let check = |one: f64, two: f64| {
            let peers: [(Side, &[f64], bool); 1] = [(Side::OneThread, &[one, 2.0 * one], true)];
            let line = lines(&rows, &known(&rows[0], &[two, two], &peers)).remove(0);
            (line.goal, line.enough)
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
        record.peers[0].outcome = Outcome::Missing("no `python3` found".into());
        let lines = lines(&rows, &records);
        let page = markdown(&lines, &Setup::default());
        assert!(page.contains("not measured: no `python3` found"), "{page}");
        assert_eq!(tally(&lines), [1, 0, 0]);
        let drawn = plot::ratios(&lines).standalone();
        assert!(drawn.contains("nothing measured"), "{drawn}");
    }

    #[test]
    fn what_failed_or_has_changed_is_not_met() {
        let rows = row("hv-concave-m6-n100");
        let peers: [(Side, &[f64], bool); 2] =
            [(Side::Moocore, &[0.01], true), (Side::Pygmo, &[0.01], true)];
        let states = |change: fn(&mut Record)| {
            let mut records = known(&rows[0], &[0.001], &peers);
            records.values_mut().for_each(change);
            let lines = lines(&rows, &records);
            (lines[0].state, lines[1].state, tally(&lines))
        };
        assert_eq!(states(|_| {}), (State::Met, State::Met, [2, 2, 2]));
        let failed = states(|r| r.failure = Some("no point was found".into()));
        assert_eq!(failed, (State::Failed, State::Failed, [2, 2, 0]));
        let stale = states(|r| r.peers.iter_mut().for_each(|p| p.beside = "another".into()));
        assert_eq!(stale, (State::Stale, State::Stale, [2, 0, 0]));
        let half = states(|r| r.peers[1].program = "another".into());
        assert_eq!(half, (State::Met, State::Stale, [2, 1, 1]));
    }

    #[test]
    fn a_result_that_nobody_checked_meets_nothing() {
        let rows = row("suggest-qlog-nehvi-m2-n50");
        let peers: [(Side, &[f64], bool); 1] = [(Side::Botorch, &[1.0], true)];
        let mut records = known(&rows[0], &[0.01], &peers);
        let record = records.values_mut().next().unwrap();
        let Outcome::Measured { verdict, cold, .. } = &mut record.peers[0].outcome else {
            panic!("measured above");
        };
        (*verdict, *cold) = (Verdict::unknown("it does not judge"), true);
        let lines = lines(&rows, &records);
        assert_eq!(lines[0].state, State::Unchecked);
        assert_eq!(
            lines[0].note,
            "not checked: it does not judge; its first call"
        );
        assert!(markdown(&lines, &Setup::default()).contains("| not checked |"));
    }

    #[test]
    fn one_turn_is_divided_by_the_median_of_ours() {
        let rows = row("suggest-qlog-nehvi-m3-n50");
        let peers: [(Side, &[f64], bool); 1] = [(Side::Botorch, &[12.0], true)];
        let records = known(&rows[0], &[0.9, 0.3, 0.4], &peers);
        let line = lines(&rows, &records).remove(0);
        assert!((line.ratio.unwrap() - 30.0).abs() < 1e-12, "{line:?}");
        assert_eq!((line.rounds, line.state), (1, State::Shown));
    }

    #[test]
    fn quantities_have_three_digits() {
        assert_eq!(quantity(1.234e-6, "s"), "1.23 µs");
        assert_eq!(quantity(0.04567, "s"), "45.7 ms");
        assert_eq!(quantity(123.4, "s"), "123 s");
        assert_eq!(quantity(87.0, "MB"), "87.0 MB");
    }
}
