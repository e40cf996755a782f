//! The mixture that PriorBand draws new configurations from.

use rand::{Rng, RngExt};
use warmfront_core::{Belief, Beliefs, SearchSpace, UnitPoint};
use warmfront_pareto::{simplex_weights, weighted_sum};

use crate::MetaError;
use crate::baseline::variation::{active, is_ordered, mix, other_choice};
use crate::multi_fidelity::{FidelityLog, HyperBand, LogEntry, Rungs};

/// How often a mutation is repeated that changes nothing.
const ATTEMPTS: usize = 16;

/// How PriorBand makes new configurations.
///
/// At rung `r` a configuration is uniform with probability `1/(1 + eta^r)`. The rest is shared by
/// the belief about a random objective and mutants of the incumbent, in proportion to how likely
/// the best `1/eta` of the evidence is under each: the sum of densities, weighted by rank. The
/// evidence is the highest rung with at least `eta` complete evaluations; what is best of it, and
/// the incumbent among the evaluations of highest fidelity, follows a sum of costs with weights
/// drawn anew each time. Before a full evaluation has been told, the first bracket's budget has been
/// spent and there is such evidence, the incumbent has no share. Without beliefs, their share is uniform.
///
/// # References
/// Mallik et al. 2023 (arXiv 2306.12370), section 5; several objectives: arXiv 2511.08371.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorBandConfig {
    /// Probability that a parameter of the incumbent is changed.
    pub mutation_rate: f64,
    /// Standard deviation of a changed number in the unit interval, in (0, 1). A category that is
    /// changed becomes any other choice alike.
    pub deviation: f64,
    /// Whether objectives are scaled to their range before they are summed.
    pub normalize: bool,
}

impl Default for PriorBandConfig {
    /// Half of the parameters, deviation ¼, normalised objectives.
    fn default() -> Self {
        Self {
            mutation_rate: 0.5,
            deviation: 0.25,
            normalize: true,
        }
    }
}

/// The probabilities of the three sources; they sum to one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriorBandShares {
    /// Of uniform draws.
    pub random: f64,
    /// Of draws from the belief.
    pub belief: f64,
    /// Of mutants of the incumbent.
    pub incumbent: f64,
}

impl PriorBandShares {
    /// The shares at rung `rung` for rates `belief` and `incumbent` of the evidence's likelihood;
    /// `None`: there is no incumbent to heed.
    #[must_use]
    pub fn at(eta: u32, rung: usize, evidence: Option<(f64, f64)>) -> Self {
        let random = 1.0 / (1.0 + f64::from(eta).powf(rung as f64));
        let informed = 1.0 - random;
        let believed = match evidence {
            Some((belief, incumbent)) if belief + incumbent > 0.0 => belief / (belief + incumbent),
            Some(_) => 0.5,
            None => 1.0,
        };
        Self {
            random,
            belief: informed * believed,
            incumbent: informed * (1.0 - believed),
        }
    }
}

impl PriorBandConfig {
    pub(super) fn check(&self) -> Result<(), MetaError> {
        if !(0.0..=1.0).contains(&self.mutation_rate) {
            return Err(MetaError::Setting {
                what: "the mutation rate",
                value: self.mutation_rate,
                expected: "a probability",
            });
        }
        if !(self.deviation > 0.0 && self.deviation < 1.0) {
            return Err(MetaError::Setting {
                what: "the deviation of mutations",
                value: self.deviation,
                expected: "a number in (0, 1)",
            });
        }
        Ok(())
    }

    pub(super) fn prepare(
        &self,
        beliefs: &Beliefs,
        log: &FidelityLog,
        rungs: &Rungs,
        rung: usize,
        rng: &mut dyn Rng,
    ) -> PriorBandDraw {
        let space = log.space().clone();
        let count = beliefs.iter().count() as u64;
        let chosen = if count > 0 {
            rng.random_range(0..count)
        } else {
            0
        };
        let belief = match beliefs.iter().nth(chosen as usize) {
            Some(belief) => belief.clone(),
            None => Belief::uniform(&space, 0),
        };
        let cuts: Vec<f64> = (1..log.num_objectives()).map(|_| rng.random()).collect();
        let weights = simplex_weights(&cuts);
        let incumbent = self.incumbent(log, rungs, &weights);
        let top = self.best_of_evidence(log, rungs, &weights);
        let heeded = incumbent.as_ref().filter(|_| !top.is_empty());
        let evidence = heeded.map(|incumbent| likelihoods(&top, &belief, &incumbent.around));
        PriorBandDraw {
            shares: PriorBandShares::at(rungs.eta(), rung, evidence),
            space,
            belief,
            incumbent,
            mutation_rate: self.mutation_rate,
        }
    }

    /// The best evaluation at full fidelity, once the first bracket's budget has been spent.
    fn incumbent(&self, log: &FidelityLog, rungs: &Rungs, weights: &[f64]) -> Option<Incumbent> {
        if log.spent() < first_bracket_budget(rungs) {
            return None;
        }
        let full = log.entries().iter().filter(|entry| entry.is_full());
        let point = self.sorted(full, weights).into_iter().next()?;
        let space = log.space();
        let around = Belief::new(space, 0, &space.decode(&point), 1.0 - self.deviation)
            // Decoding rounds, at the ends of a range possibly beyond them.
            .unwrap_or_else(|_| Belief::uniform(space, 0));
        Some(Incumbent { point, around })
    }

