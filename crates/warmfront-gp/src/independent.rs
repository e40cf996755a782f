//! Several independent models as one model of all their outputs.

use warmfront_linalg::{Mat, MatMut, MatRef};

use crate::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, JointPosterior, Marginals,
    Surrogate,
};

/// Stacks the outputs of independent models over the same inputs: every covariance between
/// outputs of different models is zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Independent<S> {
    models: Vec<S>,
}

impl<S: Surrogate> Independent<S> {
    /// Stacks `models` in order.
    ///
    /// # Panics
    /// If there is no model, or the input dimensions differ.
    #[track_caller]
    #[must_use]
    pub fn new(models: Vec<S>) -> Self {
        assert!(!models.is_empty(), "expected at least one model, got none");
        let d = models[0].input_dim();
        for (i, model) in models.iter().enumerate() {
            let found = model.input_dim();
            assert!(found == d, "model {i} has {found} inputs, model 0 has {d}");
        }
        Self { models }
    }

    /// The stacked models.
    #[must_use]
    pub fn models(&self) -> &[S] {
        &self.models
    }
}

/// Copies `block` into `out`, its first entry to (`row`, `column`).
fn place(out: &mut Mat<f64>, block: MatRef<'_, f64>, row: usize, column: usize) {
    for j in 0..block.ncols() {
        for i in 0..block.nrows() {
            out[(row + i, column + j)] = block[(i, j)];
        }
    }
}

/// Stacks `(mean n×m_s, covariance n·m_s×n·m_s)` of independent models.
fn stack_joint<'a>(parts: impl Iterator<Item = &'a JointPosterior>) -> JointPosterior {
    let parts: Vec<&JointPosterior> = parts.collect();
    let n = parts[0].mean.nrows();
    let m: usize = parts.iter().map(|part| part.mean.ncols()).sum();
    let mut mean = Mat::zeros(n, m);
    let mut covariance = Mat::zeros(n * m, n * m);
    let mut o = 0;
    for part in parts {
        place(&mut mean, part.mean.as_ref(), 0, o);
        place(&mut covariance, part.covariance.as_ref(), o * n, o * n);
        o += part.mean.ncols();
    }
    JointPosterior { mean, covariance }
}

impl<S: Surrogate> Surrogate for Independent<S> {
    fn input_dim(&self) -> usize {
        self.models[0].input_dim()
    }

    fn num_outputs(&self) -> usize {
        self.models.iter().map(Surrogate::num_outputs).sum()
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        let m = self.num_outputs();
        let mut out = Marginals {
            mean: Mat::zeros(x.nrows(), m),
            variance: Mat::zeros(x.nrows(), m),
        };
        let mut o = 0;
        for model in &self.models {
            let part = model.predict(x);
            place(&mut out.mean, part.mean.as_ref(), 0, o);
            place(&mut out.variance, part.variance.as_ref(), 0, o);
            o += model.num_outputs();
        }
        out
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        let parts: Vec<JointPosterior> = self
            .models
            .iter()
            .map(|model| model.posterior(x))
            .collect::<Result<_, _>>()?;
        Ok(stack_joint(parts.iter()))
    }
}

impl<S: DifferentiableSurrogate> DifferentiableSurrogate for Independent<S> {
    fn predict_gradient(
        &self,
        x: &[f64],
        mut dmean: MatMut<'_, f64>,
        mut dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let (mut mean, mut variance) = (Vec::new(), Vec::new());
        let mut o = 0;
        for model in &self.models {
            let m = model.num_outputs();
            let (mu, var) = model.predict_gradient(
                x,
                dmean.as_mut().subcols_mut(o, m),
                dvariance.as_mut().subcols_mut(o, m),
            );
            mean.extend(mu);
            variance.extend(var);
            o += m;
        }
        (mean, variance)
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        let parts: Vec<_> = self
            .models
            .iter()
            .map(|model| (model.num_outputs(), model.anchor(anchors)))
            .collect();
        let joint = stack_joint(parts.iter().map(|(_, part)| part.anchors()));
        Box::new(IndependentAnchored { parts, joint })
    }
}

struct IndependentAnchored<'a> {
    /// Outputs of each model, and its anchored posterior.
    parts: Vec<(usize, Box<dyn AnchoredPosterior + 'a>)>,
    joint: JointPosterior,
}

impl AnchoredPosterior for IndependentAnchored<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let (q, a) = (x.nrows(), self.joint.mean.nrows());
        let m = self.joint.mean.ncols();
        let mut out = AnchoredQuery {
            mean: Mat::zeros(q, m),
            covariance: Mat::zeros(q * m, q * m),
            cross: Mat::zeros(q * m, a * m),
        };
        let mut o = 0;
        for (outputs, part) in &self.parts {
            let query = part.query(x);
            place(&mut out.mean, query.mean.as_ref(), 0, o);
            place(&mut out.covariance, query.covariance.as_ref(), o * q, o * q);
            place(&mut out.cross, query.cross.as_ref(), o * q, o * a);
            o += outputs;
        }
        out
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        let (q, a) = (x.nrows(), self.joint.mean.nrows());
        gradient.fill(0.0);
        let mut part_gradient = Mat::zeros(gradient.nrows(), gradient.ncols());
        let mut o = 0;
        for (m, part) in &self.parts {
            let own = AnchoredQuery {
                mean: adjoint.mean.as_ref().subcols(o, *m).to_owned(),
                covariance: adjoint
                    .covariance
                    .as_ref()
                    .submatrix(o * q, o * q, m * q, m * q)
                    .to_owned(),
                cross: adjoint
                    .cross
                    .as_ref()
                    .submatrix(o * q, o * a, m * q, m * a)
                    .to_owned(),
            };
            part.pullback(x, &own, part_gradient.as_mut());
            for k in 0..gradient.ncols() {
                for i in 0..gradient.nrows() {
                    gradient[(i, k)] += part_gradient[(i, k)];
                }
            }
            o += m;
        }
    }
}
