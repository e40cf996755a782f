//! Expected hypervolume improvement in closed form, in logarithms.
//!
//! For independent objectives the expected gain in a box `[l, u)` of the non-dominated region is a
//! product of one-dimensional partial expectations `G_o(u_o) − G_o(l_o)` with
//! `G_o(t) = E[(t − Y_o)₊] = σ_o h((t − μ_o)/σ_o)`. `G_o` is evaluated once for each distinct bound.
//! The sum over the boxes is kept from underflowing (see `boxes.rs`).
//!
//! # References
//! Yang, Emmerich, Deutz and Bäck 2019, *Efficient computation of expected hypervolume improvement
//! using box decomposition algorithms*; Ament et al. 2023 for the logarithms.

mod boxes;

use rand::Rng;
use warmfront_linalg::{Mat, MatMut, MatRef};
use warmfront_pareto::{BoxDecomposition, Points};

use self::boxes::{Boxes, Scratch};
use crate::believer::Believer;
use crate::frame::{Frame, check, observed_front, row_major, select_rows};
use crate::{AcqError, AcquisitionContext, AcquisitionFunction};

/// Logarithm of the expected hypervolume improvement of one point over the front of the observed
/// costs, in closed form.
///
/// Correlations between outputs are ignored: the marginals are taken as independent. Pending points
/// are believed to turn out at their posterior mean.
#[doc(alias = "EHVI")]
#[doc(alias = "LogEHVI")]
pub struct LogExpectedHypervolumeImprovement<'a> {
    believer: Believer<'a>,
    boxes: Boxes,
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
            boxes: Boxes::new(&boxes),
            incumbents: select_rows(context.observed, &front),
        })
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
        let mut scratch = Scratch::new(&self.boxes);
        Some(
            self.believer
                .gradient(x, gradient, |mean, sd, mean_bar, sd_bar| {
                    self.boxes
                        .evaluate(mean, sd, &mut scratch, Some((mean_bar, sd_bar)))
                }),
        )
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let mut scratch = Scratch::new(&self.boxes);
        let mut out = Vec::with_capacity(x.nrows());
        self.believer.for_each(x, |mean, sd| {
            out.push(self.boxes.evaluate(mean, sd, &mut scratch, None));
        });
        out
    }

    fn incumbents(&self) -> Mat<f64> {
        self.incumbents.clone()
    }
}
