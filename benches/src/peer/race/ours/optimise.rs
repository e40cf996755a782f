//! Whole optimisations: the plain Gaussian-process strategy, and random points.

use std::num::NonZeroUsize;

use anyhow::{Context as _, bail};
use warmfront_acq::{AcquisitionConfig, MaximizeConfig};
use warmfront_core::{
    Candidate, Costs, Objective, Objectives, Observation, Outcome, Purpose, SearchSpace, Seed,
    Strategy, TrialId, UnitPoint,
};
use warmfront_meta::baseline::{IndependentGpModel, RandomSearch};
use warmfront_meta::{ModelBased, ModelBasedConfig};

use crate::peer::race::protocol::Run;

pub(super) struct Optimisation {
    strategy: Box<dyn Strategy>,
    seed: Seed,
    told: u64,
    /// Proposed, without costs yet.
    open: Option<Candidate>,
}

impl Optimisation {
    pub(super) fn new(run: &Run) -> anyhow::Result<Self> {
        let space = SearchSpace::unit_cube(run.dim);
        let names = (0..run.objectives).map(|i| Objective::minimize(format!("f{i}")));
        let objectives = Objectives::new(names)?;
        let seed = Seed(u64::from(run.seed));
        let base = ModelBasedConfig {
            initial_trials: Some(run.x.len()),
            maximize: MaximizeConfig {
                parallel: rayon::current_num_threads() > 1,
                ..MaximizeConfig::default()
            },
            ..ModelBasedConfig::default()
        };
        let several = run.objectives > 1;
        let (model, config) = match &*run.method {
            // The problems have no noise.
            "ours" => (
                IndependentGpModel::low_noise(),
                ModelBasedConfig {
                    acquisition: several.then_some(AcquisitionConfig::LogEhvi),
                    reference_point: several.then(|| run.reference.clone()),
                    ..base
                },
            ),
            // As a user has it who says nothing but what the space and the objectives are.
            _ => (IndependentGpModel::default(), base),
        };
        let strategy: Box<dyn Strategy> = match &*run.method {
            "random" => Box::new(RandomSearch::new(&space, &objectives)),
            "ours" | "ours-default" => Box::new(ModelBased::new(
                model,
                &space,
                &objectives,
                config,
                &mut seed.stream(Purpose::Init, 0),
            )?),
            other => bail!("unknown method `{other}`"),
        };
        let mut this = Self {
            strategy,
            seed,
            told: 0,
            open: None,
        };
        let design = run.x.iter().zip(&run.y);
        let design: Vec<_> = design
            .map(|(x, y)| Ok((Candidate::at(UnitPoint::new(x.clone())?), y.clone())))
            .collect::<anyhow::Result<_>>()?;
        this.tell(design)?;
        Ok(this)
    }

    fn tell(&mut self, evaluated: Vec<(Candidate, Vec<f64>)>) -> anyhow::Result<()> {
        let mut rng = self.seed.stream(Purpose::Tell, self.told);
        let mut batch = Vec::new();
        for (candidate, costs) in evaluated {
            batch.push(Observation {
                trial: TrialId(self.told),
                candidate,
                outcome: Outcome::Complete(Costs::from_values(costs)?),
            });
            self.told += 1;
        }
        Ok(self.strategy.tell(&batch, &mut rng)?)
    }

    pub(super) fn step(&mut self, y: Option<Vec<f64>>) -> anyhow::Result<Vec<f64>> {
        if let Some(costs) = y {
            let candidate = self.open.take().context("costs of no point")?;
            self.tell(vec![(candidate, costs)])?;
        }
        let mut rng = self.seed.stream(Purpose::Ask, self.told);
        let proposed = self.strategy.ask(NonZeroUsize::MIN, &[], &mut rng)?;
        let candidate = proposed.into_iter().next().context("an empty proposal")?;
        let x = candidate.point.coords().to_vec();
        self.open = Some(candidate);
        Ok(x)
    }
}
