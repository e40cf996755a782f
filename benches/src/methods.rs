//! The methods of the experiments, all under the same acquisition function.

use anyhow::{Context as _, bail};
use rand::Rng;
use warmfront_core::Strategy;
use warmfront_meta::ModelBasedConfig;
use warmfront_meta::baseline::{RandomSearch, SobolSearch};

use crate::problems::Arena;

/// One method of an experiment.
#[derive(Debug, Clone, Copy)]
pub struct MethodSpec {
    /// Short name, as on the command line.
    pub name: &'static str,
    /// Name in the report.
    pub label: &'static str,
    /// What it is, for a reader of the report.
    pub text: &'static str,
    /// Raised when a change makes earlier results incomparable.
    pub version: u32,
}

const fn method(
    name: &'static str,
    label: &'static str,
    version: u32,
    text: &'static str,
) -> MethodSpec {
    MethodSpec {
        name,
        label,
        text,
        version,
    }
}

/// All methods that an experiment may name.
pub const METHODS: &[MethodSpec] = &[
    method("random", "Random", 1, "uniform random points"),
    method("sobol", "Sobol", 1, "a scrambled Sobol sequence"),
    method(
        "ind-gp",
        "Ind.-GP",
        1,
        "one Gaussian process per objective, no meta-data",
    ),
    method(
        "mo-gp",
        "MO-GP",
        1,
        "one multi-output Gaussian process, no meta-data",
    ),
    method(
        "ind-scaml",
        "Ind.-ScaML-GP",
        1,
        "one ScaML-GP per objective",
    ),
    method(
        "ind-rgpe",
        "Ind.-RGPE",
        1,
        "one ranking-weighted GP ensemble per objective",
    ),
    method(
        "ind-ablr",
        "Ind.-ABLR",
        1,
        "a network shared by all tasks with Bayesian linear heads, one per objective",
    ),
    method(
        "smog",
        "SMOG",
        1,
        "the method of the paper, as reconstructed here",
    ),
    method(
        "smog-rho0",
        "SMOG, ρ = 0",
        1,
        "objectives independent, in meta-tasks and residual",
    ),
    method(
        "smog-shared-weights",
        "SMOG, shared weights",
        1,
        "one weight per meta-task instead of one per objective",
    ),
    method(
        "smog-no-meta",
        "SMOG, no meta-data",
        1,
        "the residual alone: a multi-output Gaussian process",
    ),
    method(
        "smog-equal-init",
        "SMOG, equal start",
        1,
        "starts from the same design as the methods without meta-data",
    ),
];

impl MethodSpec {
    /// The method with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        METHODS.iter().find(|m| m.name == name)
    }
}

/// Builds a method for a target task, fitting to meta-data included.
///
/// `rng` is the same stream for every method, and the initial design is the first thing drawn from
/// it: methods that have one share it.
///
/// # Errors
/// If the name is unknown or a model cannot be fitted to the meta-data.
pub fn build(name: &str, arena: &Arena, rng: &mut dyn Rng) -> anyhow::Result<Box<dyn Strategy>> {
    let (space, objectives) = (arena.problem.space(), arena.problem.objectives());
    let context = || format!("cannot build the method `{name}`");
    let _config = config(arena, 0);
    Ok(match name {
        "random" => Box::new(RandomSearch::new(space, objectives)),
        "sobol" => Box::new(SobolSearch::new(space, objectives, rng).with_context(context)?),
        _ => bail!("unknown method `{name}`"),
    })
}

/// The common loop: everything but the model is the same for all methods.
fn config(arena: &Arena, initial_trials: usize) -> ModelBasedConfig {
    ModelBasedConfig {
        reference_point: Some(arena.problem.reference_point().value.to_vec()),
        initial_trials: Some(initial_trials),
        ..ModelBasedConfig::default()
    }
}
