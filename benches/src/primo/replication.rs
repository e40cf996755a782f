//! Our runs of the published variant against the published curves.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::curves::Curves;

/// The variant that is compared.
pub const METHOD: &str = "primo-as-run";
/// So many combined standard errors count as agreement.
pub const WITHIN: f64 = 2.0;

#[derive(Debug, Deserialize)]
struct Published {
    cells: Vec<PublishedCell>,
}

#[derive(Debug, Deserialize)]
struct PublishedCell {
    task: String,
    condition: String,
    at: usize,
    mean: f64,
    sem: f64,
}

/// One published number beside ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replicated {
    /// Name of the problem.
    pub problem: String,
    /// Quality of the prior on cross-entropy, then on time.
    pub condition: String,
    /// After how many counted evaluations.
    pub at: usize,
    /// Published mean hypervolume.
    pub published: f64,
    /// Its standard error.
    pub published_error: f64,
    /// Our mean hypervolume.
    pub ours: f64,
    /// Its standard error.
    pub our_error: f64,
    /// Number of our seeds.
    pub seeds: usize,
}

impl Replicated {
    /// Our mean minus the published one, in combined standard errors; NaN for a single seed.
    #[must_use]
    pub fn distance(&self) -> f64 {
        (self.ours - self.published) / self.published_error.hypot(self.our_error)
    }

    /// Whether the difference is within [`WITHIN`] combined standard errors.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.distance().abs() <= WITHIN
    }
}

/// All published numbers for which we have runs.
///
/// # Errors
/// If the published numbers cannot be read.
pub fn replicate(all: &[Curves]) -> anyhow::Result<Vec<Replicated>> {
    let text = include_str!("../../data/primo_published_hv.json");
    let published: Published = serde_json::from_str(text).context("the published curves")?;
    let ours = |cell: PublishedCell| {
        let problem = format!("lcbench-{}", cell.task);
        let method = format!("{METHOD}@{}", cell.condition);
        let curves = all.iter().find(|c| c.entry.problem == problem)?;
        let (ours, our_error) = curves.at(&method, cell.at)?;
        Some(Replicated {
            seeds: curves.method(&method)?.len(),
            problem,
            condition: cell.condition,
            at: cell.at,
            published: cell.mean,
            published_error: cell.sem,
            ours,
            our_error,
        })
    };
    Ok(published.cells.into_iter().filter_map(ours).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_numbers_are_all_there() {
        let text = include_str!("../../data/primo_published_hv.json");
        let published: Published = serde_json::from_str(text).expect("valid");
        assert_eq!(published.cells.len(), 32);
        let good =
            |c: &&PublishedCell| c.task == "126026" && c.condition == "good-good" && c.at == 20;
        let cell = published.cells.iter().find(good).expect("there");
        assert!((cell.mean - 109.4).abs() < 0.05, "{}", cell.mean);
    }

    #[test]
    fn agreement_is_within_two_combined_errors() {
        let check = |ours: f64, agrees| {
            let cell = Replicated {
                problem: "p".into(),
                condition: "good-good".into(),
                at: 10,
                published: 100.0,
                published_error: 3.0,
                ours,
                our_error: 4.0,
                seeds: 25,
            };
            assert_eq!(cell.agrees(), agrees, "{ours}");
        };
        check(109.9, true);
        check(110.1, false);
        check(89.0, false);
        check(f64::NAN, false);
    }
}
