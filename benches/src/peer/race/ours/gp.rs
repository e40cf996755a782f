//! Regression: one evaluation of the log posterior, a whole fit, predictions.

use anyhow::{bail, ensure};
use warmfront_core::{Purpose, Seed};
use warmfront_gp::{
    Dataset, ExactGp, ExactGpConfig, ExactLikelihood, HyperPrior, Hyperparameters, KernelKind,
    LikelihoodWorkspace, MapObjective as _, Marginals, Standardization, Surrogate as _,
};
use warmfront_linalg::Mat;

use super::{Call, values};
use crate::inputs::{DIM, regression, test_points};
use crate::peer::race::protocol::{Task, Values};

/// The hyper-parameters at which values, gradients and predictions are computed, on standardised outcomes.
const LENGTHSCALE: f64 = 1.0;
const NOISE: f64 = 0.01;
/// How many of the test points a fitted model is asked about.
pub(in crate::peer::race) const CHECKED: usize = 1000;

struct Regression {
    data: Dataset,
    standardization: Standardization,
    /// Standardised outcomes.
    y: Vec<f64>,
    config: ExactGpConfig,
}

impl Regression {
    fn new(task: &Task) -> anyhow::Result<Self> {
        let kernel = match &*task.variant {
            "rbf" => KernelKind::Rbf,
            "matern52" => KernelKind::Matern52,
            other => bail!("unknown kernel `{other}`"),
        };
        let shared = regression(task.n);
        let data = Dataset::new(shared.x.to_mat(), shared.y.to_mat())?;
        let standardization = Standardization::of(data.output(0));
        let y = data.output(0).iter().map(|&v| standardization.apply(v));
        Ok(Self {
            y: y.collect(),
            data,
            standardization,
            config: ExactGpConfig {
                kernel,
                ..ExactGpConfig::default()
            },
        })
    }

    fn likelihood(&self) -> ExactLikelihood<'_> {
        ExactLikelihood::new(self.data.x(), &self.y, &self.config)
    }

    /// The log posterior at (lengthscales, noise), with its gradient by their logarithms.
    fn posterior(
        &self,
        at: &[f64],
        gradient: &mut [f64],
        workspace: &mut LikelihoodWorkspace,
    ) -> anyhow::Result<f64> {
        let mut value = self.likelihood().evaluate(at, gradient, workspace)?;
        let lengthscale = HyperPrior::dimension_scaled_lengthscale(DIM);
        let noise = HyperPrior::standardized_noise();
        for (i, (&v, slope)) in at.iter().zip(gradient).enumerate() {
            let prior = if i < DIM { lengthscale } else { noise };
            value += prior.ln_pdf(v);
            *slope += prior.d_ln_pdf(v) * v;
        }
        Ok(value)
    }
}

pub(super) struct Gradient {
    regression: Regression,
    at: [f64; DIM + 1],
    workspace: LikelihoodWorkspace,
    gradient: Vec<f64>,
    value: f64,
}

impl Gradient {
    pub(super) fn new(task: &Task) -> anyhow::Result<Self> {
        let regression = Regression::new(task)?;
        let workspace = regression.likelihood().workspace();
        let mut at = [LENGTHSCALE; DIM + 1];
        at[DIM] = NOISE;
        Ok(Self {
            regression,
            at,
            workspace,
            gradient: vec![0.0; DIM + 1],
            value: f64::NAN,
        })
    }

    /// Moves the logarithm of every hyper-parameter.
    #[cfg(test)]
    pub(super) fn shift(&mut self, by: f64) {
        self.at.iter_mut().for_each(|v| *v *= by.exp());
    }
}

impl Call for Gradient {
    fn run(&mut self) -> anyhow::Result<()> {
        self.gradient.fill(0.0);
        let (regression, workspace) = (&self.regression, &mut self.workspace);
        self.value = regression.posterior(&self.at, &mut self.gradient, workspace)?;
        Ok(())
    }

    fn values(&self) -> Values {
        values([
            ("posterior", vec![self.value]),
            ("gradient", self.gradient.clone()),
        ])
    }
}

pub(super) struct Fit {
    regression: Regression,
    test: Mat<f64>,
    fitted: Option<ExactGp>,
}

impl Fit {
    pub(super) fn new(task: &Task) -> anyhow::Result<Self> {
        Ok(Self {
            regression: Regression::new(task)?,
            test: test_points().to_mat().subrows(0, CHECKED).to_owned(),
            fitted: None,
        })
    }
}

impl Call for Fit {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut rng = Seed(0).stream(Purpose::Tell, 0);
        let Regression { data, config, .. } = &self.regression;
        self.fitted = Some(ExactGp::fit(data, config, &mut rng)?);
        Ok(())
    }

    fn values(&self) -> Values {
        let Some(gp) = &self.fitted else {
            return Values::new();
        };
        let Hyperparameters {
            mut lengthscales,
            noise,
            ..
        } = gp.hyperparameters();
        lengthscales.push(noise);
        values([
            ("fitted", lengthscales),
            ("evaluations", vec![gp.report().evaluations as f64]),
            ("means", gp.means(self.test.as_ref())),
        ])
    }

    /// The log posterior per point at (lengthscales, noise).
    fn judge(&self, candidates: &[Vec<f64>]) -> anyhow::Result<Vec<f64>> {
        let mut workspace = self.regression.likelihood().workspace();
        let judge = |at: &Vec<f64>| {
            ensure!(
                at.len() == DIM + 1,
                "{} lengthscales and noises of {}",
                at.len(),
                DIM + 1
            );
            let mut gradient = vec![0.0; at.len()];
            let value = self
                .regression
                .posterior(at, &mut gradient, &mut workspace)?;
            Ok(value / self.regression.y.len() as f64)
        };
        candidates.iter().map(judge).collect()
    }
}

pub(super) struct Predict {
    gp: ExactGp,
    test: Mat<f64>,
    predicted: Option<Marginals>,
}

impl Predict {
    pub(super) fn new(task: &Task) -> anyhow::Result<Self> {
        let Regression {
            data,
            standardization,
            config,
            ..
        } = Regression::new(task)?;
        let at = Hyperparameters {
            lengthscales: vec![LENGTHSCALE; DIM],
            outputscale: 1.0,
            noise: NOISE,
            mean: 0.0,
        };
        Ok(Self {
            gp: ExactGp::with_hyperparameters(&data, config.kernel, &at, standardization)?,
            test: test_points().to_mat(),
            predicted: None,
        })
    }
}

impl Call for Predict {
    fn run(&mut self) -> anyhow::Result<()> {
        self.predicted = Some(self.gp.predict(self.test.as_ref()));
        Ok(())
    }

    fn values(&self) -> Values {
        let Some(predicted) = &self.predicted else {
            return Values::new();
        };
        let column = |of: &Mat<f64>| (0..of.nrows()).map(|i| of[(i, 0)]).collect();
        values([
            ("means", column(&predicted.mean)),
            ("variances", column(&predicted.variance)),
        ])
    }
}
