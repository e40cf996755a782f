//! Expected hypervolume improvement by Monte Carlo, on a front that is known.

use rand::Rng;
use warmfront_linalg::{Mat, MatMut, MatRef};
use warmfront_pareto::{BoxDecomposition, Points};

use crate::cells::{MAX_OBJECTIVES, SampleCells};
use crate::frame::{Frame, check, observed_front, select_rows, stack_rows};
use crate::sampled::{Gain, Sampled};
use crate::sampler::Sampler;
use crate::{AcqError, AcquisitionContext, AcquisitionFunction};

/// Hypervolume gained over boxes, one decomposition for each sample or one for all.
pub(crate) struct HypervolumeGain {
    cells: SampleCells,
    /// Logarithm of the product of the scales.
    log_unit: f64,
}

impl HypervolumeGain {
    /// Decomposes, for each sample, the region that neither `fixed` (row-major) nor the samples at
    /// the anchors dominate.
    pub(crate) fn new(
        frame: &Frame,
        fixed: &[f64],
        sampler: &Sampler<'_>,
    ) -> Result<Self, AcqError> {
        let m = frame.reference.len();
        let mut cells = SampleCells::new(&frame.reference, &frame.scale);
        if sampler.anchors == 0 {
            let boxes = BoxDecomposition::from_points(Points::new(fixed, m)?, &frame.reference)?;
            cells.push(&boxes);
        } else {
            let (a, s) = (sampler.anchors, sampler.samples);
            let mut front = fixed.to_vec();
            for sample in 0..s {
                front.truncate(fixed.len());
                for j in 0..a {
                    front.extend((0..m).map(|o| sampler.anchor_samples[(o * a + j) * s + sample]));
                }
                let points = Points::new(&front, m)?;
                cells.push(&BoxDecomposition::from_points(points, &frame.reference)?);
            }
        }
        tracing::debug!(
            cells = cells.len(),
            anchors = sampler.anchors,
            "decomposed the fronts"
        );
        Ok(Self {
            cells,
            log_unit: frame.scale.iter().map(|s| s.ln()).sum(),
        })
    }
}

/// Below this mean (normalised) the plain improvement is smoothed after all, because its excess
/// over the plain one would no longer be negligible.
const RESOLVED: f64 = 1e-5;

impl Gain for HypervolumeGain {
    fn log_mean(&self, f: &[f64], q: usize) -> f64 {
        self.cells.mean_smooth(f, q, None).ln() + self.log_unit
    }

    fn log_mean_gradient(&self, f: &[f64], q: usize, f_bar: &mut [f64]) -> f64 {
        let mean = self.cells.mean_smooth(f, q, Some(f_bar));
        for value in &mut *f_bar {
            *value /= mean;
        }
        mean.ln() + self.log_unit
    }

    fn log_mean_quick(&self, f: &[f64]) -> f64 {
        let mean = self.cells.mean_plain(f);
        if mean > RESOLVED {
            mean.ln() + self.log_unit
        } else {
            self.log_mean(f, 1)
        }
    }
}

/// Checks what the sampled hypervolume improvements have in common.
pub(crate) fn check_sampled(
    name: &'static str,
    context: &AcquisitionContext<'_>,
    samples: usize,
) -> Result<(), AcqError> {
    check(context)?;
    let m = context.model.num_outputs();
    if m == 0 || m > MAX_OBJECTIVES {
        return Err(AcqError::ObjectiveCount {
            name,
            expected: "one to six objectives",
            found: m,
        });
    }
    check_samples(samples)
}

pub(crate) fn check_samples(samples: usize) -> Result<(), AcqError> {
    if samples == 0 {
        return Err(AcqError::Setting {
            what: "the number of samples",
            value: 0.0,
            expected: "at least 1",
        });
    }
    Ok(())
}

/// Logarithm of the expected hypervolume improvement of up to six points over the front of the
/// *observed* costs, by Monte Carlo.
///
/// Right when observations are free of noise; with noise the front itself is uncertain and
/// [`QLogNoisyExpectedHypervolumeImprovement`](crate::QLogNoisyExpectedHypervolumeImprovement) is
/// the better choice. Correlations between outputs count. Pending points join the front of each
/// sample with the outcome they have in it. The logarithm is smooth and finite everywhere (see
/// `cells.rs`), so it has a useful gradient where no sample improves.
///
/// With one objective this is the logarithm of the expected improvement below the reference.
///
/// # References
/// Daulton, Balandat and Bakshy 2020 (Monte Carlo EHVI); Ament et al. 2023 (logarithm).
#[doc(alias = "qLogEHVI")]
pub struct QLogExpectedHypervolumeImprovement<'a>(Sampled<'a, HypervolumeGain>);

impl<'a> QLogExpectedHypervolumeImprovement<'a> {
    /// Draws `samples` base samples and decomposes the region the front leaves.
    ///
    /// # Errors
    /// If the model has no output or more than six, an input is not finite, `samples` is zero, or
    /// the posterior at the pending points is not finite.
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn new(
        context: AcquisitionContext<'a>,
        samples: usize,
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        check_sampled("the expected hypervolume improvement", &context, samples)?;
        let front = observed_front(&context)?;
        let frame = Frame::new(&context, &front, rng)?;
        let d = context.model.input_dim();
        let anchors = stack_rows(Mat::<f64>::new().as_ref(), context.pending, d);
        let sampler = Sampler::new(context.model, anchors.as_ref(), samples, &frame.scale, rng)?;
        let fixed: Vec<f64> = front
            .iter()
            .flat_map(|&i| context.costs.row(i).iter().copied().collect::<Vec<_>>())
            .collect();
        let gain = HypervolumeGain::new(&frame, &fixed, &sampler)?;
        Ok(Self(Sampled {
            sampler,
            gain,
            incumbents: select_rows(context.observed, &front),
        }))
    }
}

impl AcquisitionFunction for QLogExpectedHypervolumeImprovement<'_> {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        self.0.utility(x)
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, gradient: MatMut<'_, f64>) -> Option<f64> {
        self.0.utility_gradient(x, gradient)
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        self.0.utilities(x)
    }

    fn incumbents(&self) -> Mat<f64> {
        self.0.incumbents()
    }
}
