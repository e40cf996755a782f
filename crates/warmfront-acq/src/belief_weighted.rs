//! An acquisition function bent towards where an expert believes good points lie.

use warmfront_core::{Belief, Purpose, Seed, UnitPoint};
use warmfront_linalg::{Mat, MatMut, MatRef};

use crate::AcquisitionFunction;

/// Draws of the belief among the incumbents.
const DRAWS: u64 = 7;

/// The incumbents are part of a deterministic function, so their draws have a seed of their own.
const SEED: Seed = Seed(0x7072_696f_7273);

/// `inner + exponent · Σ ln π(row)`: for a logarithmic utility, the utility times the believed
/// density π to the power `exponent`.
///
/// Searches for its maximum start near the inner function's incumbents, near the mode of the belief
/// and near a few draws from it.
///
/// # References
/// Hvarfner et al. 2022 (πBO), equation 6; PriMO (arXiv 2511.08371).
///
/// # Examples
/// ```
/// use warmfront_acq::{AcquisitionFunction, BeliefWeighted};
/// use warmfront_core::{Belief, SearchSpace};
/// use warmfront_linalg::{Mat, MatRef};
///
/// struct Flat;
/// impl AcquisitionFunction for Flat {
///     fn utility(&self, _: MatRef<'_, f64>) -> f64 {
///         0.0
///     }
/// }
///
/// let belief = Belief::uniform(&SearchSpace::unit_cube(1), 0).with("x0", 0.2, 0.75)?;
/// let weighted = BeliefWeighted::new(Box::new(Flat), &belief, 0.5);
/// let at = |x: f64| weighted.utility(Mat::from_fn(1, 1, |_, _| x).as_ref());
/// assert!(at(0.2) > at(0.8));
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
#[doc(alias = "PiBO")]
pub struct BeliefWeighted<'a> {
    inner: Box<dyn AcquisitionFunction + 'a>,
    belief: &'a Belief,
    exponent: f64,
}

impl<'a> BeliefWeighted<'a> {
    /// Weighs `inner`, which should be logarithmic, with the believed density to the power `exponent`.
    ///
    /// # Panics
    /// If `exponent` is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn new(
        inner: Box<dyn AcquisitionFunction + 'a>,
        belief: &'a Belief,
        exponent: f64,
    ) -> Self {
        assert!(
            exponent.is_finite() && exponent >= 0.0,
            "the exponent of the belief is {exponent}, expected a finite number not below 0"
        );
        Self {
            inner,
            belief,
            exponent,
        }
    }

    fn ln_weight(&self, x: MatRef<'_, f64>, row: usize) -> f64 {
        let coords: Vec<f64> = x.row(row).iter().copied().collect();
        self.exponent * self.belief.ln_density(&UnitPoint::clamped(coords))
    }
}

