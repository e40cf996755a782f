//! PriMO, its variants and what it is compared with, all under the same budget and seeds.

use anyhow::Context as _;
use rand::Rng;
use warmfront_acq::{AcquisitionConfig, MaximizeConfig};
use warmfront_core::{Beliefs, Strategy};
use warmfront_meta::baseline::{IndependentGpModel, RandomSearch};
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
        1,
        "a Gaussian process on a weighted sum of the raw objectives; weights drawn once",
    ),
    method(
        "bo-rw-proper",
        "BO, random weights",
        1,
        "a Gaussian process on a weighted sum of normalised objectives; weights redrawn each time",
    ),
    method(
        "pibo-rw",
        "πBO, random weights",
        1,
        "BO on a weighted sum of normalised objectives, its acquisition function multiplied by a prior \
         that fades; weights redrawn each time",
    ),
    method(
        "pibo-rw-as-run",
        "πBO, random weights (as run)",
        1,
        "the same with the weights, targets and cliff of the published runs",
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
        "the improved variant: normalised objectives, fresh scalarisations, correct order within fronts, \
         decaying priors",
    ),
    method(
        "primo-paper",
        "PriMO, paper",
        1,
        "as documented: the prior's exponent decays, objectives and weights as in the published code",
    ),
    method(
        "primo-as-run",
        "PriMO, as run",
        1,
        "as in the published runs: full prior and then none, raw objectives, weights drawn once",
    ),
    method(
        "primo-no-init",
        "PriMO, no initial design",
        1,
        "a few random full evaluations instead of successive halving",
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
        "the prior's weight stays what it is at first",
    ),
    method(
        "primo-no-greedy",
        "PriMO, always prior",
        1,
        "never leaves the prior out by chance (ε = 0)",
    ),
    method(
        "primo-low-fidelity",
        "PriMO, learns from cheap runs",
        1,
        "its surrogate also learns from the evaluations at low fidelity",
    ),
];

/// Methods that are told expert priors.
const TOLD: [&str; 11] = [
    "random-prior",
    "moasha-prior",
    "mo-priorband",
    "pibo-rw",
    "pibo-rw-as-run",
    "primo",
    "primo-paper",
    "primo-as-run",
    "primo-no-init",
    "primo-no-decay",
    "primo-no-greedy",
];

/// Whether a method is told expert priors.
#[must_use]
pub fn uses_priors(method: &str) -> bool {
    TOLD.contains(&method) || method == "primo-low-fidelity"
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
    let _ = beliefs;
    Ok(match name {
        "random" => Box::new(RandomSearch::new(space, objectives)),
        "parego" => full_bo(Some(AcquisitionConfig::ParEgo { rho: 0.05 }), stage, rng)?,
        "nehvi-bo" => full_bo(None, stage, rng)?,
        _ => anyhow::bail!("there is no such method yet"),
    })
}

/// Bayesian optimisation with one Gaussian process per objective, at full fidelity only.
///
/// It starts with as many points as the published ParEGO: a quarter of twenty.
fn full_bo(
    acquisition: Option<AcquisitionConfig>,
    stage: &Stage,
    rng: &mut dyn Rng,
) -> anyhow::Result<Box<dyn Strategy>> {
    let config = ModelBasedConfig {
        acquisition,
        reference_point: Some(stage.reference.clone()),
        initial_trials: Some(5),
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
