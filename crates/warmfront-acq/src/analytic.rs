//! Acquisition functions of one objective in closed form.
//!
//! All are functions of the posterior mean μ and standard deviation σ of the cost at one point.
//! Pending points are believed to turn out at their posterior mean.

use rand::Rng;
use warmfront_linalg::{Mat, MatMut, MatRef};
use warmfront_math::special::{ei_helper, log_ei_helper_with_derivative, ndtr, norm_pdf};

use crate::believer::Believer;
use crate::frame::{Frame, check, select_rows};
use crate::{AcqError, AcquisitionContext, AcquisitionFunction};

/// How many of the observed points count as incumbents.
const INCUMBENTS: usize = 5;

/// The cost an improvement is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incumbent {
    /// The lowest observed cost.
    Observed,
    /// The lowest posterior mean among the observed points, which noise does not flatter.
    PosteriorMean,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    ImprovementLog { best: f64 },
    Improvement { best: f64 },
    Bound { width: f64 },
}

impl Form {
    /// The utility and its derivatives with respect to μ and σ.
    fn evaluate(self, mean: f64, sd: f64) -> (f64, f64, f64) {
        match self {
            Self::ImprovementLog { best } => {
                let z = (best - mean) / sd;
                let (log_h, slope) = log_ei_helper_with_derivative(z);
                // φ/h = 1 − zΦ/h; the difference is benign, for far right it tends to 0.
                (sd.ln() + log_h, -slope / sd, (1.0 - z * slope) / sd)
            }
            Self::Improvement { best } => {
                let z = (best - mean) / sd;
                (sd * ei_helper(z), -ndtr(z), norm_pdf(z))
            }
            Self::Bound { width } => (width * sd - mean, -1.0, width),
        }
    }
}

/// What the closed forms share.
struct Marginal<'a> {
    believer: Believer<'a>,
    form: Form,
    incumbents: Mat<f64>,
}

impl<'a> Marginal<'a> {
    #[track_caller]
    fn new(
        name: &'static str,
        context: AcquisitionContext<'a>,
        rng: &mut dyn Rng,
        form: impl FnOnce(&Believer<'a>, &Frame) -> Form,
    ) -> Result<Self, AcqError> {
        check(&context)?;
        let m = context.model.num_outputs();
        if m != 1 {
            return Err(AcqError::ObjectiveCount {
                name,
                expected: "one objective",
                found: m,
            });
        }
        let mut order: Vec<usize> = (0..context.costs.nrows()).collect();
        order.sort_by(|&a, &b| context.costs[(a, 0)].total_cmp(&context.costs[(b, 0)]));
        order.truncate(INCUMBENTS);
        let front = &order[..order.len().min(1)];
        let frame = Frame::new(&context, front, rng)?;
        let believer = Believer::new(context.model, context.pending, &frame.scale)?;
        Ok(Self {
            form: form(&believer, &frame),
            believer,
            incumbents: select_rows(context.observed, &order),
        })
    }

    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        assert!(x.nrows() == 1, "expected one point, got {}", x.nrows());
        self.utilities(x)[0]
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let mut out = Vec::with_capacity(x.nrows());
        self.believer.for_each(x, |mean, sd| {
            out.push(self.form.evaluate(mean[0], sd[0]).0);
        });
        out
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
        Some(
            self.believer
                .gradient(x, gradient, |mean, sd, mean_bar, sd_bar| {
                    let (value, dmean, dsd) = self.form.evaluate(mean[0], sd[0]);
                    (mean_bar[0], sd_bar[0]) = (dmean, dsd);
                    value
                }),
        )
    }
}

/// The cost to improve on. While nothing is observed it is the lower end of the prior mean's range.
fn incumbent(
    context: &AcquisitionContext<'_>,
    kind: Incumbent,
) -> impl Fn(&Believer<'_>, &Frame) -> f64 {
    let lowest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let best = match kind {
        _ if context.costs.nrows() == 0 => f64::INFINITY,
        Incumbent::Observed => lowest(&mut context.costs.col(0).iter().copied()),
        Incumbent::PosteriorMean => {
            let marginals = context.model.predict(context.observed);
            lowest(&mut marginals.mean.col(0).iter().copied())
        }
    };
    move |believer, frame| {
        let best = if best.is_finite() {
            best
        } else {
            frame.reference[0] - frame.scale[0]
        };
        believer.believed().into_iter().fold(best, f64::min)
    }
}

