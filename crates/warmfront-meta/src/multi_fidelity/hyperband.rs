//! The brackets of HyperBand, found in the log.

use std::collections::{HashMap, HashSet};

use rand::Rng;
use warmfront_core::{Candidate, Fidelity, UnitPoint};

use super::halving::{ranges, sorted};
use super::log::Member;
use super::rungs::reaches;
use super::{Action, FidelityLog, FrontOrder, Rungs, Scheduler};

/// One bracket: successive halving of `configurations` new ones from rung `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    /// The rung its configurations start at.
    pub start: usize,
    /// How many configurations it starts.
    pub configurations: usize,
}

/// HyperBand: synchronous brackets from the most to the least aggressive, over and over.
///
/// Bracket `s` of `s_max + 1 = ` number of rungs starts `⌊(s_max + 1)/(s + 1)⌋ · eta^s`
/// configurations at rung `s_max − s`, and continues one in `eta` of them when all have been told.
/// While a bracket waits for evaluations, the next one begins.
///
/// There is no hidden state: a bracket's start rung is its own, so that the configurations that
/// began at a rung, in the order told, fill its brackets one after another. Failed evaluations are
/// done and never continued; the share of the next rung is of those planned.
#[derive(Debug, Clone, PartialEq)]
pub struct HyperBand {
    /// The rungs.
    pub rungs: Rungs,
    /// Which configurations are continued.
    pub order: FrontOrder,
    /// Whether objectives are scaled to their range in the rung before they are compared.
    pub normalize: bool,
}

impl HyperBand {
    /// The default order with normalised objectives.
    #[must_use]
    pub fn new(rungs: Rungs) -> Self {
        Self {
            rungs,
            order: FrontOrder::default(),
            normalize: true,
        }
    }

    /// The brackets of one round, in order.
    #[must_use]
    pub fn brackets(&self) -> Vec<Bracket> {
        let top = self.rungs.top();
        (0..=top)
            .map(|start| {
                let s = top - start;
                let eta = self.rungs.eta() as usize;
                Bracket {
                    start,
                    // Of extreme ranges no round would ever end anyway.
                    configurations: ((top + 1) / (s + 1))
                        .saturating_mul(eta.saturating_pow(s as u32)),
                }
            })
            .collect()
    }

    /// What the bracket with these members (started so far) does next; `None` if it waits or is done.
    fn step(
        &self,
        bracket: Bracket,
        members: &HashSet<&UnitPoint>,
        log: &FidelityLog,
        reached: &HashMap<UnitPoint, Fidelity>,
        rng: &mut dyn Rng,
    ) -> Option<Action> {
        let mut expected = bracket.configurations;
        let mut quota = bracket.configurations;
        for lower in bracket.start..self.rungs.top() {
            let rung: Vec<Member<'_>> = log
                .at(self.rungs.fidelity(lower))
                .into_iter()
                .filter(|member| members.contains(member.point))
                .collect();
            if rung.len() < expected {
                break;
            }
            let upper = self.rungs.fidelity(lower + 1);
            let promoted = |member: &Member<'_>| reaches(reached[member.point], upper);
            quota /= self.rungs.eta() as usize;
            let complete = rung.iter().filter(|member| member.costs.is_some()).count();
            expected = quota.min(complete);
            if rung.iter().filter(|member| promoted(member)).count() < expected {
                let pool: Vec<&Member<'_>> = rung
                    .iter()
                    .filter(|member| member.costs.is_some() && !promoted(member))
                    .collect();
                let ranges = self.normalize.then(|| ranges(&rung));
                let order = sorted(&pool, &self.order, ranges.as_deref(), rng);
                if let Some(&best) = order.first() {
                    return Some(Action::Promote {
                        point: pool[best].point.clone(),
                        rung: lower + 1,
                    });
                }
            }
        }
        (members.len() < bracket.configurations).then_some(Action::Start {
            rung: bracket.start,
        })
    }
}

impl Scheduler for HyperBand {
    fn rungs(&self) -> &Rungs {
        &self.rungs
    }

    fn next(&self, log: &FidelityLog, pending: &[Candidate], rng: &mut dyn Rng) -> Action {
        let reached = log.reached(pending);
        let started = self.started(log, pending);
        let brackets = self.brackets();
        // Ends: after the last configuration's round, a bracket has nobody and starts someone.
        let mut round = 0;
        loop {
            for bracket in &brackets {
                let first = round * bracket.configurations;
                let members: HashSet<&UnitPoint> = started[bracket.start]
                    .iter()
                    .skip(first)
                    .take(bracket.configurations)
                    .collect();
                if let Some(action) = self.step(*bracket, &members, log, &reached, rng) {
                    return action;
                }
            }
            round += 1;
        }
    }
}

impl HyperBand {
    /// The configurations that began at each rung, in the order first told, pending ones last.
    fn started(&self, log: &FidelityLog, pending: &[Candidate]) -> Vec<Vec<UnitPoint>> {
        let mut order: Vec<UnitPoint> = Vec::new();
        let mut lowest: HashMap<UnitPoint, Fidelity> = HashMap::new();
        let told = log.entries().iter().map(|e| (e.point.clone(), e.fidelity));
        let running = pending.iter().map(|candidate| {
            let point = log.space().canonical(&candidate.point);
            (point, candidate.fidelity.unwrap_or(Fidelity::FULL))
        });
        for (point, fidelity) in told.chain(running) {
            let seen = lowest.entry(point.clone()).or_insert_with(|| {
                order.push(point);
                fidelity
            });
            if fidelity < *seen {
                *seen = fidelity;
            }
        }
        let mut started = vec![Vec::new(); self.rungs.len()];
        for point in order {
            if let Some(rung) = self.rungs.index_of(lowest[&point]) {
                started[rung].push(point);
            }
        }
        started
    }
}
