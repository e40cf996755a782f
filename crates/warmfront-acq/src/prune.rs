//! Which observed points may be on the front of the latent costs.

use rand::Rng;
use warmfront_gp::DifferentiableSurrogate;
use warmfront_linalg::MatRef;
use warmfront_pareto::{Points, non_dominated};

use crate::AcqError;
use crate::frame::{Frame, select_rows};
use crate::sampler::Sampler;

/// A point counts as surely dominated if another is lower in every objective by this many standard
/// deviations of each.
const SURE: f64 = 4.0;

/// With no more candidates than this, sampling them would cost more than it saves.
const FEW: usize = 24;

/// Samples that decide about the remaining points.
const SAMPLES: usize = 256;

/// Rows of `observed` that are non-dominated and better than the reference point with a chance that
/// is not negligible, in increasing order.
///
/// Points that are dominated beyond doubt judging by their own mean and variance are left out first;
/// the others are sampled jointly.
pub(crate) fn plausible_front(
    model: &dyn DifferentiableSurrogate,
    observed: MatRef<'_, f64>,
    frame: &Frame,
    rng: &mut dyn Rng,
) -> Result<Vec<usize>, AcqError> {
    let (n, m) = (observed.nrows(), model.num_outputs());
    if n == 0 {
        return Ok(Vec::new());
    }
    let marginals = model.predict(observed);
    let (mut low, mut high) = (vec![0.0; n * m], vec![0.0; n * m]);
    for i in 0..n {
        for o in 0..m {
            let mean = marginals.mean[(i, o)];
            let width = SURE * marginals.variance[(i, o)].max(0.0).sqrt();
            if !mean.is_finite() || !width.is_finite() {
                return Err(AcqError::ModelNotFinite {
                    at: "observed points",
                });
            }
            (low[i * m + o], high[i * m + o]) = (mean - width, mean + width);
        }
    }
    // Only the pessimistic front can dominate anything that another point does not.
    let pessimistic = non_dominated(Points::new(&high, m)?);
    let candidates: Vec<usize> = (0..n)
        .filter(|&i| {
            let own = &low[i * m..(i + 1) * m];
            let useful = own.iter().zip(&frame.reference).all(|(l, r)| l < r);
            useful
                && !pessimistic.iter().any(|&j| {
                    j != i && high[j * m..(j + 1) * m].iter().zip(own).all(|(h, l)| h < l)
                })
        })
        .collect();
    if candidates.len() <= FEW {
        return Ok(candidates);
    }
    let anchors = select_rows(observed, &candidates);
    let sampler = Sampler::new(model, anchors.as_ref(), SAMPLES, &frame.scale, rng)?;
    let a = candidates.len();
    let mut kept = vec![false; a];
    let mut points = vec![0.0; a * m];
    for s in 0..SAMPLES {
        for (v, row) in sampler.anchor_samples.chunks_exact(SAMPLES).enumerate() {
            points[v % a * m + v / a] = row[s];
        }
        for i in non_dominated(Points::new(&points, m)?) {
            let point = &points[i * m..(i + 1) * m];
            kept[i] |= point.iter().zip(&frame.reference).all(|(p, r)| p < r);
        }
    }
    Ok((0..a).filter(|&i| kept[i]).map(|i| candidates[i]).collect())
}
