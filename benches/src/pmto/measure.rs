//! What is measured of a run: costs over evaluations, and answers to tasks that it has not seen.

use std::collections::BTreeMap;

use anyhow::Context as _;
use warmfront_core::{Candidate, UnitPoint};
use warmfront_meta::pmto::TaskModel;
use warmfront_problems::parametric::ParametricProblem;

use super::problems::Stage;
use crate::stats;

/// The quantiles of the published table, in per cent.
pub const QUANTILES: [u32; 5] = [5, 25, 50, 75, 95];

/// Parts of the budget after which offline costs are written down.
pub const TRACE_POINTS: u32 = 20;

/// Added coordinates closer than this to a face of the box count as on it.
const FACE: f64 = 0.02;

/// Kernel evaluations that the answers of one task model may cost.
const ANSWERS: usize = 40_000_000;
/// The same in the middle of a run.
pub const QUICK_ANSWERS: usize = 8_000_000;

/// Name of a measure of a task model: of the final one, or of that after `at` evaluations.
#[must_use]
pub fn quantile_name(recipe: &str, at: Option<u32>, quantile: u32) -> String {
    match at {
        Some(at) => format!("{recipe}@{at}/q{quantile:02}"),
        None => format!("{recipe}/q{quantile:02}"),
    }
}

/// Named numbers.
#[derive(Debug, Default)]
pub struct Measures(BTreeMap<String, f64>);

impl Measures {
    /// Writes a number down; one that is not finite is left out.
    pub fn set(&mut self, name: impl Into<String>, value: f64) {
        if value.is_finite() {
            self.0.insert(name.into(), significant(value));
        }
    }

    /// Writes quantiles of `costs` down.
    pub fn quantiles(&mut self, recipe: &str, at: Option<u32>, costs: &[f64]) {
        let p = QUANTILES.map(|q| f64::from(q) / 100.0);
        for (q, value) in QUANTILES.into_iter().zip(stats::quantiles(costs, &p)) {
            self.set(quantile_name(recipe, at, q), value);
        }
    }

    /// All of them.
    #[must_use]
    pub fn finish(self) -> BTreeMap<String, f64> {
        self.0
    }
}

/// Rounded to eight significant digits: files stay small.
fn significant(value: f64) -> f64 {
    if value.abs() > 1e-300 {
        let unit = 10_f64.powi(7 - value.abs().log10().floor() as i32);
        let rounded = (value * unit).round() / unit;
        if rounded.is_finite() { rounded } else { value }
    } else {
        value
    }
}

/// Every `stride`-th of the tests, such that at most `work` kernel evaluations answer all of them.
///
/// Strides share no factor with the sides of the grids of tests: a row of the grid is not left out.
#[must_use]
pub fn sample<'a>(stage: &'a Stage, model: &TaskModel, work: usize) -> Vec<&'a UnitPoint> {
    let each = model.num_tasks() * model.dim();
    let all = stage.tests.len();
    let least = (all * each).div_ceil(work.max(1)).max(1);
    every(&stage.tests, least)
}

/// Every so many-th of the tests, not fewer apart than `least`.
pub fn every(tests: &[UnitPoint], least: usize) -> Vec<&UnitPoint> {
    let coprime = |stride: &usize| !stride.is_multiple_of(2) && !stride.is_multiple_of(5);
    let stride = (least..).find(coprime).unwrap_or(least);
    tests.iter().step_by(stride).collect()
}

/// The noise-free cost of a solution of a task.
///
/// # Errors
/// If there is none.
pub fn cost(
    problem: &dyn ParametricProblem,
    point: UnitPoint,
    task: &UnitPoint,
) -> anyhow::Result<f64> {
    let candidate = Candidate::at(point).with_task(task.clone());
    let outcome = problem.noise_free(&candidate).context("no cost")?;
    let costs = outcome.costs().and_then(|costs| costs.complete());
    costs.map(|c| c[0]).context("an answer has no cost")
}

