//! One suggestion on fitted models.

use anyhow::{Context as _, bail, ensure};
use warmfront_acq::{
    AcquisitionConfig, AcquisitionContext, AcquisitionFunction, MaximizeConfig, maximize,
};
use warmfront_core::{Purpose, SearchSpace, Seed};
use warmfront_gp::{Dataset, ExactGpConfig, IndependentGps};
use warmfront_linalg::Mat;

use super::{Call, values};
use crate::inputs::{DIM, REFERENCE, tradeoff};
use crate::peer::race::protocol::{Task, Values};

pub(super) struct Suggest {
    x: Mat<f64>,
    y: Mat<f64>,
    pending: Mat<f64>,
    reference: Vec<f64>,
    model: IndependentGps,
    acquisition: AcquisitionConfig,
    space: SearchSpace,
    config: MaximizeConfig,
    seed: Seed,
    point: Vec<f64>,
}

impl Suggest {
    pub(super) fn new(task: &Task) -> anyhow::Result<Self> {
        let acquisition = match &*task.variant {
            "log_ehvi" => AcquisitionConfig::LogEhvi,
            "qlog_nehvi" => AcquisitionConfig::QLogNehvi { samples: 128 },
            other => bail!("unknown acquisition function `{other}`"),
        };
        let shared = tradeoff(task.m, task.n);
        let (x, y) = (shared.x.to_mat(), shared.y.to_mat());
        let data = Dataset::new(x.clone(), y.clone())?;
        let mut rng = Seed(0).stream(Purpose::Tell, 0);
        Ok(Self {
            model: IndependentGps::fit(&data, &ExactGpConfig::default(), &[], &mut rng)?,
            x,
            y,
            pending: Mat::zeros(0, DIM),
            reference: vec![REFERENCE; task.m],
            acquisition,
            space: SearchSpace::unit_cube(DIM),
            config: MaximizeConfig {
                parallel: rayon::current_num_threads() > 1,
                ..MaximizeConfig::default()
            },
            seed: Seed(0),
            point: Vec::new(),
        })
    }

    fn build(&self, rng: &mut dyn rand::Rng) -> anyhow::Result<Box<dyn AcquisitionFunction + '_>> {
        let context = AcquisitionContext {
            model: &self.model,
            observed: self.x.as_ref(),
            costs: self.y.as_ref(),
            pending: self.pending.as_ref(),
            reference: Some(&self.reference),
        };
        Ok(self.acquisition.build(context, rng)?)
    }
}

impl Call for Suggest {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut rng = self.seed.stream(Purpose::Ask, 0);
        let function = self.build(&mut rng)?;
        let found = maximize(&*function, &self.space, &[], &self.config, &mut rng)
            .context("no point was found")?;
        let point = found.point.coords().to_vec();
        drop(function);
        self.point = point;
        Ok(())
    }

    fn seed(&mut self, seed: u32) {
        self.seed = Seed(u64::from(seed));
    }

    fn values(&self) -> Values {
        values([("point", self.point.clone())])
    }

    /// The utility of points, by the function that was maximised.
    fn judge(&self, candidates: &[Vec<f64>]) -> anyhow::Result<Vec<f64>> {
        for point in candidates {
            ensure!(
                point.len() == DIM,
                "a point of {} coordinates instead of {DIM}",
                point.len()
            );
        }
        let mut rng = self.seed.stream(Purpose::Ask, 0);
        let function = self.build(&mut rng)?;
        let x = Mat::from_fn(candidates.len(), DIM, |i, j| candidates[i][j]);
        Ok(function.utilities(x.as_ref()))
    }
}
