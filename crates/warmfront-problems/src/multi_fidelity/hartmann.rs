//! Hartmann functions whose wells are shallower, and whose values are disturbed, at small budgets.

use warmfront_core::{Fidelity, Purpose, Seed};
use warmfront_math::distribution::standard_normal;

use super::{FULL, budgets, share, synthetic_problem};
use crate::hartmann::{ALPHA, hartmann3, hartmann3_value, hartmann6, hartmann6_value};
use crate::problem::{Known, Problem, Provenance};
use crate::synthetic::{Synthetic, minimise};

/// The seed of mf-prior-bench.
const SEED: Seed = Seed(1337);

/// How well small budgets of [`MfHartmann`] tell what the full one would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MfHartmannKind {
    /// Bias 2.5, noise 2.
    Good,
    /// Bias 3, noise 3.
    Moderate,
    /// Bias 3.5, noise 4.
    Bad,
    /// Bias 4, noise 5.
    Terrible,
    /// Bias 0.5, noise 0.1: hardly changed by the budget.
    Plain,
}

impl MfHartmannKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Good,
        Self::Moderate,
        Self::Bad,
        Self::Terrible,
        Self::Plain,
    ];

    /// What small budgets take from the depth of each well.
    #[must_use]
    pub fn bias(self) -> f64 {
        match self {
            Self::Good => 2.5,
            Self::Moderate => 3.0,
            Self::Bad => 3.5,
            Self::Terrible => 4.0,
            Self::Plain => 0.5,
        }
    }

    /// The scale of what small budgets add to values.
    #[must_use]
    pub fn noise(self) -> f64 {
        match self {
            Self::Good => 2.0,
            Self::Moderate => 3.0,
            Self::Bad => 4.0,
            Self::Terrible => 5.0,
            Self::Plain => 0.1,
        }
    }

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Moderate => "moderate",
            Self::Bad => "bad",
            Self::Terrible => "terrible",
            Self::Plain => "plain",
        }
    }
}

/// Hartmann in three or six dimensions with budgets `z` from 1 to 100, one objective.
///
/// With `ζ = ln z / ln 100` the wells have the depths `αᵢ − bias·(1 − ζ)`, and `noise·(1 − ζ)·|ε|`
/// is added. The disturbance `ε` is no noise of the evaluation but a part of the function: a
/// standard normal value that is a fixed function of seed, budget and input. At the full budget it
/// is the standard Hartmann function.
///
/// mf-prior-bench draws `ε` from NumPy's generator; here it comes from the streams of
/// [`Seed`], so that single values at small budgets differ while their distribution does not.
///
/// ```
/// use warmfront_core::{Candidate, Fidelity, UnitPoint};
/// use warmfront_problems::{MfHartmann, MfHartmannKind, Problem};
///
/// let problem = MfHartmann::new(3, MfHartmannKind::Good);
/// let point = UnitPoint::new([0.114614, 0.555649, 0.852547])?;
/// let cost = |candidate: &Candidate| {
///     let outcome = problem.noise_free(candidate).expect("a formula has no unknown values");
///     outcome.costs().and_then(|costs| costs.complete()).expect("finite")[0]
/// };
/// let full = Candidate::at(point);
/// assert!((cost(&full) + 3.86278).abs() < 1e-5);
/// let tenth = Fidelity::new(0.1)?;
/// assert!(cost(&full.clone().with_fidelity(tenth)) > -1.9);
/// assert_eq!(problem.cost(Some(&tenth)), 0.1);
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
pub struct MfHartmann {
    inner: Synthetic,
    dim: usize,
    kind: MfHartmannKind,
}

impl MfHartmann {
    /// The problem in `dim` dimensions, 3 or 6.
    ///
    /// # Panics
    /// If `dim` is neither.
    #[must_use]
    #[track_caller]
    pub fn new(dim: usize, kind: MfHartmannKind) -> Self {
        Self::with_seed(dim, kind, SEED)
    }

    /// The same problem with the disturbance of another seed.
    ///
    /// # Panics
    /// If `dim` is neither 3 nor 6.
    #[must_use]
    #[track_caller]
    pub fn with_seed(dim: usize, kind: MfHartmannKind, seed: Seed) -> Self {
        assert!(
            matches!(dim, 3 | 6),
            "Hartmann has 3 or 6 dimensions, not {dim}"
        );
        let inner = Synthetic::with_budgets(
            &format!("mf_hartmann{dim}_{}", kind.name()),
            &vec![(0.0, 1.0); dim],
            budgets("z"),
            minimise(&["value"]),
            move |x, z, y| {
                y[0] = biased(x, kind.bias(), z) + disturbance(x, kind.noise(), z, seed);
            },
        )
        .with_reference(Known::new(vec![0.0], Provenance::Analytic));
        let full = if dim == 3 { hartmann3() } else { hartmann6() };
        let optimum = full.optimum().expect("standard Hartmann knows its optimum");
        let points: Vec<&[f64]> = optimum
            .value
            .points
            .iter()
            .map(|point| point.coords())
            .collect();
        let inner = inner.with_optimum(&points, optimum.map(|optimum| optimum.cost));
        Self { inner, dim, kind }
    }

    /// Number of inputs.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How well small budgets tell what the full one would.
    #[must_use]
    pub fn kind(&self) -> MfHartmannKind {
        self.kind
    }

    /// What mf-prior-bench charges: `0.05 + 0.95·(z/100)²`, which is 1 at the full budget.
    ///
    /// [`cost`](Problem::cost) is `z/100` instead, because the protocol of PriMO counts epochs: its
    /// cheapest evaluation costs a hundredth, not a twentieth, and continuing a configuration costs
    /// the difference whatever the budget it is continued from.
    #[must_use]
    pub fn published_cost(&self, fidelity: Option<&Fidelity>) -> f64 {
        let share = self.inner.cost(fidelity);
        0.05 + 0.95 * share * share
    }
}

synthetic_problem!(MfHartmann);

/// `ζ`: 0 at budget 1, 1 at the full budget.
fn closeness(z: f64) -> f64 {
    z.ln() / f64::from(FULL).ln()
}

/// The function without its disturbance.
pub(super) fn biased(x: &[f64], bias: f64, z: f64) -> f64 {
    let alpha = ALPHA.map(|depth| depth - bias * (1.0 - closeness(z)));
    if x.len() == 3 {
        hartmann3_value(x, &alpha)
    } else {
        hartmann6_value(x, &[0.0; 6], &alpha)
    }
}

fn disturbance(x: &[f64], noise: f64, z: f64, seed: Seed) -> f64 {
    let scale = noise * (1.0 - closeness(z));
    if share(z) >= 1.0 {
        return 0.0;
    }
    // Adding zero makes −0 the same input as 0.
    let seed = x.iter().fold(seed, |seed, coordinate| {
        seed.child((coordinate + 0.0).to_bits())
    });
    let mut rng = seed.stream(Purpose::Evaluate, z.to_bits());
    scale * standard_normal(&mut rng).abs()
}
