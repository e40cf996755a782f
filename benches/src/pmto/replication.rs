//! Our runs of the published methods beside the released ones.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::measure::QUANTILES;
use super::study::{AS_RUN, Group, Moments, PUBLISHED_RECIPE, RELEASED, Study};
use crate::profile::Section;

/// So many combined standard deviations count as agreement.
pub const WITHIN: f64 = 2.0;

#[derive(Debug, Deserialize)]
struct Published {
    rows: Vec<PublishedRow>,
}

#[derive(Debug, Deserialize)]
struct PublishedRow {
    problem: String,
    method: String,
    recipe: String,
    mean: [f64; 5],
    sd: [f64; 5],
}

/// One published number beside ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replicated {
    /// Name of the problem.
    pub problem: String,
    /// Name of our method.
    pub method: String,
    /// Name of the recipe.
    pub recipe: String,
    /// In per cent.
    pub quantile: u32,
    /// Published mean.
    pub published: f64,
    /// Its standard deviation over trials.
    pub published_sd: f64,
    /// Our mean.
    pub ours: f64,
    /// Its standard deviation over seeds.
    pub our_sd: f64,
    /// Number of our seeds.
    pub seeds: usize,
}

impl Replicated {
    /// Our mean minus the published one in combined standard deviations; NaN for a single seed.
    #[must_use]
    pub fn distance(&self) -> f64 {
        (self.ours - self.published) / self.published_sd.hypot(self.our_sd)
    }

    /// Whether the difference is within [`WITHIN`] combined standard deviations.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.distance().abs() <= WITHIN
    }

    /// Whether ours is lower by more than that.
    #[must_use]
    pub fn is_better(&self) -> bool {
        self.distance() < -WITHIN
    }

    /// Whether it is what the published figures show of the method itself.
    #[must_use]
    pub fn is_headline(&self) -> bool {
        self.method == RELEASED && self.recipe == PUBLISHED_RECIPE
    }
}

/// All published numbers for which we have runs, by problem, method and recipe.
///
/// # Errors
/// If the published numbers cannot be read.
pub fn replicate(study: &Study<'_>) -> anyhow::Result<Vec<Replicated>> {
    let text = include_str!("../../data/pmto_published_quantiles.json");
    let published: Published = serde_json::from_str(text).context("the published quantiles")?;
    let mut all = Vec::new();
    for row in &published.rows {
        let names: &[&str] = match row.method.as_str() {
            "PMTO" => &[RELEASED, AS_RUN],
            "RT" => &["pmto-rt"],
            // Published with β = 1, compared with all others at β = 0.5.
            "FT" => &["pmto-ft-beta1", "pmto-ft"],
            "SELF" => &["self"],
            // The released runs of ST have β = 50.
            _ => &[],
        };
        for name in names {
            all.extend(beside(study, row, name));
        }
    }
    Ok(all)
}

fn beside(study: &Study<'_>, row: &PublishedRow, method: &str) -> Vec<Replicated> {
    let here = |g: &&Group| {
        let section = matches!(g.section, Section::Main | Section::Replication);
        section && g.problem == row.problem && !study.runs(g, method).is_empty()
    };
    let Some(group) = study.groups.iter().find(here) else {
        return Vec::new();
    };
    let of = |(index, quantile): (usize, u32)| {
        let values = study.quantile(group, (method, &row.recipe), None, quantile);
        let Moments { mean, sd } = Moments::of(&values)?;
        Some(Replicated {
            problem: row.problem.clone(),
            method: method.to_owned(),
            recipe: row.recipe.clone(),
            quantile,
            published: row.mean[index],
            published_sd: row.sd[index],
            ours: mean,
            our_sd: sd,
            seeds: values.len(),
        })
    };
    QUANTILES.into_iter().enumerate().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_numbers_are_all_there() {
        let text = include_str!("../../data/pmto_published_quantiles.json");
        let published: Published = serde_json::from_str(text).expect("valid");
        // Five methods with three recipes on eight problems, without ST on two.
        assert_eq!(published.rows.len(), 3 * (5 * 8 - 2));
        let headline = |r: &&PublishedRow| {
            r.problem == "rastrigin-i" && r.method == "PMTO" && r.recipe == "ard70"
        };
        let row = published.rows.iter().find(headline).expect("there");
        assert!((row.mean[2] - 57.4).abs() < 0.05 && (row.sd[2] - 4.61).abs() < 0.005);
    }

    #[test]
    fn agreement_is_within_two_combined_deviations() {
        let check = |ours: f64, agrees, better| {
            let cell = Replicated {
                problem: "p".into(),
                method: RELEASED.into(),
                recipe: PUBLISHED_RECIPE.into(),
                quantile: 50,
                published: 100.0,
                published_sd: 3.0,
                ours,
                our_sd: 4.0,
                seeds: 5,
            };
            assert_eq!(
                (cell.agrees(), cell.is_better()),
                (agrees, better),
                "{ours}"
            );
            assert!(cell.is_headline());
        };
        check(109.9, true, false);
        check(110.1, false, false);
        check(89.0, false, true);
        check(f64::NAN, false, false);
    }
}
