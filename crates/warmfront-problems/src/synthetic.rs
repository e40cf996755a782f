//! A problem given by a formula over a box.

use rand::Rng;
use warmfront_core::{
    Candidate, Domain, Fidelity, FidelityRange, Objective, Objectives, Outcome, SearchSpace,
    UnitPoint,
};
use warmfront_math::distribution::standard_normal;

use crate::ProblemError;
use crate::problem::{Known, Optimum, Problem, Provenance};

type Formula = Box<dyn Fn(&[f64], f64, &mut [f64]) + Send + Sync>;
type Front = Box<dyn Fn(usize) -> Vec<Vec<f64>> + Send + Sync>;

/// A formula over a box of real inputs, with optional Gaussian noise and what is known of it.
///
/// The formula sees natural units and writes raw values, in the direction of the objectives.
///
/// ```
/// use warmfront_core::{Candidate, Objectives, UnitPoint};
/// use warmfront_problems::{Known, Problem, Provenance, Synthetic};
///
/// let sphere = Synthetic::new("sphere", &[(-1.0, 1.0); 2], Objectives::minimize_all(1), |x, y| {
///     y[0] = x[0] * x[0] + x[1] * x[1];
/// });
/// let corner = Candidate::at(UnitPoint::new([0.0, 1.0])?);
/// let outcome = sphere.noise_free(&corner).expect("a formula has no unknown values");
/// assert_eq!(outcome.costs().and_then(|costs| costs.complete()), Some(vec![2.0]));
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
pub struct Synthetic {
    name: String,
    bounds: Vec<(f64, f64)>,
    space: SearchSpace,
    objectives: Objectives,
    formula: Formula,
    noise: Vec<f64>,
    reference: Known<Vec<f64>>,
    max_hypervolume: Option<Known<f64>>,
    optimum: Option<Known<Optimum>>,
    front: Option<(Provenance, Front)>,
}

/// Objectives to minimise with these names, which must be distinct.
pub(crate) fn minimise(names: &[&str]) -> Objectives {
    Objectives::new(names.iter().map(|&name| Objective::minimize(name)))
        .expect("problems name their objectives apart")
}

impl Synthetic {
    /// A noise-free problem over `bounds`, inputs named `x1`, `x2`, …; until
    /// [`with_reference`](Self::with_reference) its reference point is 0 in each cost.
    ///
    /// # Panics
    /// If `bounds` is empty or one of them is not a finite range with `low < high`.
    #[must_use]
    #[track_caller]
    pub fn new(
        name: &str,
        bounds: &[(f64, f64)],
        objectives: Objectives,
        formula: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'static,
    ) -> Self {
        let formula: Formula = Box::new(move |x, _, y| formula(x, y));
        Self::build(name, bounds, None, objectives, formula)
    }

    /// As [`new`](Self::new) for a formula that also sees the budget of the evaluation, in the unit
    /// of `budgets`. The cost of an evaluation is its share of the largest budget, which is also the
    /// budget of candidates without a fidelity.
    ///
    /// ```
    /// use warmfront_core::{Candidate, Fidelity, FidelityRange, Objectives, UnitPoint};
    /// use warmfront_problems::{Problem, Synthetic};
    ///
    /// let epochs = FidelityRange::integer("epoch", 1, 20)?;
    /// let learning = Synthetic::with_budgets(
    ///     "learning",
    ///     &[(0.0, 1.0)],
    ///     epochs,
    ///     Objectives::minimize_all(1),
    ///     |x, epochs, y| y[0] = x[0] + 1.0 / epochs,
    /// );
    /// let tenth = Fidelity::new(0.1)?;
    /// let candidate = Candidate::at(UnitPoint::new([0.25])?).with_fidelity(tenth);
    /// let outcome = learning.noise_free(&candidate).expect("a formula has no unknown values");
    /// assert_eq!(outcome.costs().and_then(|costs| costs.complete()), Some(vec![0.75]));
    /// assert_eq!(learning.cost(Some(&tenth)), 0.1);
    /// # Ok::<(), warmfront_core::SpaceError>(())
    /// ```
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    #[track_caller]
    pub fn with_budgets(
        name: &str,
        bounds: &[(f64, f64)],
        budgets: FidelityRange,
        objectives: Objectives,
        formula: impl Fn(&[f64], f64, &mut [f64]) + Send + Sync + 'static,
    ) -> Self {
        Self::build(name, bounds, Some(budgets), objectives, Box::new(formula))
    }

    #[track_caller]
    fn build(
        name: &str,
        bounds: &[(f64, f64)],
        budgets: Option<FidelityRange>,
        objectives: Objectives,
        formula: Formula,
    ) -> Self {
        let mut builder = SearchSpace::builder();
        if let Some(budgets) = budgets {
            builder = builder.fidelity(budgets);
        }
        for (j, &(low, high)) in bounds.iter().enumerate() {
            builder = builder.param(format!("x{}", j + 1), Domain::real(low, high));
        }
        let space = match builder.build() {
            Ok(space) => space,
            Err(error) => panic!("bounds {bounds:?} make no space: {error}"),
        };
        let m = objectives.len();
        Self {
            name: name.to_owned(),
            bounds: bounds.to_vec(),
            space,
            objectives,
            formula,
            noise: vec![0.0; m],
            reference: Known::new(
                vec![0.0; m],
                Provenance::Approximated {
                    method: "no reference point was given",
                },
            ),
            max_hypervolume: None,
            optimum: None,
            front: None,
        }
    }

