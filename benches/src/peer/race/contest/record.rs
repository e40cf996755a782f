//! What is known about a row after it was measured, kept in files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::peer::race::quality::Verdict;
use crate::peer::race::rows::{Comparison, Row};
use crate::peer::race::sides::Side;
use crate::{setup, store};

/// How thoroughly to measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// How often every side has its turn.
    pub rounds: usize,
    /// Threads of every side.
    pub threads: usize,
    /// Leaves out what takes minutes.
    pub quick: bool,
    /// How long a side repeats a short piece of work at its turn.
    pub turn_seconds: f64,
    /// After how many seconds no further round of a row begins; heavy peers come after that.
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

    /// Whether what was measured on these terms is at least as thorough as `wanted`.
    fn cover(&self, wanted: &Self) -> bool {
        self.rounds >= wanted.rounds
            && self.threads == wanted.threads
            && self.turn_seconds >= wanted.turn_seconds
            && self.row_seconds >= wanted.row_seconds
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

/// What is known about a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The row.
    pub id: String,
    /// On which terms it was measured last.
    pub terms: Terms,
    /// Our [`fingerprint`](Side::fingerprint): of the rows, the inputs and everything else that is ours.
    pub program: String,
    /// The machine.
    pub machine: String,
    /// The commit, and whether there were changes since.
    pub commit: String,
    /// Date and time.
    pub measured: String,
    /// Version by package, of every side.
    pub versions: BTreeMap<String, String>,
    /// Our turns.
    pub ours: Vec<Sample>,
    /// Why ours could not be measured.
    pub failure: Option<String>,
    /// The others.
    pub peers: Vec<PeerRecord>,
}

/// What is known about one peer in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerRecord {
    /// The peer.
    pub peer: Side,
    /// Its [`fingerprint`](Side::fingerprint).
    pub program: String,
    /// Ours that it was measured beside.
    pub beside: String,
    /// The machine.
    pub machine: String,
    /// On which terms.
    pub terms: Terms,
    /// How it went.
    pub outcome: Outcome,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was measured.
    Measured {
        /// Its turns.
        samples: Vec<Sample>,
        /// Ours: in the same rounds, or in all rounds for a peer that had one turn.
        ours: Vec<Sample>,
        /// Whether its one turn was its first: it takes too long to be warmed up.
        cold: bool,
        /// Whether ours is as good.
        verdict: Verdict,
    },
    /// Left out, because a quick look was asked for.
    Heavy,
    /// It does not run here; that may change.
    Missing(String),
    /// It failed or took too long, and would again.
    Failed(String),
}

impl PeerRecord {
    /// What came out now.
    #[must_use]
    pub fn new(peer: Side, terms: Terms, outcome: Outcome) -> Self {
        Self {
            peer,
            program: peer.fingerprint().to_owned(),
            beside: Side::Ours.fingerprint().to_owned(),
            machine: setup::machine().to_owned(),
            terms,
            outcome,
        }
    }

    /// Whether one of the two sides or the machine has changed since.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.program != self.peer.fingerprint()
            || self.beside != Side::Ours.fingerprint()
            || self.machine != setup::machine()
    }

    /// Whether this settles a comparison on these terms.
    fn settles(&self, comparison: &Comparison, terms: &Terms) -> bool {
        self.peer == comparison.peer
            && !self.is_stale()
            && match self.outcome {
                // One turn is one turn.
                Outcome::Measured { .. } | Outcome::Failed(_) if comparison.heavy => {
                    self.terms.threads == terms.threads
                }
                Outcome::Measured { .. } | Outcome::Failed(_) => self.terms.cover(terms),
                Outcome::Heavy => terms.quick,
                Outcome::Missing(_) => false,
            }
    }

    fn is_known(&self) -> bool {
        matches!(self.outcome, Outcome::Measured { .. } | Outcome::Failed(_))
    }
}

