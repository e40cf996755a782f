//! What a task is here: a table of rows with costs, or a formula over the unit cube.

use std::collections::HashSet;

use anyhow::Context as _;
use warmfront_core::{Candidate, SearchSpace, UnitPoint};
use warmfront_problems::Problem;

use super::analytic::Function;

/// Evaluated points of a task, in unit coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// For people.
    pub name: String,
    /// Number of coordinates.
    pub dim: usize,
    /// Row-major, n×d.
    pub x: Vec<f64>,
    /// One cost per row.
    pub costs: Vec<f64>,
}

impl Table {
    /// All rows of a problem with one objective that is a table.
    ///
    /// # Errors
    /// If the space is no table or a row has no cost.
    pub fn of(problem: &dyn Problem) -> anyhow::Result<Self> {
        let rows = problem.space().table().context("the task is no table")?;
        Self::at(problem, rows.to_vec())
    }

    /// Noise-free costs of these points, those that occur twice once.
    ///
    /// # Errors
    /// If a point has no cost.
    pub fn at(problem: &dyn Problem, points: Vec<UnitPoint>) -> anyhow::Result<Self> {
        let mut seen = HashSet::new();
        let candidates: Vec<Candidate> = points
            .into_iter()
            .filter(|point| seen.insert(point.clone()))
            .map(Candidate::at)
            .collect();
        let mut costs = Vec::with_capacity(candidates.len());
        for outcome in problem.noise_free_batch(&candidates) {
            let complete = outcome.and_then(|o| o.costs()?.complete());
            costs.push(complete.context("a row without a cost")?[0]);
        }
        Ok(Self {
            name: problem.name().to_owned(),
            dim: problem.space().dim(),
            x: candidates
                .iter()
                .flat_map(|c| c.point.coords().iter().copied())
                .collect(),
            costs,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.costs.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.costs.is_empty()
    }

    /// A row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f64] {
        &self.x[index * self.dim..(index + 1) * self.dim]
    }

    /// The chosen rows, in the order given.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            name: self.name.clone(),
            dim: self.dim,
            x: rows.iter().flat_map(|&r| self.row(r)).copied().collect(),
            costs: rows.iter().map(|&r| self.costs[r]).collect(),
        }
    }

    /// Smallest and largest cost.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let low = self.costs.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.costs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    }

    /// Rows as points.
    #[must_use]
    pub fn points(&self) -> Vec<UnitPoint> {
        (0..self.len())
            .map(|i| UnitPoint::clamped(self.row(i).to_vec()))
            .collect()
    }
}

/// Squared Euclidean distance.
#[must_use]
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

enum Costs {
    Rows(Table),
    Formula(Function),
}

/// A task to be optimised, whose true costs and their range are known.
pub struct Ground {
    /// For people.
    pub name: String,
    /// Where candidates are.
    pub space: SearchSpace,
    costs: Costs,
    /// The smallest cost.
    pub best: f64,
    /// The largest cost; of a formula, of a dense sample.
    pub worst: f64,
}

impl Ground {
    /// A table, in a space that its rows are points of.
    ///
    /// # Errors
    /// If the rows are not distinct points of the space.
    pub fn table(space: &SearchSpace, table: Table) -> anyhow::Result<Self> {
        let space = space.clone().with_table(table.points())?;
        let (best, worst) = table.range();
        Ok(Self {
            name: table.name.clone(),
            space,
            best,
            worst,
            costs: Costs::Rows(table),
        })
    }

    /// A formula over the unit cube.
    #[must_use]
    pub fn formula(function: Function) -> Self {
        let (best, worst) = function.range();
        Self {
            name: function.name(),
            space: SearchSpace::unit_cube(function.dim()),
            best,
            worst,
            costs: Costs::Formula(function),
        }
    }

    /// The noise-free cost, and the row of a table.
    #[must_use]
    pub fn cost(&self, point: &UnitPoint) -> (f64, Option<u32>) {
        match &self.costs {
            Costs::Rows(table) => {
                let exact = self.space.row_of(point);
                let row = exact.or_else(|| self.space.nearest_row(point));
                let row = row.expect("the space is a table");
                (table.costs[row], Some(row as u32))
            }
            Costs::Formula(function) => (function.at(point.coords()), None),
        }
    }

    /// The part of the range of costs that is above the best one: 0 is the optimum, 1 the worst.
    #[must_use]
    pub fn regret(&self, cost: f64) -> f64 {
        let range = self.worst - self.best;
        if range > 0.0 {
            ((cost - self.best) / range).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The rows, if the task is a table.
    #[must_use]
    pub fn rows(&self) -> Option<&Table> {
        match &self.costs {
            Costs::Rows(table) => Some(table),
            Costs::Formula(_) => None,
        }
    }
}
