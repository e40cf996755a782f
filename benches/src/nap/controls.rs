//! Does a method use what it sees? How alike its queries are from different starts, and how near to the
//! best observation they lie.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use serde::Serialize;
use warmfront_core::{Purpose, Seed};

use super::families::Hall;
use super::lab::INITIAL;
use super::study::{Group, Runs, over_tasks};
use super::task::squared_distance;
use crate::stats;

/// Queries after the shared start whose sets are compared.
const EARLY: usize = 20;

/// How open-loop a method is on one family.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loop {
    /// The family.
    pub problem: String,
    /// The method.
    pub method: String,
    /// Mean share of common rows among the first twenty queries of two runs on the same task from
    /// different starts (Jaccard): 1 if outcomes and starts do not matter.
    pub overlap: f64,
    /// Share of steps at which two such runs ask for the very same row.
    pub same_step: f64,
    /// Mean place of the best observation so far among all observed rows, ordered by their distance from
    /// the query, from 0 (nearest) to 1.
    ///
    /// Good rows lie in the same regions on many tasks: a fixed list is near them, too. What a method owes
    /// to outcomes is its difference from one that knows the regions and not the outcomes.
    pub incumbent_place: f64,
    /// Its standard error over tasks.
    pub incumbent_error: f64,
    /// By how much it is larger than that of the policy with a shuffled history, over the same runs.
    pub incumbent_less_shuffled: f64,
    /// Its standard error over tasks.
    pub incumbent_less_shuffled_error: f64,
    /// By how much it is larger than that of the portfolio, over the same runs.
    pub incumbent_less_portfolio: f64,
    /// Its standard error over tasks.
    pub incumbent_less_portfolio_error: f64,
    /// Mean rank correlation between the distance of observed rows from the query and their cost:
    /// positive if queries lie near good rows.
    pub correlation: f64,
    /// Its standard error over tasks.
    pub correlation_error: f64,
    /// By how much it is larger than that of the policy with a shuffled history, over the same runs.
    pub correlation_less_shuffled: f64,
    /// Its standard error over tasks.
    pub correlation_less_shuffled_error: f64,
    /// By how much it is larger than that of the portfolio, over the same runs.
    pub correlation_less_portfolio: f64,
    /// Its standard error over tasks.
    pub correlation_less_portfolio_error: f64,
    /// Runs.
    pub runs: usize,
}

/// The measures of each method on a family of tables.
#[must_use]
pub fn loops(group: &Group<'_>, hall: Option<&Hall>) -> Vec<Loop> {
    let measured: Vec<(&String, Rows, Near)> = group
        .methods
        .iter()
        .filter_map(|(method, runs)| {
            let rows = rows_of(runs)?;
            let near = hall.map_or_else(Near::new, |hall| nearness(hall, &rows));
            Some((method, rows, near))
        })
        .collect();
    let nothing = Near::new();
    let of = |name: &str| {
        let found = measured.iter().find(|(method, ..)| *method == name);
        found.map_or(&nothing, |(.., near)| near)
    };
    let one = |(method, rows, near): &(&String, Rows, Near)| -> Loop {
        let (overlap, same_step) = alike(rows);
        let mean = |which: fn(&[f64; 2]) -> f64| {
            over_tasks(near.iter().map(|(key, values)| (*key, which(values))))
        };
        let less = |name: &str, which: fn(&[f64; 2]) -> f64| {
            let other = of(name);
            let differences = near.iter().filter_map(|(key, values)| {
                let other = other.get(key).filter(|_| *method != name)?;
                Some((*key, which(values) - which(other)))
            });
            over_tasks(differences)
        };
        let place: fn(&[f64; 2]) -> f64 = |v| v[0];
        let rank: fn(&[f64; 2]) -> f64 = |v| v[1];
        let (incumbent_place, incumbent_error) = mean(place);
        let (incumbent_less_shuffled, incumbent_less_shuffled_error) = less("nap-shuffled", place);
        let (incumbent_less_portfolio, incumbent_less_portfolio_error) = less("portfolio", place);
        let (correlation, correlation_error) = mean(rank);
        let (correlation_less_shuffled, correlation_less_shuffled_error) =
            less("nap-shuffled", rank);
        let (correlation_less_portfolio, correlation_less_portfolio_error) =
            less("portfolio", rank);
        Loop {
            problem: group.entry.problem.clone(),
            method: (*method).clone(),
            overlap,
            same_step,
            incumbent_place,
            incumbent_error,
            incumbent_less_shuffled,
            incumbent_less_shuffled_error,
            incumbent_less_portfolio,
            incumbent_less_portfolio_error,
            correlation,
            correlation_error,
            correlation_less_shuffled,
            correlation_less_shuffled_error,
            correlation_less_portfolio,
            correlation_less_portfolio_error,
            runs: rows.len(),
        }
    };
    measured.iter().map(one).collect()
}

