//! Tables of XGBoost configurations on 48 data sets.
//!
//! Each table has up to 1000 rows of six hyper-parameters and a value. The values behave like a
//! validation error (they fall as the learning rate grows, most medians lie below one half) and are
//! minimised by default. The authors' own code maximises them; do so only to compare with curves
//! published that way.
//!
//! # References
//! The tables come with NAP (Maraval et al. 2023, *End-to-end meta-Bayesian optimisation with
//! transformer neural processes*).

use std::ops::Range;

use warmfront_core::{Direction, Domain, Objective, Objectives, SearchSpace, UnitPoint};

use super::{Npy, Tabular};
use crate::{Problem, ProblemError, TaskFamily};

const INPUTS: usize = 6;
/// The published tables do not name their columns; the third is known to be the learning rate.
const NAMES: [&str; INPUTS] = ["h1", "h2", "learning_rate", "h4", "h5", "h6"];
/// Columns whose values crowd at the lower end.
const SKEWED: Range<usize> = 2..6;

/// How the tables are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HpobenchXgbConfig {
    /// Whether the skewed columns, the third to the sixth, are laid out on a log scale. Most of
    /// their values lie in the lowest tenth of the range.
    pub log_scale: bool,
    /// Whether the value is minimised, as its meaning suggests, or maximised, as published.
    pub direction: Direction,
}

impl Default for HpobenchXgbConfig {
    fn default() -> Self {
        Self {
            log_scale: true,
            direction: Direction::Minimize,
        }
    }
}

/// The tables as a family of tasks, one single-objective problem per table.
///
/// All tables share the ranges of their columns, so that a point means the same hyper-parameters in
/// every task.
#[derive(Debug, Clone)]
pub struct HpobenchXgb {
    tables: Vec<Tabular>,
}

impl HpobenchXgb {
    /// Tasks that the authors train on.
    pub const TRAIN: Range<usize> = 0..20;
    /// Tasks that the authors validate on.
    pub const VALIDATION: Range<usize> = 20..34;
    /// Tasks that the authors test on.
    pub const TEST: Range<usize> = 34..48;

    /// Reads the tables from the bytes of their `.npy` files, in order.
    ///
    /// # Errors
    /// If there are none, or one is not an array of seven columns of finite numbers, positive where
    /// a logarithm is taken, or two of its rows have the same hyper-parameters.
    pub fn from_npy<B: AsRef<[u8]>>(
        tables: &[B],
        config: HpobenchXgbConfig,
    ) -> Result<Self, ProblemError> {
        let tables: Vec<Npy> = tables
            .iter()
            .map(|bytes| Npy::parse(bytes.as_ref()))
            .collect::<Result<_, _>>()?;
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); INPUTS];
        for table in &tables {
            check(table, config)?;
            for row in 0..table.rows {
                for (range, &value) in ranges.iter_mut().zip(table.row(row)) {
                    *range = (range.0.min(value), range.1.max(value));
                }
            }
        }
        if tables.is_empty() {
            return Err(ProblemError::TableShape {
                rows: 0,
                columns: 0,
                expected: INPUTS + 1,
            });
        }
        let mut builder = SearchSpace::builder();
        for (column, (name, (low, high))) in NAMES.into_iter().zip(ranges).enumerate() {
            let log = config.log_scale && SKEWED.contains(&column);
            let domain = if log {
                Domain::log_real(low, high)
            } else {
                Domain::real(low, high)
            };
            builder = builder.param(name, domain);
        }
        let space = builder.build()?;
        let objective = Objective {
            name: "value".into(),
            direction: config.direction,
        };
        let objectives = Objectives::new([objective])?;
        let tables = tables
            .iter()
            .enumerate()
            .map(|(index, table)| {
                let rows: Vec<UnitPoint> = (0..table.rows)
                    .map(|row| encode(table.row(row), &ranges, config))
                    .collect();
                let values: Vec<Vec<f64>> = (0..table.rows)
                    .map(|row| vec![table.row(row)[INPUTS]])
                    .collect();
                let space = space.clone().with_table(rows)?;
                Tabular::new(
                    &format!("hpobench_xgb_{index}"),
                    space,
                    objectives.clone(),
                    &values,
                )
            })
            .collect::<Result<_, ProblemError>>()?;
        Ok(Self { tables })
    }
}

fn check(table: &Npy, config: HpobenchXgbConfig) -> Result<(), ProblemError> {
    if table.columns != INPUTS + 1 || table.rows == 0 {
        return Err(ProblemError::TableShape {
            rows: table.rows,
            columns: table.columns,
            expected: INPUTS + 1,
        });
    }
    for row in 0..table.rows {
        for (column, &value) in table.row(row).iter().enumerate() {
            let log = config.log_scale && SKEWED.contains(&column);
            if !value.is_finite() || (log && value <= 0.0) {
                return Err(ProblemError::TableCell { row, column, value });
            }
        }
    }
    Ok(())
}

fn encode(row: &[f64], ranges: &[(f64, f64); INPUTS], config: HpobenchXgbConfig) -> UnitPoint {
    let coords: Vec<f64> = (0..INPUTS)
        .map(|column| {
            let (low, high) = ranges[column];
            if config.log_scale && SKEWED.contains(&column) {
                (row[column] / low).ln() / (high / low).ln()
            } else {
                (row[column] - low) / (high - low)
            }
        })
        .collect();
    UnitPoint::clamped(coords)
}

impl TaskFamily for HpobenchXgb {
    fn name(&self) -> &str {
        "hpobench_xgb"
    }

    fn len(&self) -> Option<usize> {
        Some(self.tables.len())
    }

    fn task(&self, index: usize) -> Box<dyn Problem> {
        assert!(
            index < self.tables.len(),
            "task {index} of {}",
            self.tables.len()
        );
        Box::new(self.tables[index].clone())
    }
}
