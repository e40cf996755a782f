//! Evaluations by task, with costs on a common scale.

use std::ops::Range;

use warmfront_linalg::{MatRef, dot};

use crate::pmto::archive::Archive;

/// A matrix whose room in memory grows in steps.
///
/// Every update needs the same few large blocks again, of slightly more rows: blocks of
/// exactly that size would never fit where the last ones were, and the heap would grow many times over.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    data: Vec<f64>,
    rows: usize,
}

impl Columns {
    pub(super) fn from_fn(
        rows: usize,
        columns: usize,
        mut value: impl FnMut(usize, usize) -> f64,
    ) -> Self {
        let mut data = Vec::with_capacity(rows.next_power_of_two() * columns);
        for j in 0..columns {
            data.extend((0..rows).map(|i| value(i, j)));
        }
        Self { data, rows }
    }

    pub(super) fn column(&self, j: usize) -> &[f64] {
        &self.data[j * self.rows..(j + 1) * self.rows]
    }

    pub(super) fn column_mut(&mut self, j: usize) -> &mut [f64] {
        &mut self.data[j * self.rows..(j + 1) * self.rows]
    }

    pub(super) fn as_ref(&self) -> MatRef<'_, f64> {
        let columns = self.data.len() / self.rows.max(1);
        MatRef::from_column_major_slice(&self.data, self.rows, columns)
    }
}

/// Evaluations by task, standardised.
pub(super) struct Rows {
    /// Rows of each task.
    pub(super) segments: Vec<Range<usize>>,
    /// Solutions, `n×V`.
    pub(super) x: Columns,
    pub(super) y: Vec<f64>,
}

impl Rows {
    pub(super) fn of(archive: &Archive, tasks: &[usize], dim: usize) -> Self {
        let costs = standardized(archive.costs());
        let mut segments = Vec::with_capacity(tasks.len());
        let mut order = Vec::new();
        for &t in tasks {
            let start = order.len();
            order.extend_from_slice(&archive.tasks()[t].rows);
            segments.push(start..order.len());
        }
        let x = Columns::from_fn(order.len(), dim, |i, j| {
            archive.rows()[order[i]].point.coords()[j]
        });
        let y = order.iter().map(|&row| costs[row]).collect();
        Self { segments, x, y }
    }

    pub(super) fn len(&self) -> usize {
        self.y.len()
    }

    /// Subtracts from each task's values their weighted mean.
    pub(super) fn centre(&self, weights: &[f64], values: &mut [f64]) {
        for segment in &self.segments {
            let own = &weights[segment.clone()];
            let total: f64 = own.iter().sum();
            let mean = dot(own, &values[segment.clone()]) / total.max(f64::MIN_POSITIVE);
            for value in &mut values[segment.clone()] {
                *value -= mean;
            }
        }
    }

    /// Subtracts from each task's values their median.
    pub(super) fn centre_robustly(&self, values: &mut [f64]) {
        for segment in &self.segments {
            let middle = quantile(&values[segment.clone()], 0.5);
            for value in &mut values[segment.clone()] {
                *value -= middle;
            }
        }
    }
}

fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get(((sorted.len() as f64 * q) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// Standardised costs are no further from the middle.
const FURTHEST: f64 = 1e6;

/// Costs over their interquartile range, from the median: a few absurd ones must not set the scale.
fn standardized(mut costs: Vec<f64>) -> Vec<f64> {
    for cost in &mut costs {
        // Differences of the largest numbers would not be finite.
        *cost *= 0.25;
    }
    let middle = quantile(&costs, 0.5);
    let range = (quantile(&costs, 0.75) - quantile(&costs, 0.25)) / 1.35;
    let widest = costs.iter().fold(0.0_f64, |a, c| a.max((c - middle).abs()));
    let scale = [range, widest].into_iter().find(|&s| s > 0.0);
    let scale = scale.unwrap_or(1.0);
    for cost in &mut costs {
        *cost = ((*cost - middle) / scale).clamp(-FURTHEST, FURTHEST);
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_of_costs_survives_absurd_ones() {
        let plain: Vec<f64> = (0..40).map(f64::from).collect();
        let mut dirty = plain.clone();
        dirty[39] = 1e9;
        let (a, b) = (standardized(plain), standardized(dirty));
        for (a, b) in a.iter().zip(&b).take(39) {
            assert!((a - b).abs() < 1e-6);
        }
        let huge = standardized(vec![f64::MAX, -f64::MAX, 0.0, f64::MAX]);
        assert!(huge.iter().all(|y| y.is_finite()));
        assert_eq!(huge.iter().filter(|y| **y > 0.0).count(), 0);
        let plateau = standardized(vec![1.0, 1.0, 1.0, 1.0, 0.0]);
        assert!((plateau[4] + 1.0).abs() < 1e-12);
        assert!(standardized(vec![3.0; 5]).iter().all(|y| y.abs() < 1e-12));
        assert!(standardized(Vec::new()).is_empty());
    }
}
