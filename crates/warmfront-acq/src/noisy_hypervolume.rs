//! Expected hypervolume improvement by Monte Carlo, on a front that is itself uncertain.

use rand::Rng;
use warmfront_linalg::{Mat, MatMut, MatRef};

use crate::frame::{Frame, observed_front, select_rows, stack_rows};
use crate::hypervolume_improvement::{HypervolumeGain, check_sampled};
use crate::prune::plausible_front;
use crate::sampled::Sampled;
use crate::sampler::Sampler;
use crate::{AcqError, AcquisitionContext, AcquisitionFunction};

/// Logarithm of the expected hypervolume improvement of up to six points over the front of the
/// *latent* costs at the observed points, by Monte Carlo.
///
/// The latent costs at the observed and pending points are sampled jointly; each sample has its own
/// front and its own box decomposition, and the outcomes at the query points continue that sample.
/// Observed points that are non-dominated in hardly any sample are left out. Without noise the
/// latent costs are the observed ones, and the result is that of
/// [`QLogExpectedHypervolumeImprovement`](crate::QLogExpectedHypervolumeImprovement).
///
/// # References
/// Daulton, Balandat and Bakshy 2021 (noisy EHVI, cached box decompositions and root); Ament et al.
/// 2023 (logarithm).
#[doc(alias = "qLogNEHVI")]
pub struct QLogNoisyExpectedHypervolumeImprovement<'a>(Sampled<'a, HypervolumeGain>);

impl<'a> QLogNoisyExpectedHypervolumeImprovement<'a> {
    /// Samples the latent costs `samples` times and decomposes the region each sample leaves.
    ///
    /// # Errors
    /// If the model has no output or more than six, an input is not finite, `samples` is zero, or
    /// the posterior at the observed or pending points is not finite.
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn new(
        context: AcquisitionContext<'a>,
        samples: usize,
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        check_sampled(
            "the noisy expected hypervolume improvement",
            &context,
            samples,
        )?;
        let front = observed_front(&context)?;
        let frame = Frame::new(&context, &front, rng)?;
        let kept = plausible_front(context.model, context.observed, &frame, rng)?;
        let baseline = select_rows(context.observed, &kept);
        let d = context.model.input_dim();
        let anchors = stack_rows(baseline.as_ref(), context.pending, d);
        let sampler = Sampler::new(context.model, anchors.as_ref(), samples, &frame.scale, rng)?;
        let gain = HypervolumeGain::new(&frame, &[], &sampler)?;
        Ok(Self(Sampled {
            sampler,
            gain,
            incumbents: select_rows(context.observed, &front),
        }))
    }
}

impl AcquisitionFunction for QLogNoisyExpectedHypervolumeImprovement<'_> {
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
