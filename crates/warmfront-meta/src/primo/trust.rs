//! How strongly a belief counts.

use std::collections::HashMap;

use warmfront_core::{Belief, UnitPoint};

use super::config::{DecayShape, PriorDecay, PriorTrust};
use crate::multi_fidelity::FidelityLog;

/// The exponent of a belief after `n` full evaluations since the initial design, in a space of `d`
/// parameters; 0 if it is not used.
pub(super) fn exponent(
    decay: &PriorDecay,
    trust: PriorTrust,
    belief: &Belief,
    log: &FidelityLog,
    n: usize,
    d: usize,
) -> f64 {
    let agreement = match trust {
        PriorTrust::Fixed => 1.0,
        PriorTrust::Evidence { full, pseudo } => {
            let (tau, count) = rank_agreement(belief, log);
            let count = count as f64;
            if count + pseudo > 0.0 {
                (count * tau + pseudo * full) / (count + pseudo) / full
            } else {
                1.0
            }
        }
    };
    if agreement <= 0.0 {
        return 0.0;
    }
    // What agrees better than expected keeps its say for longer.
    let n = n as f64 / agreement.max(1.0);
    let gamma = (-decay.rate * n.powf(decay.power) / d.max(1) as f64).exp();
    if gamma < decay.cutoff {
        return 0.0;
    }
    let strength = match decay.shape {
        DecayShape::Smooth => gamma,
        DecayShape::Cliff => 1.0,
    };
    strength * agreement.min(1.0)
}

/// The share of concordant less that of discordant pairs (ties left out) of the believed density with small costs of the belief's objective, over
/// all pairs of configurations that share a fidelity, each at the highest such; and the number of
/// configurations that have a partner.
fn rank_agreement(belief: &Belief, log: &FidelityLog) -> (f64, usize) {
    struct Row {
        ln_density: f64,
        costs: Vec<(u64, f64)>,
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut index: HashMap<&UnitPoint, usize> = HashMap::new();
    for entry in log.entries() {
        let Some(cost) = entry.costs.get(belief.objective()).copied().flatten() else {
            continue;
        };
        let at = *index.entry(&entry.point).or_insert_with(|| {
            rows.push(Row {
                ln_density: belief.ln_density(&entry.point),
                costs: Vec::new(),
            });
            rows.len() - 1
        });
        // Bits of positive numbers are ordered like the numbers.
        let fidelity = entry.fidelity.value().to_bits();
        match rows[at].costs.iter_mut().find(|(f, _)| *f == fidelity) {
            Some(known) => known.1 = cost,
            None => rows[at].costs.push((fidelity, cost)),
        }
    }
    let common = |a: &Row, b: &Row| {
        let shared = a.costs.iter().filter_map(|&(f, cost)| {
            let other = b.costs.iter().find(|(g, _)| *g == f)?;
            Some((f, cost, other.1))
        });
        shared.max_by_key(|(f, _, _)| *f)
    };
    let (mut pairs, mut balance) = (0.0, 0.0);
    let mut partnered = vec![false; rows.len()];
    for i in 0..rows.len() {
        for j in 0..i {
            let Some((_, a, b)) = common(&rows[i], &rows[j]) else {
                continue;
            };
            (partnered[i], partnered[j]) = (true, true);
            let denser = sign(rows[i].ln_density, rows[j].ln_density);
            let better = sign(b, a);
            if denser != 0 && better != 0 {
                pairs += 1.0;
                balance += f64::from(denser * better);
            }
        }
    }
    let count = partnered.into_iter().filter(|&p| p).count();
    if pairs > 0.0 {
        (balance / pairs, count)
    } else {
        (0.0, 0)
    }
}

fn sign(a: f64, b: f64) -> i32 {
    i32::from(a > b) - i32::from(a < b)
}

#[cfg(test)]
mod tests {
    use warmfront_core::{
        Candidate, Costs, Fidelity, FidelityRange, Observation, Outcome, SearchSpace, TrialId,
    };

    use super::*;

    /// A one-dimensional log; each row is (x, budget of 9, cost).
    fn log(rows: &[(f64, u32, f64)]) -> FidelityLog {
        let space = SearchSpace::builder()
            .param("x0", warmfront_core::Domain::real(0.0, 1.0))
            .fidelity(FidelityRange::integer("epoch", 1, 9).unwrap())
            .build()
            .unwrap();
        let mut log = FidelityLog::new(&space, 1);
        for (trial, &(x, budget, cost)) in (0..).zip(rows) {
            let fidelity = Fidelity::new(f64::from(budget) / 9.0).unwrap();
            log.extend(&[Observation {
                trial: TrialId(trial),
                candidate: Candidate::at(UnitPoint::clamped([x])).with_fidelity(fidelity),
                outcome: Outcome::Complete(Costs::from_values(vec![cost]).unwrap()),
            }])
            .unwrap();
        }
        log
    }

    fn belief() -> Belief {
        Belief::uniform(&SearchSpace::unit_cube(1), 0)
            .with("x0", 0.0, 0.75)
            .unwrap()
    }

    #[test]
    fn pairs_are_compared_where_both_were_evaluated() {
        let belief = belief();
        let close = |found: (f64, usize), tau: f64, count: usize| {
            assert!(
                (found.0 - tau).abs() < 1e-12 && found.1 == count,
                "{found:?}"
            );
        };
        close(rank_agreement(&belief, &log(&[])), 0.0, 0);
        close(
            rank_agreement(&belief, &log(&[(0.1, 1, 5.0), (0.2, 9, 1.0)])),
            0.0,
            0,
        );
        let agreeing = log(&[(0.1, 1, 1.0), (0.2, 1, 2.0), (0.3, 1, 3.0)]);
        close(rank_agreement(&belief, &agreeing), 1.0, 3);
        // At full fidelity the order of the first two turns.
        let turned = log(&[
            (0.1, 1, 1.0),
            (0.2, 1, 2.0),
            (0.3, 1, 3.0),
            (0.1, 9, 4.0),
            (0.2, 9, 3.5),
        ]);
        close(rank_agreement(&belief, &turned), 1.0 / 3.0, 3);
    }

    #[test]
    fn evidence_weakens_what_misleads_and_prolongs_what_holds() {
        let belief = belief();
        let decay = PriorDecay::default();
        let trust = PriorTrust::evidence();
        let good: Vec<_> = (0..8)
            .map(|i| (0.1 * f64::from(i), 1, f64::from(i)))
            .collect();
        let bad: Vec<_> = good.iter().map(|&(x, z, cost)| (x, z, -cost)).collect();
        let at =
            |trust, rows: &[(f64, u32, f64)], n| exponent(&decay, trust, &belief, &log(rows), n, 4);
        assert!(at(trust, &bad, 0) <= 0.0);
        assert!(at(trust, &good, 3) > at(PriorTrust::Fixed, &good, 3));
        assert!((at(trust, &[], 2) - (-1.0_f64).exp()).abs() < 1e-12);
        assert!((at(PriorTrust::Fixed, &bad, 2) - (-1.0_f64).exp()).abs() < 1e-12);
        assert!(
            at(PriorTrust::Fixed, &[], 7) <= 0.0,
            "49/4 is past the cut-off"
        );
        let cliff = PriorDecay {
            shape: DecayShape::Cliff,
            ..decay
        };
        let full = |n| exponent(&cliff, PriorTrust::Fixed, &belief, &log(&[]), n, 4);
        assert!((full(6) - 1.0).abs() < 1e-12 && full(7) <= 0.0);
    }
}