/// Costs of the answers of a task model to a sample of the tests.
///
/// # Errors
/// As [`cost`].
pub fn answers(stage: &Stage, model: &TaskModel, work: Option<usize>) -> anyhow::Result<Vec<f64>> {
    sample(stage, model, work.unwrap_or(ANSWERS))
        .into_iter()
        .map(|task| cost(&*stage.problem, model.point(task), task))
        .collect()
}

/// Costs of the refined answers to about a thousand tests.
///
/// # Errors
/// As [`cost`].
pub fn refined_answers(stage: &Stage, model: &TaskModel) -> anyhow::Result<Vec<f64>> {
    every(&stage.tests, stage.tests.len() / 1000)
        .into_iter()
        .map(|task| cost(&*stage.problem, model.refined(task), task))
        .collect()
}

/// Evaluations by task, in the order of their coming.
#[derive(Debug, Default)]
pub struct Trace {
    tasks: Vec<UnitPoint>,
    /// Index of the task, and cost.
    evaluations: Vec<(usize, Option<f64>)>,
}

impl Trace {
    /// Adds an evaluation.
    pub fn push(&mut self, task: &UnitPoint, cost: Option<f64>) {
        // Tasks come in sweeps: the one wanted is rarely far from the last.
        let known = self.tasks.iter().rposition(|t| t == task);
        let index = known.unwrap_or_else(|| {
            self.tasks.push(task.clone());
            self.tasks.len() - 1
        });
        self.evaluations.push((index, cost));
    }

    /// Writes the mean best cost so far down, over the first tasks and over all evaluated ones, and
    /// the mean regret of the first tasks where it is something else than the cost.
    pub fn measure(&self, stage: &Stage, measures: &mut Measures) {
        let initial = stage.spec.initial_tasks.min(self.tasks.len());
        let known: Option<Vec<f64>> = self.tasks[..initial]
            .iter()
            .map(|task| stage.problem.optimum_of(task))
            .collect();
        let optimum = known
            .map(|all| all.iter().sum::<f64>() / initial.max(1) as f64)
            .filter(|mean| mean.abs() > 1e-12);
        let mut best = vec![f64::INFINITY; self.tasks.len()];
        let all = self.evaluations.len() as u32;
        let step = (all / TRACE_POINTS).max(1);
        for (count, (task, cost)) in (1_u32..).zip(&self.evaluations) {
            if let Some(cost) = cost {
                best[*task] = best[*task].min(*cost);
            }
            if count % step != 0 && count != all {
                continue;
            }
            let mean = |values: &[f64]| {
                let seen: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
                seen.iter().sum::<f64>() / seen.len() as f64
            };
            // While the initial design lasts, the mean over its tasks is one of few of them.
            if best[..initial].iter().all(|b| b.is_finite()) {
                measures.set(format!("trace/initial/{count}"), mean(&best[..initial]));
                if let Some(optimum) = optimum {
                    let regret = mean(&best[..initial]) - optimum;
                    measures.set(format!("trace/regret/{count}"), regret);
                }
            }
            measures.set(format!("trace/pool/{count}"), mean(&best));
        }
    }
}

/// Share of the coordinates that lie within 0.02 of a face; NaN for none.
#[must_use]
pub fn boundary_fraction(tasks: &[&UnitPoint]) -> f64 {
    let coords = || tasks.iter().flat_map(|task| task.coords());
    let near = coords().filter(|t| **t < FACE || **t > 1.0 - FACE).count();
    near as f64 / coords().count() as f64
}

/// Distance from each of the tests to the nearest task of the pool.
#[must_use]
pub fn distances(tests: &[&UnitPoint], pool: &[UnitPoint]) -> Vec<f64> {
    let between = |a: &UnitPoint, b: &UnitPoint| {
        let squares = a.coords().iter().zip(b.coords());
        squares.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    tests
        .iter()
        .map(|test| {
            let all = pool.iter().map(|task| between(test, task));
            all.fold(f64::INFINITY, f64::min)
        })
        .collect()
}