impl AcquisitionFunction for BeliefWeighted<'_> {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        let weights: f64 = (0..x.nrows()).map(|row| self.ln_weight(x, row)).sum();
        self.inner.utility(x) + weights
    }

    /// The gradient, and the value, treat integers and ordinals as if they were real: see
    /// [`Belief::ln_density_gradient`].
    fn utility_gradient(&self, x: MatRef<'_, f64>, mut gradient: MatMut<'_, f64>) -> Option<f64> {
        let mut value = self.inner.utility_gradient(x, gradient.as_mut())?;
        let mut slope = vec![0.0; x.ncols()];
        for row in 0..x.nrows() {
            let coords: Vec<f64> = x.row(row).iter().copied().collect();
            slope.fill(0.0);
            value += self.exponent * self.belief.ln_density_gradient(&coords, &mut slope);
            for (k, slope) in slope.iter().enumerate() {
                gradient[(row, k)] += self.exponent * slope;
            }
        }
        Some(value)
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let mut utilities = self.inner.utilities(x);
        for (row, utility) in utilities.iter_mut().enumerate() {
            *utility += self.ln_weight(x, row);
        }
        utilities
    }

    fn incumbents(&self) -> Mat<f64> {
        let inner = self.inner.incumbents();
        let mut believed = vec![self.belief.mode()];
        let mut rng = SEED.stream(Purpose::Ask, 0);
        believed.extend((0..DRAWS).map(|_| self.belief.sample(&mut rng)));
        let n = inner.nrows();
        let d = believed[0].dim();
        // Taken in turn by the search, which may have less patience than there are rows.
        Mat::from_fn(n + believed.len(), d, |i, k| {
            if i < n {
                inner[(i, k)]
            } else {
                believed[i - n].coords()[k]
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_core::SearchSpace;

    use super::*;
    use crate::{MaximizeConfig, maximize};

    /// −Σ (x − 0.7)² over the rows.
    struct Bowl;

    impl AcquisitionFunction for Bowl {
        fn utility(&self, x: MatRef<'_, f64>) -> f64 {
            (0..x.nrows())
                .flat_map(|i| (0..x.ncols()).map(move |k| -(x[(i, k)] - 0.7).powi(2)))
                .sum()
        }

        fn utility_gradient(
            &self,
            x: MatRef<'_, f64>,
            mut gradient: MatMut<'_, f64>,
        ) -> Option<f64> {
            for i in 0..x.nrows() {
                for k in 0..x.ncols() {
                    gradient[(i, k)] = -2.0 * (x[(i, k)] - 0.7);
                }
            }
            Some(self.utility(x))
        }
    }

    fn belief() -> Belief {
        Belief::uniform(&SearchSpace::unit_cube(2), 0)
            .with("x0", 0.2, 0.75)
            .unwrap()
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_utility() {
        let belief = belief();
        let weighted = BeliefWeighted::new(Box::new(Bowl), &belief, 0.6);
        let x = Mat::from_fn(2, 2, |i, k| 0.15 + 0.3 * i as f64 + 0.2 * k as f64);
        let mut gradient = Mat::zeros(2, 2);
        let value = weighted
            .utility_gradient(x.as_ref(), gradient.as_mut())
            .unwrap();
        assert!((value - weighted.utility(x.as_ref())).abs() < 1e-12);
        for i in 0..2 {
            for k in 0..2 {
                let step = |h: f64| {
                    let mut moved = x.clone();
                    moved[(i, k)] += h;
                    weighted.utility(moved.as_ref())
                };
                let slope = (step(1e-5) - step(-1e-5)) / 2e-5;
                assert!((slope - gradient[(i, k)]).abs() < 1e-6, "{i} {k}");
            }
        }
        let single = weighted.utilities(x.as_ref());
        assert!((single[0] + single[1] - value).abs() < 1e-12);
    }

    #[test]
    fn the_maximum_lies_between_both_opinions() {
        // −(x − 0.7)² − γ(x − 0.2)²/(2·0.25²) is largest at (0.7 + 8γ·0.2)/(1 + 8γ).
        let belief = belief();
        let space = SearchSpace::unit_cube(2);
        for exponent in [0.0_f64, 0.05, 1.0] {
            let weighted = BeliefWeighted::new(Box::new(Bowl), &belief, exponent);
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let config = MaximizeConfig::default();
            let top = maximize(&weighted, &space, &[], &config, &mut rng).unwrap();
            let expected = (0.7 + 8.0 * exponent * 0.2) / (1.0 + 8.0 * exponent);
            let found = top.point.coords();
            assert!((found[0] - expected).abs() < 1e-3, "{exponent}: {found:?}");
            assert!((found[1] - 0.7).abs() < 1e-3, "{exponent}: {found:?}");
        }
    }

    #[test]
    fn searches_are_told_of_the_mode() {
        let belief = belief();
        let weighted = BeliefWeighted::new(Box::new(Bowl), &belief, 1.0);
        let incumbents = weighted.incumbents();
        assert_eq!(incumbents.nrows(), 1 + DRAWS as usize);
        assert!((incumbents[(0, 0)] - 0.2).abs() < 1e-12);
        assert_eq!(incumbents, weighted.incumbents());
    }
}