impl Record {
    /// Whether ours, the row or the machine has changed since.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.program != Side::Ours.fingerprint() || self.machine != setup::machine()
    }

    /// Whether nothing is left to be measured on these terms.
    #[must_use]
    pub fn is_finished(&self, row: &Row, terms: &Terms) -> bool {
        let settled = |c: &Comparison| self.peers.iter().any(|p| p.settles(c, terms));
        !self.is_stale()
            && self.failure.is_none()
            && self.terms.cover(terms)
            && row.comparisons.iter().all(settled)
    }

    /// What need not be measured again for a comparison: all that is settled unless `again`, and in any
    /// case a heavy peer that the terms leave out, however old.
    pub(super) fn kept(
        &self,
        comparison: &Comparison,
        terms: &Terms,
        again: bool,
    ) -> Option<&PeerRecord> {
        let left_out = terms.quick && comparison.heavy;
        let mut of = self.peers.iter().filter(|p| p.peer == comparison.peer);
        of.find(|p| p.is_known() && (left_out || (!again && p.settles(comparison, terms))))
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
        let text = serde_json::to_vec_pretty(record)?;
        store::replace(&self.path(&record.id), |file| {
            Ok(std::io::Write::write_all(file, &text)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::race::rows::choose;

    fn measured() -> Outcome {
        Outcome::Measured {
            samples: vec![Sample::default()],
            ours: vec![Sample::default()],
            cold: false,
            verdict: Verdict {
                good: Some(true),
                text: "equal".into(),
            },
        }
    }

    fn record(id: &str, terms: Terms, outcome: Outcome) -> (Row, Record) {
        let row = choose(&[id.to_owned()]).unwrap().remove(0);
        let record = Record {
            id: row.id.clone(),
            terms,
            program: Side::Ours.fingerprint().to_owned(),
            machine: setup::machine().to_owned(),
            commit: String::new(),
            measured: String::new(),
            versions: BTreeMap::new(),
            ours: vec![Sample::default(); 3],
            failure: None,
            peers: vec![PeerRecord::new(Side::Botorch, terms, outcome)],
        };
        (row, record)
    }

    const HEAVY: &str = "suggest-qlog-nehvi-m3-n50";
    const LIGHT: &str = "suggest-qlog-nehvi-m2-n50";

    #[test]
    fn a_row_is_measured_again_when_something_is_missing() {
        let (quick, full) = (Terms::new(true), Terms::new(false));
        let (row, known) = record(LIGHT, quick, measured());
        assert!(known.is_finished(&row, &quick));
        assert!(!known.is_finished(&row, &full), "three rounds of nine");
        let many = Terms { rounds: 9, ..quick };
        let (row, known) = record(LIGHT, many, measured());
        assert!(!known.is_finished(&row, &full), "short turns");
        let (row, known) = record(LIGHT, full, measured());
        assert!(known.is_finished(&row, &full) && known.is_finished(&row, &quick));

        let (row, heavy) = record(HEAVY, full, Outcome::Heavy);
        assert!(heavy.is_finished(&row, &quick));
        assert!(!heavy.is_finished(&row, &full), "left out before");
        let (row, missing) = record(LIGHT, quick, Outcome::Missing("offline".into()));
        assert!(!missing.is_finished(&row, &quick), "may work now");
        let (row, failed) = record(LIGHT, quick, Outcome::Failed("crashed".into()));
        assert!(failed.is_finished(&row, &quick), "would fail again");
    }

    #[test]
    fn what_has_changed_makes_a_record_stale() {
        let full = Terms::new(false);
        type Change = fn(&mut Record);
        let changes: [(Change, bool, bool); 6] = [
            (|r| r.program = "another".into(), true, false),
            (|r| r.machine = "another".into(), true, false),
            (|r| r.peers[0].program = "another".into(), false, true),
            (|r| r.peers[0].beside = "another".into(), false, true),
            (|r| r.peers[0].machine = "another".into(), false, true),
            (|r| r.failure = Some("ours failed".into()), false, false),
        ];
        for (index, (change, ours, theirs)) in changes.into_iter().enumerate() {
            let (row, mut known) = record(LIGHT, full, measured());
            assert!(known.is_finished(&row, &full));
            change(&mut known);
            assert!(!known.is_finished(&row, &full), "change {index}");
            let stale = (known.is_stale(), known.peers[0].is_stale());
            assert_eq!(stale, (ours, theirs), "change {index}");
        }
    }

    #[test]
    fn a_quick_look_does_not_forget_what_took_minutes() {
        let (quick, full) = (Terms::new(true), Terms::new(false));
        let kept = |id: &str, outcome: Outcome, terms: &Terms, again: bool| {
            let (row, known) = record(id, full, outcome);
            known.kept(&row.comparisons[0], terms, again).is_some()
        };
        assert!(kept(HEAVY, measured(), &quick, true));
        assert!(kept(HEAVY, measured(), &full, false));
        assert!(!kept(HEAVY, measured(), &full, true), "asked for");
        assert!(kept(LIGHT, measured(), &full, false));
        assert!(!kept(LIGHT, measured(), &quick, true));
        assert!(!kept(HEAVY, Outcome::Heavy, &quick, false));

        let (row, mut old) = record(HEAVY, full, measured());
        old.peers[0].beside = "an older build".into();
        let kept = |terms| old.kept(&row.comparisons[0], &terms, false);
        assert!(kept(quick).is_some_and(PeerRecord::is_stale));
        assert_eq!(kept(full), None);
    }

    #[test]
    fn records_are_kept() {
        let name = format!("warmfront-records-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let records = Records::new(&folder, 1).unwrap();
        let (_, known) = record(HEAVY, Terms::new(true), Outcome::Missing("offline".into()));
        records.put(&known).unwrap();
        let read = records.get(&known.id);
        let other = records.get("another");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read, Some(known));
        assert_eq!(other, None);
    }
}
