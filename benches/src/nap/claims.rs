//! What is claimed of the policy, each decided by a stated rule.

use std::cmp::Ordering;

use super::controls::Loop;
use super::study::{Duel, Group, duels};
use crate::claims::{Claim, FEWEST_PAIRS, Verdict, p_text};

/// Evaluations at which the claims are made.
const AT: [u32; 3] = [25, 50, 100];

/// Whom the policy must beat.
const RIVALS: [(&str, &str); 8] = [
    ("random", "beats random search"),
    (
        "gp-logei",
        "beats a Gaussian process of the evaluations alone",
    ),
    ("smog", "beats Gaussian processes of the training tables"),
    (
        "np-ei",
        "beats the network of the warm-up with expected improvement",
    ),
    (
        "np-ei-long",
        "beats the network of a warm-up three times as long with expected improvement",
    ),
    (
        "nap-ei",
        "beats the expected improvement of its own network: the learned acquisition matters",
    ),
    ("portfolio", "beats the static portfolio"),
    (
        "nap-shuffled",
        "is better than itself with a shuffled history: it uses what it sees",
    ),
];

const RULE: &str = "holds when the mean normalised regret is lower and two signed-rank tests are \
                    significant, over tasks and seeds and over the tasks' means, each after Holm's \
                    correction over methods and evaluations; does not hold when both say worse";

/// All claims about `reference` that a group speaks to.
#[must_use]
pub fn decide(group: &Group<'_>, reference: &str, loops: &[Loop]) -> Vec<Claim> {
    let mut claims = Vec::new();
    // Of so few tasks nothing can be said about others.
    if group.tasks() < FEWEST_PAIRS {
        return claims;
    }
    let duels = duels(group, reference);
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
    match duel.decided() {
        Some(Ordering::Less) => Verdict::Holds,
        Some(_) => Verdict::Fails,
        None => Verdict::Open,
    }
}

fn note(duel: &Duel) -> String {
    let (tasks, p) = &duel.tasks;
    format!(
        "after {}: mean difference {:+.4}, p {}; by task {} : {}, p {}",
        duel.at,
        duel.difference,
        p_text(duel.pairs.1),
        tasks.wins,
        tasks.losses,
        p_text(*p)
    )
    .replace('-', "−")
}
