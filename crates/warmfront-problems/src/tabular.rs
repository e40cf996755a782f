//! Problems given by finite tables of evaluated configurations.

mod hpobench;
mod npy;

use rand::Rng;
use warmfront_core::{Candidate, Costs, Objectives, Outcome, SearchSpace};

pub use hpobench::{HpobenchXgb, HpobenchXgbConfig};
pub use npy::Npy;

use crate::sample::{non_dominated, reference_of};
use crate::{Known, Optimum, Problem, ProblemError, Provenance};

/// A table of configurations with known values: the space is the table's rows, evaluation looks
/// the values up. A point that is no row is evaluated at the nearest row.
///
/// Optimum and front are exact. The reference point is the worst of the front plus a tenth of its
/// range; with one objective, the worst value of the table.
#[derive(Debug, Clone)]
pub struct Tabular {
    name: String,
    space: SearchSpace,
    objectives: Objectives,
    costs: Vec<Vec<f64>>,
    reference: Vec<f64>,
    optimum: Option<Optimum>,
}

impl Tabular {
    /// A problem over the rows of `space`'s table with these raw values (n rows of length m, in
    /// the directions of the objectives).
    ///
    /// # Errors
    /// If a value is NaN or infinite.
    ///
    /// # Panics
    /// If the space has no table, or there is not one row of m values per row of it.
    #[track_caller]
    pub fn new(
        name: &str,
        space: SearchSpace,
        objectives: Objectives,
        values: &[Vec<f64>],
    ) -> Result<Self, ProblemError> {
        let rows = space
            .table()
            .expect("the space of a tabular problem is a table");
        assert_eq!(
            values.len(),
            rows.len(),
            "one row of values per row of the table"
        );
        let mut costs = Vec::with_capacity(values.len());
        for (row, raw) in values.iter().enumerate() {
            if let Some(column) = raw.iter().position(|value| !value.is_finite()) {
                return Err(ProblemError::TableCell {
                    row,
                    column,
                    value: raw[column],
                });
            }
            let known = objectives.to_costs(raw)?;
            costs.push(known.complete().expect("given values are all there"));
        }
        let optimum = (objectives.len() == 1).then(|| {
            let cost = costs
                .iter()
                .map(|cost| cost[0])
                .fold(f64::INFINITY, f64::min);
            let reached = |(_, costs): &(_, &Vec<f64>)| costs[0] <= cost;
            let points = rows
                .iter()
                .zip(&costs)
                .filter(reached)
                .map(|(row, _)| row.clone());
            Optimum {
                points: points.collect(),
                cost,
            }
        });
        let reference = reference_of(&costs);
        Ok(Self {
            name: name.to_owned(),
            objectives,
            costs,
            reference,
            optimum,
            space,
        })
    }

    fn outcome(&self, candidate: &Candidate) -> Outcome {
        let row = self
            .space
            .nearest_row(&candidate.point)
            .expect("the space is a table");
        let costs = Costs::from_values(self.costs[row].clone());
        Outcome::Complete(costs.expect("checked when the table was built"))
    }
}

impl Problem for Tabular {
    fn name(&self) -> &str {
        &self.name
    }

    fn space(&self) -> &SearchSpace {
        &self.space
    }

    fn objectives(&self) -> &Objectives {
        &self.objectives
    }

    fn evaluate(&self, candidate: &Candidate, _: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        Ok(self.outcome(candidate))
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        Some(self.outcome(candidate))
    }

    fn reference_point(&self) -> Known<&[f64]> {
        Known::new(&self.reference, Provenance::Analytic)
    }

    fn max_hypervolume(&self) -> Option<Known<f64>> {
        let best = self.optimum.as_ref()?.cost;
        Some(Known::new(self.reference[0] - best, Provenance::Analytic))
    }

    fn optimum(&self) -> Option<Known<&Optimum>> {
        Some(Known::new(self.optimum.as_ref()?, Provenance::Analytic))
    }

    /// All rows of the front, however many `points` are asked for.
    fn front(&self, _points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        let front = non_dominated(&self.costs);
        let costs = front
            .into_iter()
            .map(|row| self.costs[row].clone())
            .collect();
        Some(Known::new(costs, Provenance::Analytic))
    }
}

#[cfg(test)]
mod tests {
    use warmfront_core::{Config, Domain, UnitPoint};

    use super::*;

    fn space() -> SearchSpace {
        let rows = [0, 1, 3]
            .map(|depth| Config::new().with("depth", depth))
            .to_vec();
        let builder = SearchSpace::builder().param("depth", Domain::integer(0, 3));
        builder.table(rows).build().expect("three different rows")
    }

    #[test]
    fn values_are_looked_up_and_the_front_is_exact() {
        let values = [[0.0, 2.0], [1.0, 3.0], [2.0, 0.0]].map(|row| row.to_vec());
        let table = Tabular::new("t", space(), Objectives::minimize_all(2), &values)
            .expect("finite values");
        let last = Candidate::at(UnitPoint::new([1.0]).expect("inside"));
        let costs = table
            .noise_free(&last)
            .and_then(|outcome| outcome.costs()?.complete());
        assert_eq!(costs, Some(vec![2.0, 0.0]));
        assert_eq!(
            table.front(10).expect("known").value,
            [[0.0, 2.0], [2.0, 0.0]]
        );
        assert_eq!(table.reference_point().value, [2.2, 2.2]);
        assert!(table.optimum().is_none());
    }

    #[test]
    fn one_objective_has_an_optimum_and_bad_cells_are_named() {
        let table = |values: [f64; 3]| {
            let rows = values.map(|value| vec![value]);
            Tabular::new("t", space(), Objectives::minimize_all(1), &rows)
        };
        let good = table([3.0, 1.0, 1.0]).expect("finite values");
        let best = good.optimum().expect("one objective").value;
        assert_eq!(
            (best.points.len(), best.cost.to_bits()),
            (2, 1.0f64.to_bits())
        );
        assert_eq!(
            good.max_hypervolume().expect("known").value.to_bits(),
            2.0f64.to_bits()
        );
        let error = table([0.0, f64::NAN, 1.0]).expect_err("not a number");
        assert_eq!(
            error.to_string(),
            "row 1, column 0 of the table is NaN, which cannot be used"
        );
    }
}
