//! PriMO, its variants and what it is compared with, all under the same budget and seeds.

use anyhow::Context as _;
use rand::Rng;
use warmfront_acq::{AcquisitionConfig, MaximizeConfig};
use warmfront_core::{Beliefs, Strategy};
use warmfront_meta::baseline::{
    HyperBandConfig, IndependentGpModel, MoAshaConfig, Nsga2, Nsga2Config, PriorRandomSearch,
    RandomSearch, ScalarizedBo, ScalarizedBoConfig,
};
use warmfront_meta::primo::{
    InitialDesign, InitialSampling, LowFidelity, Outliers, PrimoConfig, PriorDecay, PriorTrust,
    ReferencePoint,
};
use warmfront_meta::{ModelBased, ModelBasedConfig};

use super::problems::Stage;
pub use crate::methods::MethodSpec;
use crate::methods::method;
use crate::profile::base_name;

/// All methods that an experiment may name.
pub const METHODS: &[MethodSpec] = &[
    method("random", "Random", 1, "uniform random points"),
    method(
        "random-prior",
        "Random + prior",
        1,
        "points drawn from the prior of a uniformly chosen objective",
    ),
    method(
        "moasha",
        "MOASHA",
        1,
        "asynchronous successive halving with a multi-objective order, for the whole budget",
    ),
    method(
        "moasha-prior",
        "MOASHA + prior",
        1,
        "MOASHA whose new configurations come from the prior of a uniformly chosen objective",
    ),
    method(
        "hyperband-rw",
        "HyperBand, random weights",
        1,
        "HyperBand on a weighted sum whose weights are drawn once",
    ),
    method(
        "mo-hyperband",
        "MO-HyperBand",
        1,
        "HyperBand with the multi-objective order of MOASHA",
    ),
    method(
        "mo-priorband",
        "MO-PriorBand",
        1,
        "MO-HyperBand whose configurations come from uniform draws, the priors and neighbours of the \
         incumbent, in PriorBand's proportions",
    ),
    method(
        "bo-rw",
        "BO, random weights (as run)",
        2,
        "a Gaussian process on a weighted sum of the raw objectives; weights drawn once",
    ),
    method(
        "bo-rw-proper",
        "BO, random weights",
        2,
        "a Gaussian process on a weighted sum of normalised objectives; weights redrawn each time",
    ),
    method(
        "pibo-rw",
        "πBO, random weights",
        2,
        "BO on a weighted sum of normalised objectives, its acquisition function multiplied by a prior \
         that fades; weights redrawn each time",
    ),
    method(
        "pibo-rw-as-run",
        "πBO, random weights (as run)",
        2,
        "the same with the weights, targets and cliff of the published runs",
    ),
    method(
        "moasha-as-run",
        "MOASHA (as run)",
        1,
        "MOASHA with raw objectives and the inverse permutation of the published runs",
    ),
    method(
        "moasha-prior-as-run",
        "MOASHA + prior (as run)",
        1,
        "the same with configurations from the priors",
    ),
    method(
        "hyperband-rw-as-run",
        "HyperBand, random weights (as run)",
        1,
        "HyperBand on a weighted sum of raw objectives",
    ),
    method(
        "mo-hyperband-as-run",
        "MO-HyperBand (as run)",
        1,
        "MO-HyperBand with raw objectives and the inverse permutation",
    ),
    method(
        "mo-priorband-as-run",
        "MO-PriorBand (as run)",
        1,
        "MO-PriorBand with raw objectives and the inverse permutation",
    ),
    method(
        "parego",
        "ParEGO",
        1,
        "one Gaussian process per objective and a random augmented Chebyshev scalarisation",
    ),
    method(
        "nehvi-bo",
        "qLogNEHVI-BO",
        1,
        "one Gaussian process per objective and noisy expected hypervolume improvement (LogEI with one \
         objective)",
    ),
    method(
        "nsga2",
        "NSGA-II",
        1,
        "a genetic algorithm with non-dominated sorting and crowding",
    ),
    method(
        "primo",
        "PriMO",
        1,
        "the improved variant: hypervolume improvement with a model per objective that also learns from \
         cheap evaluations, the priors' modes first, priors that count as far as the data agree",
    ),
    method(
        "primo-paper",
        "PriMO, paper",
        1,
        "as documented: the prior's exponent decays; raw objectives, weights redrawn each time",
    ),
    method(
        "primo-as-run",
        "PriMO, as run",
        1,
        "as in the published runs: full prior and then none, raw objectives, weights drawn once",
    ),
    method(
        "primo-as-run-no-prior",
        "PriMO, as run, no priors",
        1,
        "the published runs without being told any prior",
    ),
    method(
        "primo-no-init",
        "PriMO, no initial design",
        1,
        "full evaluations instead of successive halving: the priors' modes, then random points",
    ),
    method(
        "primo-no-prior",
        "PriMO, no priors",
        1,
        "the same without being told any prior",
    ),
    method(
        "primo-no-decay",
        "PriMO, no decay",
        1,
        "the prior's weight does not fall with the number of evaluations",
    ),
    method(
        "primo-no-greedy",
        "PriMO, always prior",
        1,
        "never leaves the prior out by chance (ε = 0)",
    ),
    method(
        "primo-no-trust",
        "PriMO, priors not judged",
        1,
        "evidence does not change how much a prior counts; it fades by the formula alone",
    ),
    method(
        "primo-full-only",
        "PriMO, full evaluations only",
        1,
        "its surrogate ignores the evaluations at low fidelity, as the published one does",
    ),
    method(
        "primo-no-modes",
        "PriMO, uniform start",
        1,
        "the initial design does not try out the priors' modes",
    ),
    method(
        "primo-raw-costs",
        "PriMO, raw costs",
        1,
        "costs beyond the reference point are not compressed",
    ),
];

