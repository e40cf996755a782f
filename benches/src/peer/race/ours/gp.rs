//! Regression: one evaluation of the likelihood, a whole fit, predictions.

use anyhow::{Context as _, bail};
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
    fn run(&mut self) {
        self.gradient.fill(0.0);
        let likelihood = self.regression.likelihood();
        self.value = likelihood
            .evaluate(&self.at, &mut self.gradient, &mut self.workspace)
            .unwrap_or(f64::NAN);
    }

    fn values(&self) -> Values {
        values([
            ("likelihood", vec![self.value]),
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
    fn run(&mut self) {
        let mut rng = Seed(0).stream(Purpose::Tell, 0);
        let Regression { data, config, .. } = &self.regression;
        self.fitted = ExactGp::fit(data, config, &mut rng).ok();
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
        let likelihood = self.regression.likelihood();
        let mut workspace = likelihood.workspace();
        let lengthscale = HyperPrior::dimension_scaled_lengthscale(DIM);
        let judge = |at: &Vec<f64>| {
            let (noise, lengthscales) = at.split_last().context("nothing to judge")?;
            let mut gradient = vec![0.0; at.len()];
            let value = likelihood.evaluate(at, &mut gradient, &mut workspace)?;
            let prior: f64 = lengthscales.iter().map(|&l| lengthscale.ln_pdf(l)).sum();
            let prior = prior + HyperPrior::standardized_noise().ln_pdf(*noise);
            Ok((value + prior) / self.regression.y.len() as f64)
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
    fn run(&mut self) {
        self.predicted = Some(self.gp.predict(self.test.as_ref()));
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
