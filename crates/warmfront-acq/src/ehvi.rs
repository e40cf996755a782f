//! Expected hypervolume improvement in closed form, in logarithms.
//!
//! For independent objectives the expected gain in a box `[l, u)` of the non-dominated region is a
//! product of one-dimensional partial expectations `G_o(u_o) − G_o(l_o)` with
//! `G_o(t) = E[(t − Y_o)₊] = σ_o h((t − μ_o)/σ_o)`. Every factor, and the sum over the boxes, is kept
//! as a logarithm, so that nothing underflows. `G_o` is evaluated once for each distinct bound.
//!
//! # References
//! Yang, Emmerich, Deutz and Bäck 2019, *Efficient computation of expected hypervolume improvement
//! using box decomposition algorithms*; Ament et al. 2023 for the logarithms.

use rand::Rng;
use warmfront_linalg::{Mat, MatMut, MatRef};
use warmfront_math::special::{log_ei_helper_with_derivative, log1mexp};
use warmfront_pareto::{BoxDecomposition, Points};

use crate::believer::Believer;
use crate::frame::{Frame, check, observed_front, row_major, select_rows};
use crate::{AcqError, AcquisitionContext, AcquisitionFunction};

/// Marks a box that is unbounded below.
const UNBOUNDED: u32 = u32::MAX;

/// The boxes in terms of the distinct bounds of each objective.
struct Edges {
    /// Distinct finite bounds of each objective, increasing.
    values: Vec<Vec<f64>>,
    /// For each objective, each box's bounds as indices into `values`.
    lower: Vec<Vec<u32>>,
    upper: Vec<Vec<u32>>,
    cells: usize,
}

impl Edges {
    fn new(boxes: &BoxDecomposition) -> Self {
        let m = boxes.objectives();
        let (mut values, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
        for o in 0..m {
            let mut edges: Vec<f64> = boxes
                .lower(o)
                .iter()
                .chain(boxes.upper(o))
                .copied()
                .collect();
            edges.retain(|e| e.is_finite());
            edges.sort_by(f64::total_cmp);
            // By bits, as the search below: -0.0 and 0.0 are two edges.
            edges.dedup_by(|a, b| a.total_cmp(b).is_eq());
            let index = |bound: &f64| {
                edges
                    .binary_search_by(|e| e.total_cmp(bound))
                    .map_or(UNBOUNDED, |i| i as u32)
            };
            lower.push(boxes.lower(o).iter().map(index).collect());
            upper.push(boxes.upper(o).iter().map(index).collect());
            values.push(edges);
        }
        Self {
            values,
            lower,
            upper,
            cells: boxes.len(),
        }
    }
}

/// Scratch of one evaluation, reused over a batch.
struct Scratch {
    /// For each objective and bound: ln G, ∂ ln G/∂μ and ∂ ln G/∂σ.
    log_g: Vec<Vec<f64>>,
    dmean: Vec<Vec<f64>>,
    dsd: Vec<Vec<f64>>,
    /// ln of each box's length in each objective, and the sum.
    length: Vec<Vec<f64>>,
    log_cell: Vec<f64>,
}

impl Scratch {
    fn new(edges: &Edges) -> Self {
        let per_edge = || edges.values.iter().map(|e| vec![0.0; e.len()]).collect();
        Self {
            log_g: per_edge(),
            dmean: per_edge(),
            dsd: per_edge(),
            length: vec![vec![0.0; edges.cells]; edges.values.len()],
            log_cell: vec![0.0; edges.cells],
        }
    }
}

/// Logarithm of the expected hypervolume improvement of one point over the front of the observed
/// costs, in closed form.
///
/// Correlations between outputs are ignored: the marginals are taken as independent. Pending points
/// are believed to turn out at their posterior mean.
#[doc(alias = "EHVI")]
#[doc(alias = "LogEHVI")]
pub struct LogExpectedHypervolumeImprovement<'a> {
    believer: Believer<'a>,
    edges: Edges,
    incumbents: Mat<f64>,
}

impl<'a> LogExpectedHypervolumeImprovement<'a> {
    /// Decomposes the region that the observed and believed outcomes leave.
    ///
    /// # Errors
    /// If an input is not finite, or the posterior at the pending points is not.
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn new(context: AcquisitionContext<'a>, rng: &mut dyn Rng) -> Result<Self, AcqError> {
        check(&context)?;
        let front = observed_front(&context)?;
        let frame = Frame::new(&context, &front, rng)?;
        let believer = Believer::new(context.model, context.pending, &frame.scale)?;
        let mut outcomes = row_major(select_rows(context.costs, &front).as_ref());
        outcomes.extend(believer.believed());
        let points = Points::new(&outcomes, frame.reference.len())?;
        let boxes = BoxDecomposition::from_points(points, &frame.reference)?;
        Ok(Self {
            believer,
            edges: Edges::new(&boxes),
            incumbents: select_rows(context.observed, &front),
        })
    }

