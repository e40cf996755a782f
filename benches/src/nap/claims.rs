//! What is claimed of the policy, each decided by a stated rule.

use super::controls::Loop;
use super::study::{Duel, Group, duels};
use crate::claims::{Claim, LEVEL, Verdict, p_text};

/// Evaluations at which the claims are made.
const AT: [u32; 3] = [25, 50, 100];

/// Whom the policy must beat.
const RIVALS: [(&str, &str); 4] = [
    ("random", "beats random search"),
    (
        "np-ei",
        "beats the same network with expected improvement and no reinforcement learning",
    ),
    ("portfolio", "beats the static portfolio"),
    (
        "nap-shuffled",
        "is better than itself with a shuffled history: it uses what it sees",
    ),
];

const RULE: &str = "holds when the mean normalised regret is lower and the signed-rank test over tasks and \
                    seeds is significant after Holm's correction over the methods; does not hold when \
                    significantly worse";

/// All claims about `reference` that a group speaks to.
#[must_use]
pub fn decide(group: &Group<'_>, reference: &str, loops: &[Loop]) -> Vec<Claim> {
    let duels = duels(group, reference);
    let mut claims = Vec::new();
    for (rival, statement) in RIVALS {
        for at in AT {
            if let Some(duel) = duels.iter().find(|d| d.method == rival && d.at == at) {
                claims.push(Claim {
                    statement: format!("NAP {statement}"),
                    source: "mean normalised regret on held-out tasks",
                    rule: RULE,
                    problem: group.entry.problem.clone(),
                    verdict: verdict(duel),
                    test: Some(duel.pairs),
                    note: note(duel),
                });
            }
        }
    }
    let of = |method: &str| loops.iter().find(|l| l.method == method);
    if let (Some(own), Some(list)) = (of(reference), of("portfolio"))
        && list.overlap.is_finite()
    {
        claims.push(Claim {
            statement: "NAP is not open-loop".into(),
            source: "the first twenty queries from different starts on the same task",
            rule: "holds when runs share less than half as large a part of their queries as those of the \
                   portfolio, does not hold when they share nine tenths of it",
            problem: group.entry.problem.clone(),
            verdict: match own.overlap / list.overlap {
                part if part < 0.5 => Verdict::Holds,
                part if part > 0.9 => Verdict::Fails,
                _ => Verdict::Open,
            },
            test: None,
            note: format!(
                "overlap {:.2}, portfolio {:.2}",
                own.overlap, list.overlap
            ),
        });
    }
    claims
}

fn verdict(duel: &Duel) -> Verdict {
    let (test, p) = &duel.pairs;
    match (*p < LEVEL, test.direction) {
        (true, std::cmp::Ordering::Less) if duel.difference < 0.0 => Verdict::Holds,
        (true, std::cmp::Ordering::Greater) => Verdict::Fails,
        _ => Verdict::Open,
    }
}

fn note(duel: &Duel) -> String {
    let (tasks, p) = &duel.tasks;
    format!(
        "after {}: mean difference {:+.4}; by task {} : {}, p {}",
        duel.at,
        duel.difference,
        tasks.wins,
        tasks.losses,
        p_text(*p)
    )
    .replace('-', "−")
}