macro_rules! forward {
    ($name:ident) => {
        impl AcquisitionFunction for $name<'_> {
            fn utility(&self, x: MatRef<'_, f64>) -> f64 {
                self.0.utility(x)
            }

            fn utility_gradient(
                &self,
                x: MatRef<'_, f64>,
                gradient: MatMut<'_, f64>,
            ) -> Option<f64> {
                self.0.utility_gradient(x, gradient)
            }

            fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
                self.0.utilities(x)
            }

            fn incumbents(&self) -> Mat<f64> {
                self.0.incumbents.clone()
            }
        }
    };
}

/// Logarithm of the expected improvement, ln σ + ln h((best − μ)/σ) with h(z) = φ(z) + zΦ(z).
///
/// It has the maximiser of the expected improvement, and a gradient where that underflows.
///
/// # References
/// Ament et al. 2023, equation 9.
#[doc(alias = "LogEI")]
pub struct LogExpectedImprovement<'a>(Marginal<'a>);

impl<'a> LogExpectedImprovement<'a> {
    /// Measures improvement from `incumbent`, or from a believed outcome of a pending point if that
    /// is lower.
    ///
    /// # Errors
    /// If the model has more than one output, an input is not finite, or the posterior at the
    /// pending points is not.
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn new(
        context: AcquisitionContext<'a>,
        incumbent: Incumbent,
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        let form = |believer: &Believer<'a>, frame: &Frame| Form::ImprovementLog {
            best: self::incumbent(&context, incumbent)(believer, frame),
        };
        Marginal::new("the expected improvement", context, rng, form).map(Self)
    }
}

forward!(LogExpectedImprovement);

/// Expected improvement, σ h((best − μ)/σ). For comparison: it underflows where its logarithm,
/// [`LogExpectedImprovement`], does not.
#[doc(alias = "EI")]
pub struct ExpectedImprovement<'a>(Marginal<'a>);

impl<'a> ExpectedImprovement<'a> {
    /// Measures improvement from `incumbent`, or from a believed outcome of a pending point if that
    /// is lower.
    ///
    /// # Errors
    /// As [`LogExpectedImprovement::new`].
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn new(
        context: AcquisitionContext<'a>,
        incumbent: Incumbent,
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        let form = |believer: &Believer<'a>, frame: &Frame| Form::Improvement {
            best: self::incumbent(&context, incumbent)(believer, frame),
        };
        Marginal::new("the expected improvement", context, rng, form).map(Self)
    }
}

forward!(ExpectedImprovement);

/// The optimistic bound of the cost, as a utility: −μ + √β σ.
///
/// For costs the optimistic bound is the lower one, hence "LCB" to those who minimise.
///
/// # References
/// Srinivas et al. 2010.
#[doc(alias = "UCB")]
#[doc(alias = "LCB")]
pub struct ConfidenceBound<'a>(Marginal<'a>);

impl<'a> ConfidenceBound<'a> {
    /// `beta` multiplies the *variance*: 9 means three standard deviations.
    ///
    /// # Errors
    /// If `beta` is negative or not finite, the model has more than one output, an input is not
    /// finite, or the posterior at the pending points is not.
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn new(
        context: AcquisitionContext<'a>,
        beta: f64,
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        if !(beta >= 0.0 && beta.is_finite()) {
            return Err(AcqError::Setting {
                what: "beta",
                value: beta,
                expected: "a finite number of at least 0",
            });
        }
        let form = |_: &Believer<'a>, _: &Frame| Form::Bound { width: beta.sqrt() };
        Marginal::new("the confidence bound", context, rng, form).map(Self)
    }
}

forward!(ConfidenceBound);
