//! Everything told at any fidelity.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::Rng;
use warmfront_core::{
    Candidate, Fidelity, Observation, ObservationFault, SearchSpace, StrategyError, TrialId,
    UnitPoint,
};

use super::rungs::{reaches, same};

/// How often a new configuration is drawn before a repeat is accepted as the lesser evil.
const ATTEMPTS: usize = 256;

/// One evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// The trial.
    pub trial: TrialId,
    /// The configuration, canonical.
    pub point: UnitPoint,
    /// The share of the full budget it got.
    pub fidelity: Fidelity,
    /// One cost per objective; all missing if the evaluation failed.
    pub costs: Box<[Option<f64>]>,
}

impl LogEntry {
    /// All costs, or `None` if one is missing.
    #[must_use]
    pub fn complete(&self) -> Option<Vec<f64>> {
        self.costs.iter().copied().collect()
    }

    /// Whether it got the full budget.
    #[must_use]
    pub fn is_full(&self) -> bool {
        same(self.fidelity, Fidelity::FULL)
    }
}

/// A configuration and its costs at one fidelity, `None` if the evaluation failed.
pub(super) struct Member<'a> {
    pub(super) point: &'a UnitPoint,
    pub(super) costs: Option<Vec<f64>>,
}

/// Everything told so far, in order: costs per configuration and fidelity, failures included.
///
/// Any fidelity within the space's range is accepted as data, on a rung or not.
#[derive(Debug, Clone)]
pub struct FidelityLog {
    space: SearchSpace,
    objectives: usize,
    trials: BTreeSet<u64>,
    entries: Vec<LogEntry>,
}

impl FidelityLog {
    /// Nothing told yet.
    #[must_use]
    pub fn new(space: &SearchSpace, objectives: usize) -> Self {
        Self {
            space: space.clone(),
            objectives,
            trials: BTreeSet::new(),
            entries: Vec::new(),
        }
    }

    /// Adds a batch: all of it or, on an error, none of it.
    ///
    /// # Errors
    /// [`StrategyError::InvalidObservation`] for a wrong shape, a trial told before, another task,
    /// and a fidelity below the range of the space (which is full evaluations only for a space
    /// without fidelities).
    pub fn extend(&mut self, batch: &[Observation]) -> Result<(), StrategyError> {
        let lowest = self
            .space
            .fidelity()
            .map_or(Fidelity::FULL, warmfront_core::FidelityRange::lowest);
        let mut fresh = BTreeSet::new();
        for observation in batch {
            observation.check(self.space.dim(), self.objectives)?;
            let trial = observation.trial;
            let found = observation.candidate.fidelity.unwrap_or(Fidelity::FULL);
            let fault = if self.trials.contains(&trial.0) || !fresh.insert(trial.0) {
                ObservationFault::Repeated
            } else if observation.candidate.task.is_some() {
                ObservationFault::Task
            } else if !reaches(found, lowest) {
                ObservationFault::Fidelity {
                    found: found.value(),
                }
            } else {
                continue;
            };
            return Err(StrategyError::InvalidObservation { trial, fault });
        }
        for observation in batch {
            let costs = match observation.outcome.costs() {
                Some(costs) => costs.values().into(),
                None => vec![None; self.objectives].into(),
            };
            self.entries.push(LogEntry {
                trial: observation.trial,
                point: self.space.canonical(&observation.candidate.point),
                fidelity: observation.candidate.fidelity.unwrap_or(Fidelity::FULL),
                costs,
            });
        }
        self.trials.append(&mut fresh);
        Ok(())
    }

    /// The space it is about.
    #[must_use]
    pub fn space(&self) -> &SearchSpace {
        &self.space
    }

    /// Number of objectives `m`.
    #[must_use]
    pub fn num_objectives(&self) -> usize {
        self.objectives
    }

    /// All evaluations in the order told.
    #[must_use]
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// Number of evaluations told.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The full evaluations in the order told, failed ones included.
    pub fn full(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.iter().filter(|entry| entry.is_full())
    }

    /// The sum of all fidelities told: evaluations count in full, whether they continued others
    /// or not.
    #[must_use]
    pub fn full_equivalents(&self) -> f64 {
        self.entries
            .iter()
            .map(|entry| entry.fidelity.value())
            .sum()
    }

    /// What was paid, in full evaluations, if continuing costs the difference
    /// ([`FidelityBudget`](super::FidelityBudget)).
    #[must_use]
    pub fn spent(&self) -> f64 {
        let mut budget = super::FidelityBudget::new(f64::INFINITY);
        for entry in &self.entries {
            budget.try_spend(&Candidate::at(entry.point.clone()).with_fidelity(entry.fidelity));
        }
        budget.spent()
    }

    /// A configuration that is neither in the log nor pending, drawn by `draw`: a free row of a
    /// table, `None` if there is none. In a space of few configurations, where all draws repeat,
    /// the last draw.
    ///
    /// In a table, `draw` must return rows; one that keeps drawing taken rows is answered with a
    /// uniform draw of the free ones.
    pub fn fresh_point(
        &self,
        pending: &[Candidate],
        draw: &mut dyn FnMut(&mut dyn Rng) -> UnitPoint,
        rng: &mut dyn Rng,
    ) -> Option<UnitPoint> {
        let taken: HashSet<UnitPoint> = self
            .entries
            .iter()
            .map(|entry| entry.point.clone())
            .chain(pending.iter().map(|c| self.space.canonical(&c.point)))
            .collect();
        for _ in 0..ATTEMPTS {
            let point = self.space.canonical(&draw(rng));
            if !taken.contains(&point) {
                return Some(point);
            }
        }
        // What draws the points may favour a few; elsewhere there may be others.
        crate::initial_design::exploratory_point(&self.space, &taken, rng)
            .filter(|point| !taken.contains(point))
    }

    /// The highest fidelity each configuration was or is being evaluated at.
    pub(super) fn reached(&self, pending: &[Candidate]) -> HashMap<UnitPoint, Fidelity> {
        let mut reached: HashMap<UnitPoint, Fidelity> = HashMap::new();
        let told = self.entries.iter().map(|e| (e.point.clone(), e.fidelity));
        let running = pending.iter().map(|candidate| {
            let point = self.space.canonical(&candidate.point);
            (point, candidate.fidelity.unwrap_or(Fidelity::FULL))
        });
        for (point, fidelity) in told.chain(running) {
            let highest = reached.entry(point).or_insert(fidelity);
            if fidelity > *highest {
                *highest = fidelity;
            }
        }
        reached
    }

    /// The configurations told at a fidelity, in the order first told there. One told there
    /// repeatedly has its last complete costs.
    pub(super) fn at(&self, fidelity: Fidelity) -> Vec<Member<'_>> {
        let mut index: HashMap<&UnitPoint, usize> = HashMap::new();
        let mut members: Vec<Member<'_>> = Vec::new();
        for entry in self.entries.iter().filter(|e| same(e.fidelity, fidelity)) {
            let costs = entry.complete();
            match index.get(&entry.point) {
                Some(&i) if costs.is_some() => members[i].costs = costs,
                Some(_) => {}
                None => {
                    index.insert(&entry.point, members.len());
                    members.push(Member {
                        point: &entry.point,
                        costs,
                    });
                }
            }
        }
        members
    }
}
