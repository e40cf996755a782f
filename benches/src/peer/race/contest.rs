//! Measures rows: every side in turns, round after round.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::loops::{self, Method};
use super::protocol::{Answer, Measured, Request, Task, Values};
use super::quality::{Quality, Verdict};
use super::rows::{Comparison, LOOP_FROM, Measure, Row};
use super::sides::{Launcher, Party, Side};
use crate::stats::median;

/// How thoroughly to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// How often every side has its turn.
    pub rounds: usize,
    /// Threads of every side.
    pub threads: usize,
    /// Leaves out what takes minutes.
    pub quick: bool,
    /// How long a side repeats a short piece of work at its turn.
    pub turn_seconds: f64,
    /// After how many seconds no further round of a row begins.
    pub row_seconds: f64,
}

impl Terms {
    /// The usual terms, or those of a quick look.
    #[must_use]
    pub fn new(quick: bool) -> Self {
        Self {
            rounds: if quick { 3 } else { 9 },
            threads: 1,
            quick,
            turn_seconds: if quick { 0.05 } else { 0.2 },
            row_seconds: if quick { 15.0 } else { 120.0 },
        }
    }
}

/// One turn of one side.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds per call, on the clock.
    pub seconds: f64,
    /// Seconds per call, of processor time.
    pub cpu_seconds: f64,
    /// The most memory in MB, where that was measured.
    pub megabytes: Option<f64>,
}

/// What is known about a row after it was measured; kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The row.
    pub id: String,
    /// How many rounds were asked for.
    pub rounds: usize,
    /// Threads of every side.
    pub threads: usize,
    /// Version of ours.
    pub version: String,
    /// Version by package, of every side.
    pub versions: BTreeMap<String, String>,
    /// Our turns.
    pub ours: Vec<Sample>,
    /// The others.
    pub peers: Vec<PeerRecord>,
}

/// What is known about one peer in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerRecord {
    /// The peer.
    pub peer: Side,
    /// Its version.
    pub version: String,
    /// How it went.
    pub outcome: Outcome,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its turns, each next to ours of the same number, and whether ours is as good.
    Measured {
        /// Its turns.
        samples: Vec<Sample>,
        /// The check.
        verdict: Option<Verdict>,
    },
    /// Left out, because a quick look was asked for.
    Heavy,
    /// It does not run here, or failed.
    Failed(String),
}

impl Record {
    /// Whether nothing is left to be measured on these terms.
    #[must_use]
    pub fn is_finished(&self, row: &Row, terms: &Terms) -> bool {
        let done = |comparison: &Comparison| {
            let peer = self.peers.iter().find(|p| p.peer == comparison.peer);
            peer.is_some_and(|p| {
                p.version == comparison.peer.version()
                    && match p.outcome {
                        Outcome::Measured { .. } => true,
                        Outcome::Heavy => terms.quick,
                        Outcome::Failed(_) => false,
                    }
            })
        };
        self.rounds >= terms.rounds
            && self.threads == terms.threads
            && self.version == Side::Ours.version()
            && row.comparisons.iter().all(done)
    }
}

/// The records in a folder, one file each.
#[derive(Debug, Clone)]
pub struct Records(PathBuf);