/// The method with this name, with or without a condition.
#[must_use]
pub fn find(name: &str) -> Option<&'static MethodSpec> {
    METHODS.iter().find(|m| m.name == base_name(name))
}

/// Methods that are told expert priors.
const TOLD: [&str; 17] = [
    "random-prior",
    "moasha-prior",
    "moasha-prior-as-run",
    "mo-priorband-as-run",
    "mo-priorband",
    "pibo-rw",
    "pibo-rw-as-run",
    "primo",
    "primo-paper",
    "primo-as-run",
    "primo-no-init",
    "primo-no-decay",
    "primo-no-greedy",
    "primo-no-trust",
    "primo-full-only",
    "primo-no-modes",
    "primo-raw-costs",
];

/// Full evaluations before a model proposes: those of the published ParEGO, a quarter of twenty.
const INITIAL: usize = 5;

/// Whether a method is told expert priors.
#[must_use]
pub fn uses_priors(method: &str) -> bool {
    TOLD.contains(&method)
}

/// Whether a method is PriMO or a variant of it.
#[must_use]
pub fn is_primo(method: &str) -> bool {
    base_name(method).starts_with("primo")
}

/// Builds a method for a problem. Methods without priors must be given none.
///
/// # Errors
/// If the name is unknown or the method cannot be built.
pub fn build(
    name: &str,
    stage: &Stage,
    beliefs: Beliefs,
    rng: &mut dyn Rng,
) -> anyhow::Result<Box<dyn Strategy>> {
    assemble(base_name(name), stage, beliefs, rng)
        .with_context(|| format!("cannot build the method `{name}`"))
}

/// Fixed here, so that a change of the default does not make recorded results stale.
fn maximize() -> MaximizeConfig {
    MaximizeConfig {
        restarts: 10,
        ..MaximizeConfig::default()
    }
}