type Rows = BTreeMap<(u32, u32), Vec<usize>>;

/// For each run the place of the incumbent and the correlation with costs.
type Near = BTreeMap<(u32, u32), [f64; 2]>;

/// The queried rows of each run; none if tasks are no tables.
fn rows_of(runs: &Runs<'_>) -> Option<Rows> {
    let rows: Rows = runs
        .iter()
        .filter_map(|(key, result)| {
            let rows: Option<Vec<usize>> = result
                .steps
                .iter()
                .map(|s| s.row.map(|row| row as usize))
                .collect();
            Some((*key, rows?))
        })
        .collect();
    (!rows.is_empty()).then_some(rows)
}

/// Means over pairs of runs on the same task.
fn alike(rows: &Rows) -> (f64, f64) {
    let (mut overlap, mut same) = (Vec::new(), Vec::new());
    let own = |all: &'_ [usize]| all.iter().skip(INITIAL).copied().collect::<Vec<_>>();
    for ((task, seed), first) in rows {
        for ((_, _), second) in rows.range((*task, seed + 1)..(*task + 1, 0)) {
            let (a, b) = (own(first), own(second));
            let length = a.len().min(b.len());
            if length == 0 {
                continue;
            }
            let set = |v: &[usize]| v.iter().take(EARLY).copied().collect::<BTreeSet<_>>();
            let (left, right) = (set(&a), set(&b));
            let common = left.intersection(&right).count() as f64;
            overlap.push(common / left.union(&right).count() as f64);
            let equal = a.iter().zip(&b).filter(|(x, y)| x == y).count();
            same.push(equal as f64 / length as f64);
        }
    }
    (
        stats::mean_and_error(&overlap).0,
        stats::mean_and_error(&same).0,
    )
}

fn nearness(hall: &Hall, rows: &Rows) -> Near {
    let mut out = Near::new();
    for (key @ (task, _), queries) in rows {
        let Ok(ground) = hall.ground(*task) else {
            continue;
        };
        let Some(table) = ground.rows() else { continue };
        if queries.iter().any(|row| *row >= table.len()) {
            continue;
        }
        let (mut places, mut correlations) = (Vec::new(), Vec::new());
        for t in INITIAL..queries.len() {
            let (seen, query) = (&queries[..t], table.row(queries[t]));
            let costs: Vec<f64> = seen.iter().map(|&row| table.costs[row]).collect();
            let distances: Vec<f64> = seen
                .iter()
                .map(|&row| squared_distance(table.row(row), query))
                .collect();
            let best = (0..t).min_by(|&a, &b| costs[a].total_cmp(&costs[b]));
            let Some(best) = best else { continue };
            let ranks = stats::ranks(&distances);
            places.push((ranks[best] - 1.0) / (t as f64 - 1.0));
            let correlation = stats::rank_correlation(&distances, &costs);
            if correlation.is_finite() {
                correlations.push(correlation);
            }
        }
        if !places.is_empty() {
            let mean = |v: &[f64]| stats::mean_and_error(v).0;
            out.insert(*key, [mean(&places), mean(&correlations)]);
        }
    }
    out
}

