//! Methods for boxes of tasks, and the recipes that turn a run of any of them into a task model.

use anyhow::Context as _;
use rand::Rng;
use warmfront_core::UnitPoint;
use warmfront_gp::Hyperparameters;
use warmfront_meta::MetaError;
use warmfront_meta::pmto::{
    ForwardFit, ForwardModel, HighDimensionalConfig, HighDimensionalPmto, InitialDesign,
    IntegratedOptimum, IntegratedOptimumConfig, InverseFit, InverseRecipe, Lengthscales, MapElites,
    MapElitesConfig, Optimizer, ParametricStrategy, Pmto, PmtoConfig, SelfTransfer,
    SelfTransferConfig, TaskChoice, TaskModel,
};

use super::fronts;
use super::problems::Stage;
pub use crate::methods::MethodSpec;
use crate::methods::method;

/// Weight of the standard deviation in every method's lower confidence bound.
pub const BETA: f64 = 0.5;

/// All methods that an experiment may name.
pub const METHODS: &[MethodSpec] = &[
    method(
        "random",
        "Random",
        1,
        "uniform solutions of twenty fixed tasks",
    ),
    method(
        "st",
        "ST",
        1,
        "an independent process for each of twenty fixed tasks",
    ),
    method(
        "mt",
        "MT",
        2,
        "an intrinsic coregionalisation model over twenty fixed tasks",
    ),
    method(
        "self",
        "SELF",
        1,
        "a multi-task model with differential evolution, local searches, and transfers between twenty \
         fixed tasks",
    ),
    method(
        "pt-me",
        "PT-ME",
        1,
        "Parametric-Task MAP-Elites: another task with every evaluation, an elite for each of 200 cells of \
         the box",
    ),
    method(
        "revi",
        "REVI",
        1,
        "solution and task of every evaluation by the expected improvement of the integrated optimum, \
         under a model like that of PMTO, but not relative to a task model",
    ),
    method(
        "pmto-ft",
        "PMTO-FT",
        1,
        "one process over solutions and tasks, twenty fixed tasks",
    ),
    method(
        "pmto-ft-beta1",
        "PMTO-FT, as released",
        2,
        "the same from the twenty tasks of the released runs, with their wider confidence bound (β = 1)",
    ),
    method(
        "pmto-rt",
        "PMTO-RT",
        1,
        "as PMTO, with a random task each round",
    ),
    method(
        "pmto",
        "PMTO, as run",
        2,
        "the published method with its constants: a task each round by the determinantal criterion",
    ),
    method(
        "pmto-as-released",
        "PMTO, as released",
        1,
        "PMTO as run from the twenty tasks of the released runs, which are the same in all of them",
    ),
    method(
        "pmto-hybrid",
        "PMTO, hybrid sampling",
        1,
        "the published models and search with the improved choice of tasks and evaluations",
    ),
    method(
        "pmto-improved",
        "PMTO",
        1,
        "the improved variant: proper fits, tasks and evaluations where regret is",
    ),
    method(
        "pmto-high",
        "PMTO, many inputs",
        1,
        "for solutions of many coordinates: quadratic surfaces whose minimisers are processes over tasks; \
         its recipe noise learns from these surfaces with a fit of its own",
    ),
    method(
        "st-map",
        "ST, proper fits",
        1,
        "as ST, with standardised costs and maximum a posteriori fits",
    ),
    method(
        "ft-map",
        "PMTO-FT, proper fits",
        1,
        "as PMTO-FT, with a lengthscale for each coordinate, standardised costs and maximum a \
         posteriori fits",
    ),
];

/// The method with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static MethodSpec> {
    let mut all = METHODS.iter().chain(fronts::METHODS);
    all.find(|m| m.name == name)
}

/// A way to make a task model of what a run has evaluated.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Short name.
    pub name: &'static str,
    /// What it does, for a reader of the report.
    pub text: &'static str,
    rows: InverseRecipe,
    fit: InverseFit,
}

