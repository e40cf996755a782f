//! Measures rows: every side in turns, round after round; peers that take minutes once, at the end.

mod record;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, bail};

pub use self::record::{Outcome, PeerRecord, Record, Records, Sample, Terms};
use super::loops::{self, Arena, Cell, Method};
use super::protocol::{Answer, Measured, Request, Task, Values};
use super::quality::{Judge, Quality, Verdict};
use super::rows::{Comparison, LOOP_FROM, Measure, Row};
use super::sides::{Launcher, Party, Side};
use crate::setup;
use crate::stats::median;

/// A heavy peer whose call takes less than this many seconds is called once before it is measured, as
/// every other side is.
const WARM_UP: f64 = 20.0;

/// Starts sides as they are needed and lets them take turns.
#[derive(Debug)]
pub struct Contest {
    launcher: Launcher,
    terms: Terms,
    /// Running, by side and number of threads, or why it does not run.
    parties: BTreeMap<(Side, usize), Result<Party, String>>,
    commit: String,
}

/// A comparison under way.
struct Turns {
    peer: Side,
    heavy: bool,
    quality: Quality,
    samples: Vec<Sample>,
    cold: bool,
    values: Values,
    /// What each judge thought of ours and of theirs, round by round.
    judged: Vec<Vec<[f64; 2]>>,
    /// Why nobody could judge.
    unjudged: Option<String>,
    failure: Option<Outcome>,
}

/// Our turns in a row.
#[derive(Default)]
struct Ours {
    samples: Vec<Sample>,
    /// What came out of the first, in a loop.
    first: Option<Values>,
    /// What came out of the last.
    last: Values,
}

impl Ours {
    /// Beside which round a heavy peer has its turn, and what came out of it. Of loops the first: how many
    /// there are depends on the machine. Of calls the last, whose function our side still has to judge by.
    fn beside_heavy(&self) -> (usize, &Values) {
        match &self.first {
            Some(first) => (0, first),
            None => (self.samples.len().saturating_sub(1), &self.last),
        }
    }
}

impl Turns {
    fn new(comparison: &Comparison) -> Self {
        Self {
            peer: comparison.peer,
            heavy: comparison.heavy,
            quality: comparison.quality,
            samples: Vec::new(),
            cold: false,
            values: Values::new(),
            judged: Vec::new(),
            unjudged: None,
            failure: None,
        }
    }

    /// Runs `f` unless this side has failed, which `f` may find out.
    fn attempt(&mut self, f: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        if self.failure.is_none()
            && let Err(error) = f(self)
        {
            self.failure = Some(Outcome::Failed(format!("{error:#}")));
        }
    }

    fn outcome(self, ours: &Ours) -> Outcome {
        let late = match self.failure {
            // Turns that were there before it failed are no worse for that.
            Some(Outcome::Failed(reason)) if !self.samples.is_empty() => Some(reason),
            Some(failure) => return failure,
            None => None,
        };
        let values = if self.heavy {
            ours.beside_heavy().1
        } else {
            &ours.last
        };
        let mut verdict = match self.unjudged {
            Some(reason) => Verdict::unknown(reason),
            None => self.quality.check(values, &self.values, &self.judged),
        };
        if let Some(reason) = late {
            verdict.text += &format!("; it failed after {} turns: {reason}", self.samples.len());
        }
        let ours = &ours.samples;
        let rounds = if self.heavy {
            ours.len()
        } else {
            self.samples.len()
        };
        Outcome::Measured {
            ours: ours[..rounds.min(ours.len())].to_vec(),
            samples: self.samples,
            cold: self.cold,
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
            commit: setup::commit(),
        }
    }

    /// The commit of this contest.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
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

    /// Lets a side do something; if its process ends meanwhile, it is started anew when it is needed next.
    fn with<T>(
        &mut self,
        side: Side,
        threads: usize,
        f: impl FnOnce(&mut Party) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let party = self.party(side, threads)?;
        let done = f(party);
        if !party.is_alive() {
            self.parties.remove(&(side, threads));
        }
        done
    }

    /// Makes one whole optimisation.
    ///
    /// # Errors
    /// As [`loops::run`], and if the process cannot be started.
    pub fn run_loop(
        &mut self,
        side: Side,
        threads: usize,
        method: Method,
        arena: &Arena,
        seed: u32,
    ) -> anyhow::Result<Cell> {
        self.with(side, threads, |party| {
            loops::run(party, method, arena, seed)
        })
    }