/// The number of records of random runs beside the closed forms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Records {
    /// Table, or what was drawn.
    pub values: String,
    /// Evaluations.
    pub evaluations: usize,
    /// Mean number of records of random runs.
    pub random: f64,
    /// Its standard error.
    pub error: f64,
    /// By the closed form for this table and runs without replacement.
    pub exact: f64,
    /// By H_T, without ties.
    pub harmonic: f64,
}

/// Random runs that each count is a mean of.
const RUNS: u64 = 4000;

/// Checks Lemma 3.1 on the first test tables of a family, and on distinct values.
#[must_use]
pub fn records(hall: Option<&Hall>) -> Vec<Records> {
    let mut tables: Vec<(String, Vec<f64>)> = Vec::new();
    let mut rng = Seed(31).stream(Purpose::Init, 0);
    tables.push((
        "1000 distinct values".into(),
        (0..1000).map(|_| rng.random::<f64>()).collect(),
    ));
    if let Some(hall) = hall {
        for task in 0..hall.spec.tests.min(6) {
            if let Ok(ground) = hall.ground(task)
                && let Some(table) = ground.rows()
            {
                let values = table.costs.iter().map(|c| -c).collect();
                tables.push((ground.name.clone(), values));
            }
        }
    }
    let mut out = Vec::new();
    for (index, (name, values)) in (0..).zip(&tables) {
        for evaluations in [24, 100] {
            let counts: Vec<f64> = (0..RUNS)
                .map(|run| {
                    let seed = Seed(31).child(index).child(evaluations as u64);
                    let mut rng = seed.stream(Purpose::Ask, run);
                    let rows = super::families::subset(values.len(), evaluations, &mut rng);
                    let mut best = f64::NEG_INFINITY;
                    let mut count = 0.0;
                    for row in rows {
                        if values[row] > best {
                            best = values[row];
                            count += 1.0;
                        }
                    }
                    count
                })
                .collect();
            let (random, error) = stats::mean_and_error(&counts);
            out.push(Records {
                values: name.clone(),
                evaluations,
                random,
                error,
                exact: warmfront_np::records::expected_without_replacement(values, evaluations),
                harmonic: warmfront_np::records::expected(evaluations),
            });
        }
    }
    out
}

/// Mean number of records in the runs of a method, those of the start included.
#[must_use]
pub fn improvements(runs: &Runs<'_>) -> f64 {
    let count = |result: &&crate::cell::CellResult| {
        let steps = &result.steps;
        let rises = steps
            .windows(2)
            .filter(|w| w[1].hypervolume > w[0].hypervolume);
        rises.count() as f64 + 1.0
    };
    let counts: Vec<f64> = runs.values().map(count).collect();
    stats::mean_and_error(&counts).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_runs_have_as_many_records_as_the_closed_form_says() {
        for r in records(None) {
            assert!((r.random - r.exact).abs() < 4.0 * r.error, "{r:?}");
            assert!((r.exact - r.harmonic).abs() < 1e-9, "{r:?}");
        }
    }

    #[test]
    fn runs_that_ask_for_the_same_rows_overlap_wholly() {
        let start = |k: usize| (0..INITIAL).map(move |i| 100 * k + i);
        let run = |k: usize, own: std::ops::Range<usize>| start(k).chain(own).collect();
        let rows: Rows = [
            ((0, 0), run(1, 0..10)),
            ((0, 1), run(2, 0..10)),
            ((1, 0), run(3, 7..17)),
        ]
        .into_iter()
        .collect();
        let (overlap, same) = alike(&rows);
        assert!((overlap - 1.0).abs() < 1e-12 && (same - 1.0).abs() < 1e-12);
        let rows: Rows = [((0, 0), run(1, 0..10)), ((0, 1), run(2, 10..20))]
            .into_iter()
            .collect();
        let (overlap, same) = alike(&rows);
        assert!(overlap.abs() < 1e-12 && same.abs() < 1e-12);
    }
}
