//! What the models of the objectives expect of the front of one task.

use super::preference::{Frame, Scalarization};
use super::slice::TaskSlice;

/// Evaluations of the descent to each end of a front.
const END_EVALUATIONS: usize = 30;

/// Solutions of a task with their mean costs, and where its front is expected.
#[derive(Debug, Clone)]
pub(super) struct Outlook {
    pub(super) frame: Frame,
    /// Screened solutions, ends of the front last.
    pub(super) points: Vec<Vec<f64>>,
    pub(super) means: Vec<Vec<f64>>,
}

impl Outlook {
    /// Screens `points` (at least one) and descends to the ends of the front from the best of them.
    pub(super) fn new(slice: &TaskSlice<'_>, mut points: Vec<Vec<f64>>) -> Self {
        let m = slice.len();
        let mut means = slice.means(&points);
        let units = slice.units();
        let mut ends = Vec::with_capacity(m);
        for k in 0..m {
            let corner: Vec<f64> = (0..m).map(|o| f64::from(u8::from(o == k))).collect();
            let origin = Frame {
                ideal: vec![0.0; m],
                range: units.clone(),
            };
            let scalar = Scalarization::new(&corner, &origin);
            let start = least(&scalar, &means);
            ends.push(slice.descend(&scalar, &points[start], END_EVALUATIONS));
        }
        let over = |k: usize, from: f64, pick: fn(f64, f64) -> f64| {
            ends.iter().map(|(_, costs)| costs[k]).fold(from, pick)
        };
        let ideal: Vec<f64> = (0..m).map(|k| over(k, f64::INFINITY, f64::min)).collect();
        let nadir: Vec<f64> = (0..m)
            .map(|k| over(k, f64::NEG_INFINITY, f64::max))
            .collect();
        for (x, costs) in ends {
            points.push(x);
            means.push(costs);
        }
        Self {
            frame: Frame::between(ideal, &nadir, &units),
            points,
            means,
        }
    }

    /// The solution of least scalar cost that a descent from the best known one and one from
    /// `start` find, with its mean costs.
    pub(super) fn solve(
        &self,
        slice: &TaskSlice<'_>,
        preference: &[f64],
        start: Option<&[f64]>,
        evaluations: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let scalar = Scalarization::new(preference, &self.frame);
        let best = &self.points[least(&scalar, &self.means)];
        let end = slice.descend(&scalar, best, evaluations);
        let Some(start) = start else { return end };
        let other = slice.descend(&scalar, start, evaluations);
        if scalar.value(&other.1) < scalar.value(&end.1) {
            other
        } else {
            end
        }
    }

    /// Solutions for several preferences in order, each also looked for from the one before.
    pub(super) fn front(
        &mut self,
        slice: &TaskSlice<'_>,
        preferences: &[Vec<f64>],
        evaluations: usize,
    ) -> Vec<(Vec<f64>, Vec<f64>)> {
        let mut found: Vec<(Vec<f64>, Vec<f64>)> = Vec::with_capacity(preferences.len());
        for preference in preferences {
            let end = self.solve(slice, preference, None, evaluations);
            self.points.push(end.0.clone());
            self.means.push(end.1.clone());
            found.push(end);
        }
        found
    }
}

fn least(scalar: &Scalarization, means: &[Vec<f64>]) -> usize {
    let mut best = (0, f64::INFINITY);
    for (i, costs) in means.iter().enumerate() {
        let value = scalar.value(costs);
        if value < best.1 {
            best = (i, value);
        }
    }
    best.0
}