fn assemble(
    name: &str,
    stage: &Stage,
    beliefs: Beliefs,
    rng: &mut dyn Rng,
) -> anyhow::Result<Box<dyn Strategy>> {
    let (space, objectives) = (stage.problem.space(), stage.problem.objectives());
    Ok(match name {
        "random" => Box::new(RandomSearch::new(space, objectives)),
        "random-prior" => Box::new(PriorRandomSearch::new(space, objectives, beliefs)?),
        "moasha" | "moasha-prior" => {
            Box::new(MoAshaConfig::default().build(space, objectives, beliefs)?)
        }
        "moasha-as-run" | "moasha-prior-as-run" => {
            Box::new(MoAshaConfig::as_run().build(space, objectives, beliefs)?)
        }
        "hyperband-rw" => band(HyperBandConfig::random_weights(), stage, beliefs, rng)?,
        "hyperband-rw-as-run" => band(
            HyperBandConfig::random_weights_as_run(),
            stage,
            beliefs,
            rng,
        )?,
        "mo-hyperband" => band(HyperBandConfig::epsilon_net(), stage, beliefs, rng)?,
        "mo-hyperband-as-run" => band(HyperBandConfig::epsilon_net_as_run(), stage, beliefs, rng)?,
        "mo-priorband" => band(HyperBandConfig::prior_band(), stage, beliefs, rng)?,
        "mo-priorband-as-run" => band(HyperBandConfig::prior_band_as_run(), stage, beliefs, rng)?,
        "bo-rw" | "bo-rw-proper" | "pibo-rw" | "pibo-rw-as-run" => {
            let config = match name {
                "bo-rw" => ScalarizedBoConfig::random_weights_as_run(),
                "pibo-rw-as-run" => ScalarizedBoConfig::belief_weighted_as_run(),
                // As many as the other methods that start with full evaluations; the published runs
                // started with one for each parameter, which can be the whole budget.
                _ => ScalarizedBoConfig {
                    initial_trials: Some(INITIAL),
                    ..ScalarizedBoConfig::random_weights()
                },
            };
            let config = ScalarizedBoConfig {
                maximize: maximize(),
                ..config
            };
            Box::new(ScalarizedBo::new(space, objectives, beliefs, config, rng)?)
        }
        "parego" => full_bo(Some(AcquisitionConfig::ParEgo { rho: 0.05 }), stage, rng)?,
        "nehvi-bo" => full_bo(None, stage, rng)?,
        "nsga2" => {
            // Two generations within twenty evaluations.
            let config = Nsga2Config {
                population: 10,
                ..Nsga2Config::default()
            };
            Box::new(Nsga2::new(space, objectives, config)?)
        }
        _ => {
            let config = primo(name, stage).context("there is no such method")?;
            Box::new(config.build(space, objectives, beliefs, rng)?)
        }
    })
}

/// PriMO and its variants.
fn primo(name: &str, stage: &Stage) -> Option<PrimoConfig> {
    // As the baseline with the same acquisition function, it knows what hypervolume is measured from.
    let improved = PrimoConfig {
        reference: ReferencePoint::Given(stage.reference.clone()),
        ..PrimoConfig::improved()
    };
    let config = match name {
        "primo" | "primo-no-prior" => improved,
        "primo-paper" => PrimoConfig::paper(),
        "primo-as-run" | "primo-as-run-no-prior" => PrimoConfig::as_run(),
        "primo-no-init" => PrimoConfig {
            initial_design: InitialDesign::Full,
            ..improved
        },
        "primo-no-decay" => PrimoConfig {
            decay: PriorDecay {
                rate: 0.0,
                ..improved.decay
            },
            ..improved
        },
        "primo-no-greedy" => PrimoConfig {
            epsilon: 0.0,
            ..improved
        },
        "primo-no-trust" => PrimoConfig {
            trust: PriorTrust::Fixed,
            ..improved
        },
        "primo-full-only" => PrimoConfig {
            low_fidelity: LowFidelity::Ignore,
            ..improved
        },
        "primo-no-modes" => PrimoConfig {
            initial_sampling: InitialSampling::Uniform,
            ..improved
        },
        "primo-raw-costs" => PrimoConfig {
            outliers: Outliers::Keep,
            ..improved
        },
        _ => return None,
    };
    Some(PrimoConfig {
        maximize: maximize(),
        ..config
    })
}

fn band(
    config: HyperBandConfig,
    stage: &Stage,
    beliefs: Beliefs,
    rng: &mut dyn Rng,
) -> anyhow::Result<Box<dyn Strategy>> {
    let (space, objectives) = (stage.problem.space(), stage.problem.objectives());
    Ok(Box::new(config.build(space, objectives, beliefs, rng)?))
}

/// Bayesian optimisation with one Gaussian process per objective, at full fidelity only.
///
fn full_bo(
    acquisition: Option<AcquisitionConfig>,
    stage: &Stage,
    rng: &mut dyn Rng,
) -> anyhow::Result<Box<dyn Strategy>> {
    let config = ModelBasedConfig {
        acquisition,
        reference_point: Some(stage.reference.clone()),
        initial_trials: Some(INITIAL),
        maximize: maximize(),
        ..ModelBasedConfig::default()
    };
    Ok(Box::new(ModelBased::new(
        IndependentGpModel::default(),
        stage.problem.space(),
        stage.problem.objectives(),
        config,
        rng,
    )?))
}