/// All recipes, in the order of the tables.
#[must_use]
pub fn recipes() -> [Recipe; 5] {
    // The gradient anew every tenth step: nearer to the literal schedule than a run's own 25th.
    let published = || InverseFit::Published(Optimizer::thrifty_adam(1500, 10));
    let map = || InverseFit::Map {
        starts: 4,
        evaluations: 60,
    };
    let recipe = |name, text, rows, fit| Recipe {
        name,
        text,
        rows,
        fit,
    };
    [
        recipe(
            "iso",
            "all tasks, one lengthscale, the published fit",
            InverseRecipe::IsoAll,
            published(),
        ),
        recipe(
            "ard",
            "all tasks, a lengthscale for each task parameter, the published fit",
            InverseRecipe::ArdAll,
            published(),
        ),
        recipe(
            "ard70",
            "the 70 % of the tasks with the least costs, otherwise as ard",
            InverseRecipe::ArdBest { share: 0.7 },
            published(),
        ),
        recipe(
            "map",
            "as ard, maximum a posteriori from four starts",
            InverseRecipe::ArdAll,
            map(),
        ),
        recipe(
            "noise",
            "the 85 % of the tasks with the least estimated regret, noise that grows with it, fit as map",
            InverseRecipe::NoiseAware,
            map(),
        ),
    ]
}

/// A strategy whose task models can be scored.
pub trait Subject: ParametricStrategy {
    /// Geometric means of the forward model's lengthscales over solutions and over tasks, if it has
    /// one model for all tasks.
    fn lengthscales(&self, solution_dim: usize) -> Option<(f64, f64)> {
        let _ = solution_dim;
        None
    }

    /// The task model of everything told so far.
    ///
    /// # Errors
    /// If it cannot be fitted.
    fn model(&self, recipe: &Recipe) -> Result<TaskModel, MetaError> {
        self.task_model_with(recipe.rows, Some(&recipe.fit))
    }
}

impl Subject for HighDimensionalPmto {
    fn model(&self, recipe: &Recipe) -> Result<TaskModel, MetaError> {
        let own = recipe.rows == InverseRecipe::NoiseAware;
        self.task_model_with(recipe.rows, (!own).then_some(&recipe.fit))
    }
}

/// Geometric means of the lengthscales over solutions and over tasks.
fn means_of(fitted: Option<Hyperparameters>, solution_dim: usize) -> Option<(f64, f64)> {
    let lengthscales = fitted?.lengthscales;
    let (solution, task) = lengthscales.split_at(solution_dim.min(lengthscales.len()));
    let mean = |part: &[f64]| {
        let logs: f64 = part.iter().map(|l| l.ln()).sum();
        (!part.is_empty()).then(|| (logs / part.len() as f64).exp())
    };
    Some((mean(solution)?, mean(task)?))
}

impl Subject for Pmto {
    fn lengthscales(&self, solution_dim: usize) -> Option<(f64, f64)> {
        means_of(self.forward_hyperparameters(), solution_dim)
    }
}

impl Subject for IntegratedOptimum {
    fn lengthscales(&self, solution_dim: usize) -> Option<(f64, f64)> {
        means_of(self.forward_hyperparameters(), solution_dim)
    }
}

impl Subject for MapElites {}

impl Subject for SelfTransfer {}

/// Builds a method for a problem.
///
/// # Errors
/// If the name is unknown or the method cannot be built.
pub fn build(name: &str, stage: &Stage, rng: &mut dyn Rng) -> anyhow::Result<Box<dyn Subject>> {
    assemble(name, stage, rng).with_context(|| format!("cannot build the method `{name}`"))
}

fn assemble(name: &str, stage: &Stage, rng: &mut dyn Rng) -> anyhow::Result<Box<dyn Subject>> {
    let problem = &*stage.problem;
    let (space, tasks, objectives) = (problem.space(), problem.task_dim(), problem.objectives());
    Ok(match name {
        "self" => {
            let initial = stage.spec.initial_tasks;
            let config = SelfTransferConfig {
                tasks: initial,
                samples: 200 / initial,
                ..SelfTransferConfig::as_run().with_beta(BETA)
            };
            Box::new(config.build(space, tasks, objectives, rng)?)
        }
        "revi" => {
            let config = IntegratedOptimumConfig {
                initial: InitialDesign::Joint { samples: 100 },
                ..IntegratedOptimumConfig::revi()
            };
            Box::new(config.build(space, tasks, objectives, rng)?)
        }
        "pmto-high" => {
            let config = HighDimensionalConfig {
                tasks: stage.spec.initial_tasks,
                samples: 100 / stage.spec.initial_tasks,
                ..HighDimensionalConfig::default()
            };
            Box::new(config.build(space, tasks, objectives, rng)?)
        }
        "pt-me" => {
            let config = MapElitesConfig::published();
            Box::new(config.build(space, tasks, objectives, rng)?)
        }
        _ => {
            let config = pmto(name, stage).context("there is no such method")?;
            Box::new(config.build(space, tasks, objectives, rng)?)
        }
    })
}