    /// The best `1/eta` of the highest rung with at least `eta` complete evaluations, best first.
    fn best_of_evidence(
        &self,
        log: &FidelityLog,
        rungs: &Rungs,
        weights: &[f64],
    ) -> Vec<UnitPoint> {
        let eta = rungs.eta() as usize;
        for rung in (0..rungs.len()).rev() {
            let at = |entry: &&LogEntry| rungs.index_of(entry.fidelity) == Some(rung);
            let mut sorted = self.sorted(log.entries().iter().filter(at), weights);
            if sorted.len() >= eta {
                sorted.truncate(sorted.len() / eta);
                return sorted;
            }
        }
        Vec::new()
    }

    /// The points of complete evaluations, least weighted sum of costs first.
    fn sorted<'a>(
        &self,
        entries: impl Iterator<Item = &'a LogEntry>,
        weights: &[f64],
    ) -> Vec<UnitPoint> {
        let mut rows: Vec<(&UnitPoint, Vec<f64>)> = entries
            .filter_map(|entry| Some((&entry.point, entry.complete()?)))
            .collect();
        if self.normalize {
            for o in 0..weights.len() {
                let values = rows.iter().map(|(_, costs)| costs[o]);
                let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                    (l.min(v), h.max(v))
                });
                // Halved, so that a difference of two finite costs is finite.
                let range = 0.5 * high - 0.5 * low;
                for (_, costs) in &mut rows {
                    let above = 0.5 * costs[o] - 0.5 * low;
                    costs[o] = if range > 0.0 { above / range } else { 0.0 };
                }
            }
        }
        rows.sort_by(|a, b| weighted_sum(&a.1, weights).total_cmp(&weighted_sum(&b.1, weights)));
        rows.into_iter().map(|(point, _)| point.clone()).collect()
    }
}

/// What the first and longest bracket costs, in full evaluations, if continuing costs the difference.
fn first_bracket_budget(rungs: &Rungs) -> f64 {
    let first = HyperBand::new(rungs.clone()).brackets()[0];
    let (mut configurations, mut paid, mut budget) = (first.configurations, 0.0, 0.0);
    for fidelity in rungs.iter().skip(first.start) {
        budget += configurations as f64 * (fidelity.value() - paid);
        paid = fidelity.value();
        configurations /= rungs.eta() as usize;
    }
    // Sums of fractions round.
    budget * (1.0 - 1e-9)
}

/// Sums of the densities of `top`, best first, under the two, weighted by rank; on a common scale.
fn likelihoods(top: &[UnitPoint], belief: &Belief, around: &Belief) -> (f64, f64) {
    let ln = |density: &Belief| -> Vec<f64> {
        top.iter().map(|point| density.ln_density(point)).collect()
    };
    let (believed, near) = (ln(belief), ln(around));
    let largest = believed
        .iter()
        .chain(&near)
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    let sum = |lns: &[f64]| -> f64 {
        let weights = (1..=lns.len()).rev();
        let terms = lns
            .iter()
            .zip(weights)
            .map(|(ln, w)| w as f64 * (ln - largest).exp());
        terms.sum()
    };
    (sum(&believed), sum(&near))
}

struct Incumbent {
    point: UnitPoint,
    around: Belief,
}

/// The mixture at one moment.
pub(super) struct PriorBandDraw {
    pub(super) shares: PriorBandShares,
    space: SearchSpace,
    belief: Belief,
    incumbent: Option<Incumbent>,
    mutation_rate: f64,
}

impl PriorBandDraw {
    pub(super) fn draw(&self, rng: &mut dyn Rng) -> UnitPoint {
        let u: f64 = rng.random();
        match &self.incumbent {
            _ if u < self.shares.random => self.space.sample(rng),
            Some(incumbent) if u >= self.shares.random + self.shares.belief => {
                self.mutant(incumbent, rng)
            }
            _ => self.belief.sample(rng),
        }
    }

    fn mutant(&self, incumbent: &Incumbent, rng: &mut dyn Rng) -> UnitPoint {
        let base = &incumbent.point;
        let counts = active(&self.space, base);
        let mut mutant = base.clone();
        for _ in 0..ATTEMPTS {
            let mut coords = incumbent.around.sample(rng).coords().to_vec();
            for (parameter, counts) in self.space.parameters().iter().zip(&counts) {
                let range = parameter.coords();
                if *counts && !is_ordered(parameter) && !range.is_empty() {
                    let out = &mut coords[range.clone()];
                    out.copy_from_slice(&base.coords()[range]);
                    other_choice(parameter, out, rng);
                }
            }
            let source = self.space.canonical(&UnitPoint::clamped(coords));
            mutant = mix(&self.space, base, &source, self.mutation_rate, rng);
            if mutant != *base {
                break;
            }
        }
        mutant
    }
}