    /// Measures a task, after whatever has to come before it.
    fn call(
        &mut self,
        side: Side,
        threads: usize,
        task: &Task,
        seconds: f64,
        round: usize,
    ) -> anyhow::Result<Measured> {
        let seed = u32::try_from(round)?;
        self.with(side, threads, |party| {
            if party.task.as_ref() != Some(task) {
                party.task = None;
                let request = task.clone();
                party.ask(&Request::Prepare { task: request })?;
                party.task = Some(task.clone());
            }
            match party.ask(&Request::Measure { seconds, seed })? {
                Answer::Measured(measured) => Ok(measured),
                other => bail!("expected a measurement, got {other:?}"),
            }
        })
    }

    fn judge(
        &mut self,
        side: Side,
        threads: usize,
        candidates: &[Vec<f64>; 2],
    ) -> anyhow::Result<[f64; 2]> {
        let candidates = candidates.to_vec();
        let request = Request::Judge { candidates };
        let answer = self.with(side, threads, |party| party.ask(&request));
        match answer.with_context(|| format!("{} does not judge", side.label()))? {
            Answer::Judged(values) => values
                .try_into()
                .map_err(|v: Vec<f64>| anyhow::anyhow!("{} judgements of two", v.len())),
            other => bail!("expected judgements, got {other:?}"),
        }
    }

    /// Measures a row, except for what `known` has settled; all of it if `again`.
    ///
    /// A peer that fails does not stop the others. Where ours fails, the record says so.
    pub fn measure(&mut self, row: &Row, known: Option<&Record>, again: bool) -> Record {
        let terms = self.terms;
        // What did not start in another row may now.
        self.parties.retain(|_, party| party.is_ok());
        let (mut peers, mut turns) = (Vec::new(), Vec::new());
        for comparison in &row.comparisons {
            if let Some(kept) = known.and_then(|r| r.kept(comparison, &terms, again)) {
                peers.push(kept.clone());
            } else if terms.quick && comparison.heavy {
                peers.push(PeerRecord::new(comparison.peer, terms, Outcome::Heavy));
            } else {
                turns.push(Turns::new(comparison));
            }
        }
        let (ours, failure) = match self.rounds(row, &mut turns) {
            Ok(ours) => (ours, None),
            Err(error) => (Ours::default(), Some(format!("{error:#}"))),
        };
        for turn in turns {
            let peer = turn.peer;
            if failure.is_none() {
                peers.push(PeerRecord::new(peer, terms, turn.outcome(&ours)));
            } else if let Some(before) = known.and_then(|r| r.peers.iter().find(|p| p.peer == peer))
            {
                // Ours may fail for a moment; theirs may have taken hours.
                peers.push(before.clone());
            }
        }
        let running = self.parties.values().flatten();
        let mut versions: BTreeMap<_, _> = running.flat_map(|p| p.versions.clone()).collect();
        if let Some(before) = known.filter(|record| !record.is_stale()) {
            for (package, version) in &before.versions {
                versions.entry(package.clone()).or_insert(version.clone());
            }
        }
        Record {
            id: row.id.clone(),
            terms,
            program: Side::Ours.fingerprint().to_owned(),
            machine: setup::machine().to_owned(),
            commit: self.commit.clone(),
            measured: setup::now(),
            versions,
            ours: ours.samples,
            failure,
            peers,
        }
    }

    /// All turns.
    #[expect(clippy::disallowed_methods, reason = "experiments measure time")]
    fn rounds(&mut self, row: &Row, turns: &mut [Turns]) -> anyhow::Result<Ours> {
        let terms = self.terms;
        let mine = row.measure.our_threads(terms.threads);
        // Whoever does not start is not asked again in this row.
        self.party(Side::Ours, mine)?;
        for turn in turns.iter_mut() {
            if let Err(error) = self.party(turn.peer, terms.threads) {
                turn.failure = Some(Outcome::Missing(format!("{error:#}")));
            }
        }
        if let Some(task) = row.measure.warmed_up() {
            // What is computed at the first call only is no part of any turn.
            self.call(Side::Ours, mine, task, 0.0, 0)?;
            for turn in turns.iter_mut().filter(|turn| !turn.heavy) {
                turn.attempt(|turn| {
                    self.call(turn.peer, terms.threads, task, 0.0, 0)
                        .map(|_| ())
                });
            }
        }
        let mut ours = Ours::default();
        let start = Instant::now();
        for round in 0..terms.rounds {
            if round > 0 && start.elapsed().as_secs_f64() > terms.row_seconds {
                break;
            }
            let (sample, result) = self.turn(row, Side::Ours, mine, round)?;
            ours.samples.push(sample);
            if round == 0 && row.measure.is_loop() {
                ours.first = Some(result.clone());
            }
            ours.last = result;
            for turn in turns.iter_mut().filter(|turn| !turn.heavy) {
                turn.attempt(|turn| {
                    let (sample, result) = self.turn(row, turn.peer, terms.threads, round)?;
                    self.take(turn, sample, result, mine, &ours.last);
                    Ok(())
                });
            }
        }
        let (round, values) = ours.beside_heavy();
        for turn in turns.iter_mut().filter(|turn| turn.heavy) {
            turn.attempt(|turn| {
                let (mut sample, mut result) = self.turn(row, turn.peer, terms.threads, round)?;
                turn.cold = row.measure.warmed_up().is_some();
                if turn.cold && sample.seconds < WARM_UP {
                    (sample, result) = self.turn(row, turn.peer, terms.threads, round)?;
                    turn.cold = false;
                }
                self.take(turn, sample, result, mine, values);
                Ok(())
            });
        }
        Ok(ours)
    }