/// Configurations of [`Pmto`].
fn pmto(name: &str, stage: &Stage) -> Option<PmtoConfig> {
    let config = match name {
        "random" => PmtoConfig::random(),
        "st" | "st-map" => PmtoConfig::single_tasks(),
        "mt" => PmtoConfig::coregionalized(),
        "pmto-ft" => PmtoConfig::fixed_tasks(),
        // The only one with the released confidence bound.
        "pmto-ft-beta1" => return Some(released(PmtoConfig::fixed_tasks(), stage)),
        "pmto-as-released" => return Some(released(PmtoConfig::as_run(), stage)),
        "pmto-rt" => PmtoConfig::random_tasks(),
        "pmto" => PmtoConfig::as_run(),
        "pmto-hybrid" => PmtoConfig::hybrid(),
        "pmto-improved" => PmtoConfig::improved(),
        "ft-map" => PmtoConfig {
            forward: ForwardModel::Unified(Lengthscales::Ard),
            ..PmtoConfig::fixed_tasks()
        },
        _ => return None,
    };
    let fit = match name {
        "st-map" | "ft-map" => proper_fit(),
        _ => config.fit,
    };
    let tasks = stage.spec.initial_tasks;
    let samples = match config.tasks {
        TaskChoice::Regret { .. } => 100 / tasks,
        _ => 200 / tasks,
    };
    Some(PmtoConfig {
        initial: InitialDesign::Tasks { tasks, samples },
        fit,
        beta: BETA,
        ..config
    })
}

/// From the initial tasks of the released runs; on boxes of other dimensions than theirs from a design of its own.
fn released(config: PmtoConfig, stage: &Stage) -> PmtoConfig {
    let tasks: Vec<UnitPoint> = include_str!("../../data/pmto_initial_tasks.csv")
        .lines()
        .map(|line| {
            let coords = line.split(',').map(|c| c.parse::<f64>());
            UnitPoint::clamped(coords.filter_map(Result::ok).collect::<Vec<_>>())
        })
        .collect();
    let fits = tasks
        .iter()
        .all(|task| task.dim() == stage.problem.task_dim());
    let initial = if fits {
        InitialDesign::Given { tasks, samples: 10 }
    } else {
        InitialDesign::Tasks {
            tasks: stage.spec.initial_tasks,
            samples: 200 / stage.spec.initial_tasks,
        }
    };
    PmtoConfig { initial, ..config }
}

/// Of single- and fixed-task methods: one start, in the coordinates as they are, details as fine as the data
/// say.
fn proper_fit() -> ForwardFit {
    ForwardFit::Map {
        restarts: 0,
        growth: 1.3,
        subset: 500,
        evaluations: 40,
        finest: 0.05,
        aligned: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pmto::problems::ProblemSpec;

    #[test]
    fn released_methods_begin_where_the_released_runs_did() {
        for name in ["pmto-as-released", "pmto-ft-beta1"] {
            let stage = Stage::new(ProblemSpec::find("sphere-i").expect("a family"));
            let InitialDesign::Given { tasks, samples } =
                pmto(name, &stage).expect("a method").initial
            else {
                panic!("{name} has a design of its own");
            };
            assert_eq!((tasks.len(), samples), (20, 10));
            // A Latin hypercube: every twentieth of every coordinate once.
            for k in 0..5 {
                let mut cells: Vec<usize> = tasks
                    .iter()
                    .map(|t| (20.0 * t.coords()[k]) as usize)
                    .collect();
                cells.sort_unstable();
                assert_eq!(cells, (0..20).collect::<Vec<_>>());
            }
        }
    }
}