    /// ln EHVI for these marginals.
    fn evaluate(&self, mean: &[f64], sd: &[f64], scratch: &mut Scratch) -> f64 {
        let edges = &self.edges;
        scratch.log_cell.fill(0.0);
        for o in 0..mean.len() {
            let inverse = 1.0 / sd[o];
            let log_sd = sd[o].ln();
            for (e, &t) in edges.values[o].iter().enumerate() {
                let z = (t - mean[o]) * inverse;
                let (log_h, slope) = log_ei_helper_with_derivative(z);
                scratch.log_g[o][e] = log_sd + log_h;
                scratch.dmean[o][e] = -slope * inverse;
                scratch.dsd[o][e] = (1.0 - z * slope) * inverse;
            }
            let log_g = &scratch.log_g[o];
            for c in 0..edges.cells {
                let (l, u) = (edges.lower[o][c], edges.upper[o][c]);
                let above = log_g[u as usize];
                let length = if l == UNBOUNDED {
                    above
                } else {
                    above + log1mexp((log_g[l as usize] - above).min(0.0))
                };
                scratch.length[o][c] = length;
                scratch.log_cell[c] += length;
            }
        }
        let largest = scratch
            .log_cell
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        if !largest.is_finite() {
            return if mean.iter().chain(sd).all(|v| v.is_finite()) {
                f64::NEG_INFINITY
            } else {
                f64::NAN
            };
        }
        let sum: f64 = scratch.log_cell.iter().map(|v| (v - largest).exp()).sum();
        largest + sum.ln()
    }

    /// Derivatives of the value that [`Self::evaluate`] has just returned.
    fn derivatives(&self, value: f64, scratch: &Scratch, mean_bar: &mut [f64], sd_bar: &mut [f64]) {
        let edges = &self.edges;
        let share: Vec<f64> = scratch.log_cell.iter().map(|v| (v - value).exp()).collect();
        for o in 0..mean_bar.len() {
            // ∂ value / ∂ ln G at each bound.
            let mut weight = vec![0.0; edges.values[o].len()];
            let log_g = &scratch.log_g[o];
            for (c, &share) in share.iter().enumerate() {
                // A box too far away to count; its length may be zero.
                if share <= 0.0 {
                    continue;
                }
                let (l, u) = (edges.lower[o][c], edges.upper[o][c]);
                let length = scratch.length[o][c];
                weight[u as usize] += share * (log_g[u as usize] - length).exp();
                if l != UNBOUNDED {
                    weight[l as usize] -= share * (log_g[l as usize] - length).exp();
                }
            }
            for (e, w) in weight.iter().enumerate() {
                mean_bar[o] += w * scratch.dmean[o][e];
                sd_bar[o] += w * scratch.dsd[o][e];
            }
        }
    }
}

impl AcquisitionFunction for LogExpectedHypervolumeImprovement<'_> {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        assert!(x.nrows() == 1, "expected one point, got {}", x.nrows());
        self.utilities(x)[0]
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, gradient: MatMut<'_, f64>) -> Option<f64> {
        assert!(
            x.nrows() == 1 && gradient.nrows() == 1 && gradient.ncols() == x.ncols(),
            "expected one point and a gradient of its shape, got {}×{} and {}×{}",
            x.nrows(),
            x.ncols(),
            gradient.nrows(),
            gradient.ncols()
        );
        let mut scratch = Scratch::new(&self.edges);
        Some(
            self.believer
                .gradient(x, gradient, |mean, sd, mean_bar, sd_bar| {
                    let value = self.evaluate(mean, sd, &mut scratch);
                    if value.is_finite() {
                        self.derivatives(value, &scratch, mean_bar, sd_bar);
                    }
                    value
                }),
        )
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let mut scratch = Scratch::new(&self.edges);
        let mut out = Vec::with_capacity(x.nrows());
        self.believer.for_each(x, |mean, sd| {
            out.push(self.evaluate(mean, sd, &mut scratch));
        });
        out
    }

    fn incumbents(&self) -> Mat<f64> {
        self.incumbents.clone()
    }
}