impl Records {
    /// The records in `folder`, which is made if it is missing; of each number of threads its own.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn new(folder: &Path, threads: usize) -> anyhow::Result<Self> {
        let folder = folder.join(format!("rows-{threads}"));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }

    /// The record of a row; `None` where there is none, or it cannot be read.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Record> {
        serde_json::from_slice(&std::fs::read(self.path(id)).ok()?).ok()
    }

    /// Keeps a record.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn put(&self, record: &Record) -> anyhow::Result<()> {
        let path = self.path(&record.id);
        std::fs::write(&path, serde_json::to_vec_pretty(record)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Starts sides as they are needed and lets them take turns.
#[derive(Debug)]
pub struct Contest {
    launcher: Launcher,
    terms: Terms,
    /// Running, by side and number of threads, or why it does not run.
    parties: BTreeMap<(Side, usize), Result<Party, String>>,
}

/// A comparison under way.
struct Turns {
    peer: Side,
    heavy: bool,
    quality: Quality,
    samples: Vec<Sample>,
    values: Values,
    /// What each judge thought of ours and of theirs, round by round.
    judged: Vec<Vec<[f64; 2]>>,
    failure: Option<String>,
}

impl Turns {
    fn new(comparison: &Comparison) -> Self {
        Self {
            peer: comparison.peer,
            heavy: comparison.heavy,
            quality: comparison.quality,
            samples: Vec::new(),
            values: Values::new(),
            judged: Vec::new(),
            failure: None,
        }
    }

    /// Runs `f` unless this side has failed, which `f` may find out.
    fn attempt(&mut self, f: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        if self.failure.is_none()
            && let Err(error) = f(self)
        {
            self.failure = Some(format!("{error:#}"));
        }
    }

    fn outcome(self, ours: &Values) -> Outcome {
        if let Some(reason) = self.failure {
            return Outcome::Failed(reason);
        }
        let verdict = self.quality.check(ours, &self.values, &self.judged);
        let verdict = verdict.unwrap_or_else(|error| {
            Some(Verdict {
                good: false,
                text: format!("not comparable: {error:#}"),
            })
        });
        Outcome::Measured {
            samples: self.samples,
            verdict,
        }
    }
}

impl Contest {
    /// A contest on these terms.
    #[must_use]
    pub fn new(launcher: Launcher, terms: Terms) -> Self {
        Self {
            launcher,
            terms,
            parties: BTreeMap::new(),
        }
    }

    /// The running process of a side.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn party(&mut self, side: Side, threads: usize) -> anyhow::Result<&mut Party> {
        let launcher = &mut self.launcher;
        let party = self.parties.entry((side, threads)).or_insert_with(|| {
            let started = launcher.start(side, threads);
            started.map_err(|error| format!("{error:#}"))
        });
        party.as_mut().map_err(|reason| anyhow::anyhow!("{reason}"))
    }

    /// Asks a side; one that fails is started anew when it is needed next.
    fn ask(&mut self, side: Side, threads: usize, request: &Request) -> anyhow::Result<Answer> {
        let answer = self.party(side, threads)?.ask(request);
        if answer.is_err() {
            self.parties.remove(&(side, threads));
        }
        answer
    }

    fn prepare(&mut self, side: Side, threads: usize, task: &Task) -> anyhow::Result<()> {
        let task = task.clone();
        self.ask(side, threads, &Request::Prepare { task })
            .map(|_| ())
    }

    fn call(
        &mut self,
        side: Side,
        threads: usize,
        seconds: f64,
        round: usize,
    ) -> anyhow::Result<Measured> {
        let seed = u32::try_from(round)?;
        match self.ask(side, threads, &Request::Measure { seconds, seed })? {
            Answer::Measured(measured) => Ok(measured),
            other => bail!("expected a measurement, got {other:?}"),
        }
    }

    fn judge(&mut self, side: Side, candidates: &[Vec<f64>; 2]) -> anyhow::Result<[f64; 2]> {
        let candidates = candidates.to_vec();
        match self.ask(side, self.terms.threads, &Request::Judge { candidates })? {
            Answer::Judged(values) => Ok(values
                .try_into()
                .map_err(|v: Vec<f64>| anyhow::anyhow!("{} judgements of two", v.len()))?),
            other => bail!("expected judgements, got {other:?}"),
        }
    }

    /// Measures a row.
    ///
    /// A peer that fails does not stop the others.
    ///
    /// # Errors
    /// If ours fails.
    #[expect(clippy::disallowed_methods, reason = "experiments measure time")]
    pub fn measure(&mut self, row: &Row) -> anyhow::Result<Record> {
        let terms = self.terms;
        let (left_out, taking_part): (Vec<_>, Vec<_>) = row
            .comparisons
            .iter()
            .partition(|comparison| terms.quick && comparison.heavy);
        let mut turns: Vec<Turns> = taking_part.into_iter().map(Turns::new).collect();
        let (mut ours, mut values) = (Vec::new(), Values::new());
        let mine = match row.measure {
            Measure::TwoThreads(_) => 2,
            _ => terms.threads,
        };
        if let Measure::Call(task) | Measure::TwoThreads(task) = &row.measure {
            self.prepare(Side::Ours, mine, task)?;
            // What is computed at the first call only is no part of any turn.
            self.call(Side::Ours, mine, 0.0, 0)?;
            for turn in &mut turns {
                turn.attempt(|turn| {
                    self.prepare(turn.peer, terms.threads, task)?;
                    if !turn.heavy {
                        self.call(turn.peer, terms.threads, 0.0, 0)?;
                    }
                    Ok(())
                });
            }
        }
        let start = Instant::now();
        for round in 0..terms.rounds {
            if round > 0 && start.elapsed().as_secs_f64() > terms.row_seconds {
                break;
            }
            let (sample, result) = self.turn(row, Side::Ours, mine, round)?;
            ours.push(sample);
            values = result;
            for turn in turns.iter_mut().filter(|turn| round == 0 || !turn.heavy) {
                turn.attempt(|turn| {
                    let (sample, result) = self.turn(row, turn.peer, terms.threads, round)?;
                    turn.samples.push(sample);
                    turn.values = result;
                    // What does not depend on the round is judged once.
                    if round == 0 || turn.quality.has_two_judges() {
                        turn.judged.extend(self.judgements(turn, &values)?);
                    }
                    Ok(())
                });
            }
        }
        let mut peers = Vec::new();
        for turn in turns {
            peers.push(PeerRecord {
                peer: turn.peer,
                version: turn.peer.version().to_owned(),
                outcome: turn.outcome(&values),
            });
        }
        peers.extend(left_out.into_iter().map(|comparison| PeerRecord {
            peer: comparison.peer,
            version: comparison.peer.version().to_owned(),
            outcome: Outcome::Heavy,
        }));
        let running = self.parties.values().flatten();
        Ok(Record {
            id: row.id.clone(),
            rounds: terms.rounds,
            threads: terms.threads,
            version: Side::Ours.version().to_owned(),
            versions: running.flat_map(|party| party.versions.clone()).collect(),
            ours,
            peers,
        })
    }

    /// What the judges think of both results, where somebody judges.
    fn judgements(&mut self, turn: &Turns, ours: &Values) -> anyhow::Result<Option<Vec<[f64; 2]>>> {
        let Some(name) = turn.quality.judged() else {
            return Ok(None);
        };
        let get = |values: &Values| values.get(name).cloned().context("nothing to judge");
        let candidates = [get(ours)?, get(&turn.values)?];
        let mut judged = vec![self.judge(Side::Ours, &candidates)?];
        if turn.quality.has_two_judges() {
            judged.push(self.judge(turn.peer, &candidates)?);
        }
        Ok(Some(judged))
    }

    fn turn(
        &mut self,
        row: &Row,
        side: Side,
        threads: usize,
        round: usize,
    ) -> anyhow::Result<(Sample, Values)> {
        match &row.measure {
            Measure::Call(_) | Measure::TwoThreads(_) => {
                let measured = self.call(side, threads, self.terms.turn_seconds, round)?;
                let sample = Sample {
                    seconds: measured.seconds,
                    cpu_seconds: measured.cpu_seconds,
                    megabytes: None,
                };
                Ok((sample, measured.values))
            }
            Measure::Loop(problem) => {
                let arena = loops::Arena::new(problem)?;
                let method = Method::of(side).context("it has no loop")?;
                let party = self.party(side, threads)?;
                let cell = loops::run(party, method, &arena, u32::try_from(round)?);
                if cell.is_err() {
                    self.parties.remove(&(side, threads));
                }
                let cell = cell?;
                let late = |of: &[f64]| median(of.get(cell.late(LOOP_FROM)..).unwrap_or_default());
                let sample = Sample {
                    seconds: late(&cell.seconds),
                    cpu_seconds: late(&cell.cpu_seconds),
                    megabytes: None,
                };
                Ok((sample, Values::new()))
            }
            Measure::Memory(task) => {
                // A process that has done something else holds memory of that.
                let mut party = self.launcher.start(side, threads)?;
                let task = task.clone();
                party.ask(&Request::Prepare { task })?;
                party.ask(&Request::Measure {
                    seconds: 0.0,
                    seed: 0,
                })?;
                match party.ask(&Request::Memory)? {
                    Answer::Memory(megabytes) => Ok((
                        Sample {
                            megabytes: Some(megabytes),
                            ..Sample::default()
                        },
                        Values::new(),
                    )),
                    other => bail!("expected the memory, got {other:?}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::choose;
    use super::*;

    fn record(outcome: Outcome) -> (Row, Record) {
        let row = choose(&["suggest-qlog-nehvi-m3-n50".to_owned()])
            .unwrap()
            .remove(0);
        let record = Record {
            id: row.id.clone(),
            rounds: 3,
            threads: 1,
            version: Side::Ours.version().to_owned(),
            versions: BTreeMap::new(),
            ours: vec![Sample::default(); 3],
            peers: vec![PeerRecord {
                peer: Side::Botorch,
                version: Side::Botorch.version().to_owned(),
                outcome,
            }],
        };
        (row, record)
    }

    #[test]
    fn a_row_is_measured_again_when_something_is_missing() {
        let samples = vec![Sample::default()];
        let measured = Outcome::Measured {
            samples,
            verdict: None,
        };
        let (quick, full) = (Terms::new(true), Terms::new(false));
        let (row, mut known) = record(measured);
        assert!(known.is_finished(&row, &quick));
        assert!(!known.is_finished(&row, &full), "three rounds of nine");
        known.rounds = 9;
        assert!(known.is_finished(&row, &full) && known.is_finished(&row, &quick));
        known.peers[0].version = "0.1".into();
        assert!(!known.is_finished(&row, &quick), "another version");

        let (row, mut heavy) = record(Outcome::Heavy);
        heavy.rounds = 9;
        assert!(heavy.is_finished(&row, &quick));
        assert!(!heavy.is_finished(&row, &full), "left out before");
        let (row, failed) = record(Outcome::Failed("offline".into()));
        assert!(!failed.is_finished(&row, &quick), "may work now");
    }

    #[test]
    fn records_are_kept() {
        let name = format!("warmfront-records-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let records = Records::new(&folder, 1).unwrap();
        let (_, known) = record(Outcome::Failed("offline".into()));
        records.put(&known).unwrap();
        let read = records.get(&known.id);
        let other = records.get("another");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read, Some(known));
        assert_eq!(other, None);
    }
}