    /// Takes down a turn of a peer, and what the judges think.
    fn take(
        &mut self,
        turn: &mut Turns,
        sample: Sample,
        result: Values,
        mine: usize,
        ours: &Values,
    ) {
        turn.values = result;
        // What does not depend on the round is judged once.
        if turn.samples.is_empty() || turn.quality.differs_by_round() {
            match self.judgements(turn, mine, ours) {
                Ok(judged) => turn.judged.extend(judged),
                Err(error) => turn.unjudged = Some(format!("{error:#}")),
            }
        }
        turn.samples.push(sample);
    }

    /// What the judges think of both results, where somebody judges.
    fn judgements(
        &mut self,
        turn: &Turns,
        mine: usize,
        ours: &Values,
    ) -> anyhow::Result<Option<Vec<[f64; 2]>>> {
        let get = |values: &Values, name: &str| {
            let found = values.get(name).filter(|list| !list.is_empty());
            found
                .cloned()
                .with_context(|| format!("a result has no `{name}`"))
        };
        Ok(match turn.quality.judge() {
            None => None,
            Some(Judge::Number(name)) => {
                Some(vec![[get(ours, name)?[0], get(&turn.values, name)?[0]]])
            }
            Some(Judge::BothSides(name)) => {
                let candidates = [get(ours, name)?, get(&turn.values, name)?];
                Some(vec![
                    self.judge(Side::Ours, mine, &candidates)?,
                    self.judge(turn.peer, self.terms.threads, &candidates)?,
                ])
            }
        })
    }

    fn turn(
        &mut self,
        row: &Row,
        side: Side,
        threads: usize,
        round: usize,
    ) -> anyhow::Result<(Sample, Values)> {
        match &row.measure {
            Measure::Call(task) | Measure::TwoThreads(task) => {
                let seconds = self.terms.turn_seconds;
                let measured = self.call(side, threads, task, seconds, round)?;
                let sample = Sample {
                    seconds: measured.seconds,
                    cpu_seconds: measured.cpu_seconds,
                    megabytes: None,
                };
                Ok((sample, measured.values))
            }
            Measure::Loop(problem) | Measure::TwoThreadsLoop(problem) => {
                let arena = Arena::new(problem)?;
                let method = Method::of(side).context("it has no loop")?;
                let seed = u32::try_from(round)?;
                let cell = self.run_loop(side, threads, method, &arena, seed)?;
                let late = |of: &[f64]| {
                    let late = of.get(cell.late(LOOP_FROM)..).unwrap_or_default();
                    // A median of nothing is no time.
                    (!late.is_empty()).then(|| median(late))
                };
                let ended = || format!("it ended before {LOOP_FROM} evaluations");
                let sample = Sample {
                    seconds: late(&cell.seconds).with_context(ended)?,
                    cpu_seconds: late(&cell.cpu_seconds).with_context(ended)?,
                    megabytes: None,
                };
                Ok((sample, cell.values(&arena)))
            }
            Measure::Memory(task) => {
                // A process that has done something else holds memory of that.
                self.parties.remove(&(side, threads));
                let measured = self.call(side, threads, task, 0.0, round)?;
                match self.with(side, threads, |party| party.ask(&Request::Memory))? {
                    Answer::Memory(megabytes) => Ok((
                        Sample {
                            megabytes: Some(megabytes),
                            ..Sample::default()
                        },
                        measured.values,
                    )),
                    other => bail!("expected the memory, got {other:?}"),
                }
            }
        }
    }
}
