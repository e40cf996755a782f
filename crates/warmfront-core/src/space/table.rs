//! Finite tables of configurations.

use std::collections::HashMap;

use crate::{SpaceError, UnitPoint};

#[derive(Debug, Clone)]
pub(super) struct Table {
    rows: Vec<UnitPoint>,
    // Looked up only, never iterated: its order is random.
    index: HashMap<UnitPoint, usize>,
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Table {
    pub(super) fn new(rows: Vec<UnitPoint>, dim: usize) -> Result<Self, SpaceError> {
        if rows.is_empty() {
            return Err(SpaceError::EmptyTable);
        }
        let mut index = HashMap::with_capacity(rows.len());
        for (row, point) in rows.iter().enumerate() {
            if point.dim() != dim {
                return Err(SpaceError::RowDimension {
                    row,
                    expected: dim,
                    found: point.dim(),
                });
            }
            if let Some(first) = index.insert(point.clone(), row) {
                return Err(SpaceError::DuplicateRow { first, second: row });
            }
        }
        Ok(Self { rows, index })
    }

    pub(super) fn rows(&self) -> &[UnitPoint] {
        &self.rows
    }

    pub(super) fn row_of(&self, point: &UnitPoint) -> Option<usize> {
        self.index.get(point).copied()
    }

    pub(super) fn nearest(&self, point: &UnitPoint) -> usize {
        if let Some(row) = self.row_of(point) {
            return row;
        }
        let distance = |row: &UnitPoint| {
            let square = |(a, b): (&f64, &f64)| (a - b) * (a - b);
            row.coords()
                .iter()
                .zip(point.coords())
                .map(square)
                .sum::<f64>()
        };
        let mut best = (0, f64::INFINITY);
        for (row, other) in self.rows.iter().enumerate() {
            let distance = distance(other);
            if distance < best.1 {
                best = (row, distance);
            }
        }
        best.0
    }
}
