//! What the experts of an experiment believe.

use std::collections::HashMap;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use warmfront_core::{Belief, Beliefs, Config, Domain, SearchSpace};
use warmfront_problems::ExpertQuality;

use crate::profile::base_name;

/// Confidence of the published experiments.
pub const CONFIDENCE: f64 = 0.75;

/// How good the priors of a run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Good for every objective.
    Good,
    /// Good for one objective, which alternates with the seed, bad for the others.
    Mixed,
    /// Bad for every objective.
    Misleading,
    /// Bad for every objective, and held with great confidence.
    Overconfident,
    /// Said objective by objective, as in the published experiments with two.
    Pair([ExpertQuality; 2]),
}

const NAMED: [(&str, Condition); 8] = [
    ("good", Condition::Good),
    ("mixed", Condition::Mixed),
    ("misleading", Condition::Misleading),
    ("overconfident", Condition::Overconfident),
    (
        "good-good",
        Condition::Pair([ExpertQuality::Good, ExpertQuality::Good]),
    ),
    (
        "good-bad",
        Condition::Pair([ExpertQuality::Good, ExpertQuality::Bad]),
    ),
    (
        "bad-good",
        Condition::Pair([ExpertQuality::Bad, ExpertQuality::Good]),
    ),
    (
        "bad-bad",
        Condition::Pair([ExpertQuality::Bad, ExpertQuality::Bad]),
    ),
];

impl Condition {
    /// The condition with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(name: &str) -> anyhow::Result<Self> {
        let known = NAMED.iter().find(|(n, _)| *n == name);
        let names = || NAMED.map(|(n, _)| n).join(", ");
        known
            .map(|(_, condition)| *condition)
            .with_context(|| format!("unknown condition `{name}`; there are: {}", names()))
    }

    /// The condition of `METHOD@CONDITION`; `None` without one.
    ///
    /// # Errors
    /// When there is no such condition.
    pub fn of(method: &str) -> anyhow::Result<Option<Self>> {
        let suffix = method.strip_prefix(base_name(method)).unwrap_or("");
        suffix.strip_prefix('@').map(Self::find).transpose()
    }

    /// Whether runs are counted as in the published plots: those of the replication are.
    #[must_use]
    pub fn counts_as_published(self) -> bool {
        matches!(self, Self::Pair(_))
    }

    /// How good each objective's prior is.
    ///
    /// # Errors
    /// When the condition names two objectives and there is another number.
    pub fn qualities(self, objectives: usize, seed: u32) -> anyhow::Result<Vec<ExpertQuality>> {
        let all = |quality| Ok(vec![quality; objectives]);
        match self {
            Self::Good => all(ExpertQuality::Good),
            Self::Misleading => all(ExpertQuality::Bad),
            Self::Overconfident => all(ExpertQuality::Overconfident),
            Self::Mixed => {
                let good = seed as usize % 2;
                let pick = |o: usize| match o {
                    o if o == good => ExpertQuality::Good,
                    _ => ExpertQuality::Bad,
                };
                Ok((0..objectives).map(pick).collect())
            }
            Self::Pair(qualities) => {
                ensure!(
                    objectives == 2,
                    "priors for two objectives on a problem with {objectives}"
                );
                Ok(qualities.to_vec())
            }
        }
    }
}

/// How a condition is introduced to a reader.
#[must_use]
pub fn describe(condition: &str) -> &'static str {
    match condition {
        "good" => "good priors",
        "mixed" => {
            "mixed priors (good for one objective, which alternates with the seed, bad for the other)"
        }
        "misleading" => "misleading priors (centred on the worst point for every objective)",
        "overconfident" => "over-confident priors (misleading, with a standard deviation of 0.01)",
        _ => "priors",
    }
}

type Centres = HashMap<String, HashMap<String, HashMap<String, HashMap<String, f64>>>>;

#[derive(Debug, Deserialize)]
struct Published {
    centres: Centres,
}

/// The published centres of one LCBench task, for one expert per objective; the over-confident are
/// sure of the bad ones.
///
/// # Errors
/// When the task or an objective has none.
pub fn published(
    task: &str,
    space: &SearchSpace,
    objectives: &[&str],
    qualities: &[ExpertQuality],
) -> anyhow::Result<Beliefs> {
    let text = include_str!("../../data/primo_lcbench_priors.json");
    let published: Published = serde_json::from_str(text).context("the published priors")?;
    let mut beliefs = Vec::new();
    for (index, (objective, quality)) in objectives.iter().zip(qualities).enumerate() {
        let (kind, confidence) = match quality {
            ExpertQuality::Good => ("good", CONFIDENCE),
            ExpertQuality::Overconfident => ("bad", ExpertQuality::OVERCONFIDENCE),
            ExpertQuality::Bad => ("bad", CONFIDENCE),
            ExpertQuality::Medium => bail!("no medium priors are published here"),
        };
        let centre = published
            .centres
            .get(task)
            .and_then(|c| c.get(*objective)?.get(kind))
            .with_context(|| format!("no published prior for {objective} on {task}"))?;
        let mut config = Config::new();
        for parameter in space.parameters().iter().filter(|p| !p.coords().is_empty()) {
            let name = parameter.name();
            let value = *centre
                .get(name)
                .with_context(|| format!("the published prior on {task} lacks `{name}`"))?;
            config = match parameter.domain() {
                Domain::Integer { .. } => config.with(name, value as i64),
                _ => config.with(name, value),
            };
        }
        beliefs.push(Belief::new(space, index, &config, confidence)?);
    }
    Ok(Beliefs::new(objectives.len(), beliefs)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_say_how_good_each_prior_is() {
        use ExpertQuality::{Bad, Good, Overconfident};
        let check = |method: &str, seed, expected: &[ExpertQuality]| {
            let condition = Condition::of(method).expect("known").expect("has one");
            let got = condition.qualities(expected.len(), seed).expect("fits");
            assert_eq!(got, expected, "{method} seed {seed}");
        };
        check("primo@good", 0, &[Good, Good]);
        check("primo@misleading", 0, &[Bad, Bad, Bad]);
        check("primo@overconfident", 1, &[Overconfident, Overconfident]);
        check("primo@mixed", 0, &[Good, Bad]);
        check("primo@mixed", 3, &[Bad, Good]);
        check("primo@mixed", 2, &[Good]);
        check("primo@bad-good", 2, &[Bad, Good]);
        assert_eq!(Condition::of("random").expect("none"), None);
        assert!(Condition::of("primo@best").is_err());
        let pair = Condition::find("good-bad").expect("known");
        assert!(pair.counts_as_published() && pair.qualities(3, 0).is_err());
        assert!(!Condition::Good.counts_as_published());
    }
}
