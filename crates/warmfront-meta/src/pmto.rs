//! Parametric multi-task optimisation: solving a whole box of tasks at once.
//!
//! A task is a point θ of a box and its cost `f(x, θ)` is expensive. In the offline phase both the
//! solution `x` and the task are chosen for every evaluation ([`Pmto`], a
//! [`Strategy`](warmfront_core::Strategy) whose candidates carry tasks); a [`TaskModel`] then maps
//! any task of the box to a solution without a further evaluation.
//!
//! | module | holds |
//! |---|---|
//! | `config` | [`PmtoConfig`]: every choice by name, and the named methods |
//! | `parametric` | [`ParametricStrategy`]: what methods for a box of tasks have in common |
//! | `strategy`, `rounds` | [`Pmto`]: the queue of a round, its fits and its choice of tasks |
//! | `self_transfer`, `differential` | [`SelfTransfer`]: SELF, the comparator over fixed tasks with transfers |
//! | `integrated_optimum` | [`IntegratedOptimum`]: REVI, an outside reference |
//! | `map_elites`, `cells` | [`MapElites`]: Parametric-Task MAP-Elites, an outside reference |
//! | `plan` | queues of candidates decided before they are asked for |
//! | `rows` | what a task model learns from |
//! | `alignment` | solutions relative to where the task model expects the best |
//! | `allocation` | the choice of tasks by regret |
//! | `high` | [`HighDimensionalPmto`]: solutions of fifty coordinates and more, in time linear in the evaluations |
//! | `forward`, `coregionalized` | models of the costs of all tasks |
//! | `published` | the fit of the published runs: Adam, or the box it can reach |
//! | `criterion`, `evolution` | task evolution by the determinantal criterion |
//! | `search` | where to evaluate a task |
//! | `task_model`, `saved` | the map from tasks to solutions, and its bytes |
//! | `multi` | several objectives: [`MultiPmto`] and its map from task and preference |
//! | `information` | information gain of unified and independent models |
//!
//! # What is published and what is ours
//!
//! [`PmtoConfig::as_run`] is the published method with its constants: one squared-exponential
//! process over `(x, θ)` with one lengthscale on raw costs; one task a round by
//! [`DeterminantalCriterion`]; one evaluation of every task of the pool a round, newest first, at
//! the least `μ − 0.5σ`; a task model with one lengthscale for each task coordinate of the best
//! 70 % of the tasks. The criterion, which was computed in single precision there, is rounded to it here:
//! under long lengthscales it vanishes, and which of the equals is taken is up to the search (there any
//! of its last population, always from one seed; here the first, from the run's). Departures: double precision with
//! exact factorisations elsewhere; and what would take most of the time is thinned out (extrapolated
//! gradients of Adam, fits when the evaluations have grown by 10 %, variances that lag behind in a
//! search), see [`PmtoConfig::as_run`].
//! [`PmtoConfig::fixed_tasks`], [`random_tasks`](PmtoConfig::random_tasks),
//! [`single_tasks`](PmtoConfig::single_tasks) and
//! [`coregionalized`](PmtoConfig::coregionalized) are its comparators, and so is [`SelfTransfer`];
//! [`MapElites`] and [`IntegratedOptimum`] are references from elsewhere. All of them are a
//! [`ParametricStrategy`], so that every method can be scored with every recipe of the task model.
//!
//! [`PmtoConfig::improved`], the default, keeps the two models and the pool and replaces the rest:
//!
//! - costs are standardised, every coordinate has its own lengthscale, and hyperparameters are
//!   fitted with weak priors from the last fit and a second start whenever the evaluations have
//!   grown by 30 %, on all evaluations of a random part of the tasks if there are many; in between
//!   the factorisation grows by the new rows in O(n²). Detail finer than a lengthscale of 0.3 of a
//!   solution coordinate counts as noise: the few evaluations of a task cannot follow it;
//! - the same fit is tried in coordinates `x − M(θ)` relative to the task model's predictions, and
//!   kept where its likelihood is larger: landscapes that look alike around their optima are learnt
//!   from the evaluations of all tasks, fine detail included;
//! - a task whose best cost stands out above those of its neighbours is evaluated where the others'
//!   solutions predict its own, which frees searches that were caught in a local optimum;
//! - not every task is evaluated every round, but those whose best cost lies farthest above the
//!   least lower confidence bound near the predicted solution. Searches start from the task
//!   model's prediction and from the least forward mean, which costs no evaluation;
//! - new tasks join only while the task model is expected to lose more between tasks (half its
//!   variance times the curvature of the forward mean) than the pool has gaps, and are those of a
//!   fresh Sobol grid that lower this loss most when their variance is integrated out; a quarter
//!   of them is the grid's next point instead;
//! - the task model is fitted from several starts, with noise that grows with the estimated regret
//!   as far as the likelihood wants it to, leaving out the tasks with the largest
//!   ([`InverseRecipe::NoiseAware`]);
//! - [`TaskModel::refined`] descends the forward mean from the prediction within two standard
//!   deviations, and [`TaskModel::refine_by_evaluations`] spends a few evaluations on one task.
//!
//! [`HighDimensionalPmto`] is for solutions of fifty coordinates and more, where a process over
//! solutions and tasks learns little and best evaluated solutions teach a task model nothing. The
//! task model is part of its model of costs, a quadratic surface for each task, so
//! that all evaluations of all tasks are evidence about every coordinate of the map.
//!
//! # References
//! Wei, Liu, Gupta, Tan, Ong 2026, *(θ_l, θ_u)-Parametric Multi-Task Optimization*, IEEE TEVC 30(3)
//! (arXiv 2503.08394). Its full text was not at hand: constants are those of the published runs.
//! Integrated variance reduction is that of Cohn 1996, *Neural network exploration using optimal
//! experiment design*, in its form for Gaussian processes.

mod alignment;
mod allocation;
mod archive;
mod cells;
mod config;
mod coregionalized;
mod criterion;
mod differential;
mod evolution;
mod forward;
mod high;
mod information;
mod integrated_optimum;
mod likelihood;
mod map_elites;
mod multi;
mod parametric;
mod plan;
mod published;
mod rounds;
mod rows;
mod saved;
mod search;
mod self_transfer;
mod strategy;
mod task_gp;
mod task_model;
mod view;

pub use config::{ForwardFit, ForwardModel, InitialDesign, Lengthscales, PmtoConfig, TaskChoice};
pub use criterion::DeterminantalCriterion;
pub use evolution::{
    EvolutionConfig, maximize_in_box, polynomial_mutation, simulated_binary_crossover,
};
pub use high::{HighDimensionalConfig, HighDimensionalPmto};
pub use information::{InformationGains, greedy_information_gain, information_gain};
pub use integrated_optimum::{IntegratedOptimum, IntegratedOptimumConfig};
pub use map_elites::{MapElites, MapElitesConfig};
pub use multi::{FrontModel, MultiPmto, MultiPmtoConfig, MultiTasks};
pub use parametric::{ParametricStrategy, PoolTask};
pub use published::Optimizer;
pub use search::BoundSearch;
pub use self_transfer::{SelfTransfer, SelfTransferConfig, TransferCorrelation};
pub use strategy::Pmto;
pub use task_gp::InverseFit;
pub use task_model::{InverseRecipe, TaskModel, TaskSolution};
