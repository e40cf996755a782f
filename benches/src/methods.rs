//! The methods of the experiments, all under the same acquisition function: LogEI for one objective,
//! qLogNEHVI with 128 samples for two to four, ParEGO for more.

use anyhow::Context as _;
use rand::Rng;
use warmfront_acq::MaximizeConfig;
use warmfront_core::{Purpose, Strategy};
use warmfront_gp::RhoConfig;
use warmfront_meta::baseline::{
    AblrConfig, AblrModel, IndependentGpModel, RandomSearch, RgpeConfig, RgpeModel, SobolSearch,
};
use warmfront_meta::smog::{IndependentScaml, SmogConfig, WeightScope, WeightSpace};
use warmfront_meta::{ModelBased, ModelBasedConfig, TargetModel};

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

pub(crate) const fn method(
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
    method("random", "Random", 2, "uniform random points"),
    method("sobol", "Sobol", 1, "a scrambled Sobol sequence"),
    method(
        "ind-gp",
        "Ind.-GP",
        1,
        "one Gaussian process per objective, no meta-data; priors scaled with the dimension; its first \
         d + 1 points come from the shared Sobol design",
    ),
    method(
        "mo-gp",
        "MO-GP",
        1,
        "one multi-output Gaussian process, no meta-data; the priors of ScaML-GP; its first d + 1 points \
         come from the shared Sobol design",
    ),
    method(
        "ind-scaml",
        "Ind.-ScaML-GP",
        1,
        "one ScaML-GP per objective, with its own priors; proposes from the first point on",
    ),
    method(
        "ind-rgpe",
        "Ind.-RGPE",
        1,
        "one ranking-weighted GP ensemble per objective; priors scaled with the dimension; proposes from \
         the first point on",
    ),
    method(
        "ind-ablr",
        "Ind.-ABLR",
        1,
        "a network shared by all tasks with Bayesian linear heads, one per objective; its first \
         two points come from the shared Sobol design",
    ),
    method(
        "smog",
        "SMOG",
        1,
        "the method of the paper, as reconstructed here; the priors of ScaML-GP; proposes from the first \
         point on",
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
        "the residual alone, a multi-output Gaussian process; its first d + 1 points come from the shared \
         Sobol design",
    ),
    method(
        "smog-equal-init",
        "SMOG, equal start",
        1,
        "its first d + 1 points come from the shared Sobol design, as those of the methods without \
         meta-data do",
    ),
    method(
        "smog-standardized",
        "SMOG, shapes only",
        1,
        "weights multiply the standardised functions of the meta-tasks: shapes are transferred, not levels",
    ),
    method(
        "smog-open-residual",
        "SMOG, open residual",
        1,
        "the prior of the residual's variance is a density of its logarithm, which keeps the residual alive while data are few",
    ),
    method(
        "smog-log-priors",
        "SMOG, log priors",
        1,
        "every prior of a lengthscale, variance or noise is a density of its logarithm",
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
/// `rng` is the same stream for every method and the initial design is the first thing drawn from
/// it, so methods that have a design share it.
///
/// # Errors
/// If the name is unknown or a model cannot be fitted to the meta-data.
pub fn build(name: &str, arena: &Arena, rng: &mut dyn Rng) -> anyhow::Result<Box<dyn Strategy>> {
    assemble(name, arena, rng).with_context(|| format!("cannot build the method `{name}`"))
}

fn assemble(name: &str, arena: &Arena, rng: &mut dyn Rng) -> anyhow::Result<Box<dyn Strategy>> {
    let (space, objectives) = (arena.problem.space(), arena.problem.objectives());
    let (dim, m, meta) = (space.dim(), objectives.len(), &arena.metadata);
    // What a method without meta-data starts with.
    let design = dim + 1;
    // A stream of its own, so that the initial design does not depend on what models draw.
    let mut fit_rng = arena.seed.child(3).stream(Purpose::Init, 0);
    let fit_rng: &mut dyn Rng = &mut fit_rng;
    match name {
        "random" => Ok(Box::new(RandomSearch::new(space, objectives))),
        "sobol" => Ok(Box::new(SobolSearch::new(space, objectives, rng)?)),
        "ind-gp" => start(IndependentGpModel::default(), design, arena, rng),
        "ind-rgpe" => {
            let trained = RgpeModel::train(meta, dim, m, RgpeConfig::default(), fit_rng)?;
            start(trained, 0, arena, rng)
        }
        "ind-ablr" => {
            let trained = AblrModel::train(meta, dim, m, AblrConfig::default(), fit_rng)?;
            start(trained, 0, arena, rng)
        }
        "ind-scaml" => {
            let built = IndependentScaml::build(&SmogConfig::default(), dim, m, meta, fit_rng)?;
            start(built, 0, arena, rng)
        }
        _ => {
            let config = smog(name).context("there is no such method")?;
            let alone = !config.use_meta || name == "smog-equal-init";
            let built = config.build(dim, m, meta, fit_rng)?;
            start(built, if alone { design } else { 0 }, arena, rng)
        }
    }
}

/// The common loop: everything but the model is the same for all methods.
///
/// The shared design comes first: `design` trials of it, or as many as the model cannot do without.
fn start<M: TargetModel + 'static>(
    model: M,
    design: usize,
    arena: &Arena,
    rng: &mut dyn Rng,
) -> anyhow::Result<Box<dyn Strategy>> {
    let space = arena.problem.space();
    let config = ModelBasedConfig {
        reference_point: Some(arena.reference.clone()),
        initial_trials: Some(design.max(model.min_observations())),
        // Fixed here, so that a change of the default does not make recorded results stale.
        maximize: MaximizeConfig {
            restarts: 10,
            ..MaximizeConfig::default()
        },
        ..ModelBasedConfig::default()
    };
    Ok(Box::new(ModelBased::new(
        model,
        space,
        arena.problem.objectives(),
        config,
        rng,
    )?))
}

/// SMOG and its variants; the multi-output GP is SMOG without meta-data.
fn smog(name: &str) -> Option<SmogConfig> {
    let config = SmogConfig::default();
    Some(match name {
        "smog" | "smog-equal-init" => config,
        "smog-rho0" => SmogConfig {
            rho: RhoConfig::Fixed(0.0),
            ..config
        },
        "smog-shared-weights" => SmogConfig {
            weights: WeightScope::Shared,
            ..config
        },
        "smog-standardized" => SmogConfig {
            weight_space: WeightSpace::Standardized,
            ..config
        },
        "smog-open-residual" => config.with_open_residual(),
        "smog-log-priors" => config.with_log_space_priors(),
        "mo-gp" | "smog-no-meta" => SmogConfig {
            use_meta: false,
            ..config
        },
        _ => return None,
    })
}
