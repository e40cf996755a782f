//! The units an acquisition function works in: its reference point and the scale of each objective.

use rand::Rng;
use warmfront_linalg::{Mat, MatRef};
use warmfront_pareto::{Points, non_dominated, reference};

use crate::base_samples::uniform_points;
use crate::{AcqError, AcquisitionContext};

/// Points at which a model without observations is asked for the range of its mean.
const PRIOR_SAMPLE: usize = 128;

/// Margin of an inferred reference point beyond the worst value, as a share of the range.
const MARGIN: f64 = 0.1;

/// Reference point and scale of each objective.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) reference: Vec<f64>,
    /// A typical difference of values of each objective; finite and positive.
    pub(crate) scale: Vec<f64>,
}

/// Checks shapes and finiteness of everything in `context`.
#[track_caller]
pub(crate) fn check(context: &AcquisitionContext<'_>) -> Result<(), AcqError> {
    let (d, m) = (context.model.input_dim(), context.model.num_outputs());
    let (observed, costs, pending) = (context.observed, context.costs, context.pending);
    assert!(
        observed.nrows() == costs.nrows(),
        "observed is {}×{}, costs are {}×{}",
        observed.nrows(),
        observed.ncols(),
        costs.nrows(),
        costs.ncols()
    );
    // A matrix without rows may have been made without columns too.
    assert!(
        observed.nrows() == 0 || (observed.ncols() == d && costs.ncols() == m),
        "observed is {}×{}, costs are {}×{}, the model has {d} inputs and {m} outputs",
        observed.nrows(),
        observed.ncols(),
        costs.nrows(),
        costs.ncols()
    );
    assert!(
        pending.nrows() == 0 || pending.ncols() == d,
        "pending is {}×{}, the model has {d} inputs",
        pending.nrows(),
        pending.ncols()
    );
    let finite = |what: &'static str, x: MatRef<'_, f64>| {
        for row in 0..x.nrows() {
            for column in 0..x.ncols() {
                let value = x[(row, column)];
                if !value.is_finite() {
                    return Err(AcqError::NotFinite {
                        what,
                        row,
                        column,
                        value,
                    });
                }
            }
        }
        Ok(())
    };
    finite("observed points", observed)?;
    finite("costs", costs)?;
    finite("pending points", pending)?;
    if let Some(reference) = context.reference {
        assert!(
            reference.len() == m,
            "the reference point has {} entries, the model {m} outputs",
            reference.len()
        );
        for (column, &value) in reference.iter().enumerate() {
            if !value.is_finite() {
                return Err(AcqError::NotFinite {
                    what: "reference point",
                    row: 0,
                    column,
                    value,
                });
            }
        }
    }
    Ok(())
}

/// The rows of `x` one after another.
pub(crate) fn row_major(x: MatRef<'_, f64>) -> Vec<f64> {
    (0..x.nrows())
        .flat_map(|i| (0..x.ncols()).map(move |j| x[(i, j)]))
        .collect()
}

/// The rows of `x` with these indices.
pub(crate) fn select_rows(x: MatRef<'_, f64>, rows: &[usize]) -> Mat<f64> {
    Mat::from_fn(rows.len(), x.ncols(), |i, j| x[(rows[i], j)])
}

/// The rows of `a` above those of `b`; either may be empty.
pub(crate) fn stack_rows(a: MatRef<'_, f64>, b: MatRef<'_, f64>, columns: usize) -> Mat<f64> {
    let n = a.nrows();
    Mat::from_fn(n + b.nrows(), columns, |i, j| {
        if i < n { a[(i, j)] } else { b[(i - n, j)] }
    })
}

/// The non-dominated rows of the observed costs.
pub(crate) fn observed_front(context: &AcquisitionContext<'_>) -> Result<Vec<usize>, AcqError> {
    if context.costs.nrows() == 0 {
        return Ok(Vec::new());
    }
    let data = row_major(context.costs);
    Ok(non_dominated(Points::new(&data, context.costs.ncols())?))
}

impl Frame {
    /// Infers what the caller left open; `front` holds the rows of the observed front.
    pub(crate) fn new(
        context: &AcquisitionContext<'_>,
        front: &[usize],
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        let m = context.model.num_outputs();
        let (lowest, typical, inferred);
        if context.costs.nrows() > 0 {
            let data = row_major(context.costs);
            inferred = reference::infer(Points::new(&data, m)?)?;
            lowest = (0..m)
                .map(|o| {
                    front
                        .iter()
                        .map(|&i| context.costs[(i, o)])
                        .fold(f64::INFINITY, f64::min)
                })
                .collect::<Vec<_>>();
            typical = (0..m)
                .map(|o| spread(|| context.costs.col(o).iter().copied()))
                .collect::<Vec<_>>();
        } else {
            (inferred, lowest, typical) = prior_range(context, rng)?;
        }
        let reference = context.reference.map_or(inferred, <[f64]>::to_vec);
        let scale = (0..m)
            .map(|o| {
                // The smaller of the two: a generous reference must not smooth the front away.
                let own = [reference[o] - lowest[o], typical[o]]
                    .into_iter()
                    .filter(|s| s.is_finite() && *s > 0.0)
                    .fold(f64::INFINITY, f64::min);
                [own, reference[o].abs()]
                    .into_iter()
                    .find(|s| s.is_finite() && *s > 0.0)
                    .unwrap_or(1.0)
                    .clamp(1e-140, 1e140)
            })
            .collect();
        Ok(Self { reference, scale })
    }
}

/// Standard deviation, computed so that it cannot overflow.
fn spread<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> f64 {
    let largest = values().fold(0.0, |a: f64, v| a.max(v.abs()));
    if largest <= 0.0 {
        return 0.0;
    }
    let (mut n, mut mean, mut square) = (0.0, 0.0, 0.0);
    for value in values() {
        let value = value / largest;
        n += 1.0;
        let delta = value - mean;
        mean += delta / n;
        square += delta * (value - mean);
    }
    largest * (square / n).sqrt()
}

/// Reference point, lowest mean and typical difference of a model nothing has been observed for.
#[allow(
    clippy::type_complexity,
    reason = "three parallel lists for one caller"
)]
fn prior_range(
    context: &AcquisitionContext<'_>,
    rng: &mut dyn Rng,
) -> Result<(Vec<f64>, Vec<f64>, Vec<f64>), AcqError> {
    let x = uniform_points(context.model.input_dim(), PRIOR_SAMPLE, rng);
    let marginals = context.model.predict(x.as_ref());
    let (mut reference, mut lowest, mut typical) = (Vec::new(), Vec::new(), Vec::new());
    for o in 0..context.model.num_outputs() {
        let mean = || marginals.mean.col(o).iter().copied();
        let low = mean().fold(f64::INFINITY, f64::min);
        let high = mean().fold(f64::NEG_INFINITY, f64::max);
        let variance = marginals.variance.col(o).iter().copied();
        let sd = variance.fold(0.0, f64::max).sqrt();
        if !(low.is_finite() && high.is_finite() && sd.is_finite()) {
            return Err(AcqError::ModelNotFinite { at: "Sobol points" });
        }
        // A flat mean has no range of its own: one standard deviation stands for it.
        let range = if high > low { high - low } else { sd };
        let margin = if range > 0.0 { MARGIN * range } else { 1.0 };
        reference.push(high + margin);
        lowest.push(low);
        typical.push(if sd > 0.0 { sd } else { range });
    }
    Ok((reference, lowest, typical))
}
