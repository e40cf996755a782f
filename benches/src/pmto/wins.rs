//! "Significantly better in k of n quantiles": a quantile of the answers on a problem is a cell, and
//! in each cell the runs of two methods are compared by the rank-sum test.

use serde::Serialize;

use super::measure::QUANTILES;
use super::methods::recipes;
use super::study::{Group, Moments, Study};
use crate::claims::LEVEL;
use crate::stats::{RankSum, rank_sum};

/// Outcome over several cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Cells in which the first is significantly better.
    pub better: usize,
    /// Cells in which the second is.
    pub worse: usize,
    /// All cells.
    pub cells: usize,
}

impl Count {
    fn add(&mut self, test: RankSum) {
        self.cells += 1;
        self.better += usize::from(test.wins(LEVEL));
        self.worse += usize::from(test.loses(LEVEL));
    }
}

/// How the recipes of a comparison are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This one for both.
    Same(&'static str),
    /// For each method on each problem the one with the least mean of medians.
    Best,
}

impl Choice {
    /// Every recipe, and the best.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let same = recipes().map(|r| Self::Same(r.name));
        same.into_iter().chain([Self::Best]).collect()
    }

    /// For tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Same(recipe) => recipe,
            Self::Best => "best",
        }
    }

    fn of(self, study: &Study<'_>, group: &Group, method: &str) -> Option<&'static str> {
        match self {
            Self::Same(recipe) => Some(recipe),
            Self::Best => study.best_recipe(group, method),
        }
    }
}

/// Compares two methods over all cells that both have.
#[must_use]
pub fn count(study: &Study<'_>, groups: &[&Group], pair: [&str; 2], choice: Choice) -> Count {
    let mut count = Count::default();
    for group in groups {
        let [Some(a), Some(b)] = pair.map(|m| choice.of(study, group, m)) else {
            continue;
        };
        count_cells(study, group, [(pair[0], a), (pair[1], b)], &mut count);
    }
    count
}

/// Compares a method with a recipe to another with another.
#[must_use]
pub fn count_with(study: &Study<'_>, groups: &[&Group], pair: [(&str, &str); 2]) -> Count {
    let mut count = Count::default();
    for group in groups {
        count_cells(study, group, pair, &mut count);
    }
    count
}

fn count_cells(study: &Study<'_>, group: &Group, pair: [(&str, &str); 2], count: &mut Count) {
    for q in QUANTILES {
        let [ours, theirs] = pair.map(|side| study.quantile(group, side, None, q));
        if !ours.is_empty() && !theirs.is_empty() {
            count.add(rank_sum(&ours, &theirs));
        }
    }
}

/// A cell of one method against the best of the others in this cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Duel {
    /// Name of the problem.
    pub problem: String,
    /// In per cent.
    pub quantile: u32,
    /// Mean and deviation of the method.
    pub ours: Moments,
    /// The rival with the least mean.
    pub rival: String,
    /// Its recipe.
    pub recipe: &'static str,
    /// Its mean and deviation.
    pub theirs: Moments,
    /// The comparison.
    pub test: RankSum,
}

/// A method with a recipe (its best, if none is given) in every cell against the rival and recipe
/// with the least mean in this cell.
#[must_use]
pub fn duels(
    study: &Study<'_>,
    groups: &[&Group],
    (method, recipe): (&str, Option<&'static str>),
    rivals: &[&str],
) -> Vec<Duel> {
    let mut duels = Vec::new();
    for group in groups {
        let Some(recipe) = recipe.or_else(|| study.best_recipe(group, method)) else {
            continue;
        };
        for quantile in QUANTILES {
            duels.extend(duel(study, group, (method, recipe), rivals, quantile));
        }
    }
    duels
}

fn duel(
    study: &Study<'_>,
    group: &Group,
    own: (&str, &str),
    rivals: &[&str],
    quantile: u32,
) -> Option<Duel> {
    let ours = study.quantile(group, own, None, quantile);
    let recipes = recipes();
    let sides = rivals
        .iter()
        .flat_map(|m| recipes.iter().map(move |r| (*m, r.name)));
    let (side, values, theirs) = sides
        .filter_map(|side| {
            let values = study.quantile(group, side, None, quantile);
            let moments = Moments::of(&values)?;
            Some((side, values, moments))
        })
        .min_by(|a, b| a.2.mean.total_cmp(&b.2.mean))?;
    Some(Duel {
        problem: group.problem.clone(),
        quantile,
        ours: Moments::of(&ours)?,
        rival: side.0.to_owned(),
        recipe: side.1,
        theirs,
        test: rank_sum(&ours, &values),
    })
}

/// In how many cells some rival with some recipe is significantly better than a method with a recipe (its
/// best, if none is given).
///
/// A rival with the least mean need not be the one with the best ranks. No correction for the number of
/// tests: of many pairs some win by chance.
#[must_use]
pub fn lost_to_any(
    study: &Study<'_>,
    groups: &[&Group],
    (method, recipe): (&str, Option<&'static str>),
    rivals: &[&str],
) -> usize {
    let mut lost = 0;
    for group in groups {
        let Some(recipe) = recipe.or_else(|| study.best_recipe(group, method)) else {
            continue;
        };
        for quantile in QUANTILES {
            let ours = study.quantile(group, (method, recipe), None, quantile);
            let better = |side: (&str, &str)| {
                let theirs = study.quantile(group, side, None, quantile);
                !theirs.is_empty() && rank_sum(&ours, &theirs).loses(LEVEL)
            };
            let any = rivals
                .iter()
                .any(|m| recipes().iter().any(|r| better((m, r.name))));
            lost += usize::from(!ours.is_empty() && any);
        }
    }
    lost
}