    /// The same problem with independent Gaussian noise of this standard deviation on each
    /// objective.
    ///
    /// # Panics
    /// If there is not one finite standard deviation ≥ 0 per objective.
    #[must_use]
    #[track_caller]
    pub fn with_noise(mut self, std: &[f64]) -> Self {
        assert_eq!(
            std.len(),
            self.objectives.len(),
            "one standard deviation per objective"
        );
        assert!(
            std.iter().all(|s| s.is_finite() && *s >= 0.0),
            "standard deviations must be finite and not negative, got {std:?}"
        );
        self.noise = std.to_vec();
        self
    }

    /// The same problem with this reference point, upper bounds in cost space.
    ///
    /// # Panics
    /// If there is not one number per objective.
    #[must_use]
    #[track_caller]
    pub fn with_reference(mut self, reference: Known<Vec<f64>>) -> Self {
        assert_eq!(
            reference.value.len(),
            self.objectives.len(),
            "one bound per objective"
        );
        self.reference = reference;
        self
    }

    /// The same problem with the hypervolume of its true front.
    #[must_use]
    pub fn with_max_hypervolume(mut self, value: Known<f64>) -> Self {
        self.max_hypervolume = Some(value);
        self
    }

    /// The same problem with the points (natural units) that reach its best cost.
    ///
    /// # Panics
    /// If a point is outside the bounds.
    #[must_use]
    #[track_caller]
    pub fn with_optimum(mut self, points: &[&[f64]], cost: Known<f64>) -> Self {
        let unit = |point: &&[f64]| {
            assert_eq!(point.len(), self.bounds.len(), "one coordinate per input");
            let coords: Vec<f64> = point
                .iter()
                .zip(&self.bounds)
                .map(|(x, (low, high))| (x - low) / (high - low))
                .collect();
            match UnitPoint::new(coords) {
                Ok(point) => point,
                Err(error) => panic!("the optimum {point:?} is outside the bounds: {error}"),
            }
        };
        let points = points.iter().map(unit).collect();
        self.optimum = Some(cost.map(|cost| Optimum { points, cost }));
        self
    }

    /// The same problem with its true front, given by a function of how many points to return.
    #[must_use]
    pub fn with_front(
        mut self,
        provenance: Provenance,
        front: impl Fn(usize) -> Vec<Vec<f64>> + Send + Sync + 'static,
    ) -> Self {
        self.front = Some((provenance, Box::new(front)));
        self
    }

    /// Lower and upper bound of each input in natural units.
    #[must_use]
    pub fn bounds(&self) -> &[(f64, f64)] {
        &self.bounds
    }

    /// The formula at `x` in natural units (length d) and the largest budget: raw values (length m).
    ///
    /// # Panics
    /// If `x` does not have one value per input.
    #[must_use]
    #[track_caller]
    pub fn value(&self, x: &[f64]) -> Vec<f64> {
        let largest = self.space.fidelity().map_or(1.0, FidelityRange::high);
        self.value_at(x, largest)
    }

    /// The formula at `x` in natural units (length d) and a budget in its unit: raw values (length
    /// m). Without budgets the budget plays no part.
    ///
    /// # Panics
    /// If `x` does not have one value per input.
    #[must_use]
    #[track_caller]
    pub fn value_at(&self, x: &[f64], budget: f64) -> Vec<f64> {
        assert_eq!(
            x.len(),
            self.bounds.len(),
            "one value per input (left: x, right: inputs)"
        );
        let mut y = vec![0.0; self.objectives.len()];
        (self.formula)(x, budget, &mut y);
        y
    }

    fn at(&self, candidate: &Candidate) -> Vec<f64> {
        let coords = candidate.point.coords();
        assert_eq!(coords.len(), self.bounds.len(), "one coordinate per input");
        let x: Vec<f64> = coords
            .iter()
            .zip(&self.bounds)
            // This form hits both bounds exactly.
            .map(|(u, (low, high))| low * (1.0 - u) + high * u)
            .collect();
        match (self.space.fidelity(), candidate.fidelity) {
            (Some(range), Some(fidelity)) => self.value_at(&x, range.budget(fidelity)),
            _ => self.value(&x),
        }
    }

    fn outcome(&self, raw: &[f64]) -> Outcome {
        match self.objectives.to_costs(raw) {
            Ok(costs) => Outcome::Complete(costs),
            Err(error) => Outcome::failed(error.to_string()),
        }
    }
}

impl Problem for Synthetic {
    fn name(&self) -> &str {
        &self.name
    }

    fn space(&self) -> &SearchSpace {
        &self.space
    }

    fn objectives(&self) -> &Objectives {
        &self.objectives
    }

    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        let mut raw = self.at(candidate);
        for (value, std) in raw.iter_mut().zip(&self.noise) {
            // A noise-free objective draws nothing, so that adding noise to one changes no other.
            if *std > 0.0 {
                *value += std * standard_normal(rng);
            }
        }
        Ok(self.outcome(&raw))
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        Some(self.outcome(&self.at(candidate)))
    }

    /// The share of the largest budget that is really spent, after rounding to whole budgets.
    fn cost(&self, fidelity: Option<&Fidelity>) -> f64 {
        match (fidelity, self.space.fidelity()) {
            (Some(fidelity), Some(range)) => range.budget(*fidelity) / range.high(),
            _ => 1.0,
        }
    }

    fn reference_point(&self) -> Known<&[f64]> {
        Known::new(&self.reference.value, self.reference.provenance)
    }

    fn max_hypervolume(&self) -> Option<Known<f64>> {
        self.max_hypervolume
    }

    fn optimum(&self) -> Option<Known<&Optimum>> {
        self.optimum
            .as_ref()
            .map(|known| Known::new(&known.value, known.provenance))
    }

    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        self.front
            .as_ref()
            .map(|(provenance, front)| Known::new(front(points), *provenance))
    }
}
