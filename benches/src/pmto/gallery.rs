//! Task models to look at: short runs that are made when the report is written.

use std::num::NonZeroUsize;

use anyhow::Context as _;
use warmfront_core::{Candidate, Observation, Purpose, Seed, Strategy as _, TrialId, UnitPoint};
use warmfront_meta::pmto::{InitialDesign, ParametricStrategy, PmtoConfig, PoolTask, TaskModel};
use warmfront_problems::parametric::{
    ParametricFunction, ParametricProblem, ParametricSynthetic, PlanarArm, TaskShift,
};

use super::measure::cost;
use super::methods::BETA;
use crate::report::plane::{Axis, Plane, color};
use crate::report::style::Style;
use crate::report::svg::{Drawing, Stroke};

/// Tiles of a map in each direction.
const TILES: usize = 40;
/// Points of a curve.
const POINTS: usize = 160;
/// Costs above the optimum below this are drawn as this.
const LEAST: f64 = 1e-4;

/// One drawing with its caption.
pub struct Picture {
    /// Name of its file.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The drawing.
    pub drawing: Drawing,
}

/// A finished run.
struct Finished {
    model: TaskModel,
    pool: Vec<PoolTask>,
}

/// Evaluations of the box of one task parameter, at most.
const ON_THE_LINE: u32 = 300;
/// Evaluations of the planar arm, at most.
const ON_THE_SQUARE: u32 = 600;

/// All pictures; the same whatever was run, with no more evaluations than `most`.
///
/// # Errors
/// If a run fails.
pub fn pictures(most: u32) -> anyhow::Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    let line = ParametricSynthetic::new(ParametricFunction::Sphere, TaskShift::II, 1, 1);
    let [on_line, on_square] = [ON_THE_LINE, ON_THE_SQUARE].map(|own| own.min(most));
    let arm = PlanarArm::new(3);
    for (name, config) in [
        ("PMTO, as run", PmtoConfig::as_run()),
        ("PMTO", PmtoConfig::improved()),
    ] {
        let short = if name == "PMTO" { "improved" } else { "as-run" };
        let initial = |tasks, samples| PmtoConfig {
            initial: InitialDesign::Tasks { tasks, samples },
            beta: BETA,
            ..config.clone()
        };
        let run = finish(&line, &initial(8, 3), on_line)?;
        pictures.push(Picture {
            name: format!("slice-{short}"),
            caption: format!(
                "{name} after {on_line} evaluations of a box of one task parameter (Sphere with one input, \
                 the optimum moving fast): the predicted solution with two standard deviations, the true \
                 one (dashed), and the best solution of each of {} tasks of the pool.",
                run.pool.len()
            ),
            drawing: slice(&line, &run, name),
        });
        let run = finish(&arm, &initial(10, 5), on_square)?;
        pictures.push(Picture {
            name: format!("map-{short}"),
            caption: format!(
                "{name} after {on_square} evaluations of the planar arm: cost of the predicted solution above \
                 the optimum of each task. White dots are the tasks of the initial design, orange ones \
                 those that the method added, {} in all.",
                run.pool.len()
            ),
            drawing: map(&arm, &run, name)?,
        });
    }
    Ok(pictures)
}

fn finish(
    problem: &dyn ParametricProblem,
    config: &PmtoConfig,
    evaluations: u32,
) -> anyhow::Result<Finished> {
    let seed = Seed(0);
    let mut rng = seed.stream(Purpose::Init, 0);
    let (space, objectives) = (problem.space(), problem.objectives());
    let mut strategy = config.build(space, problem.task_dim(), objectives, &mut rng)?;
    for trial in 0..u64::from(evaluations) {
        let mut rng = seed.stream(Purpose::Ask, trial);
        let proposed = strategy.ask(NonZeroUsize::MIN, &[], &mut rng)?;
        let candidate: Candidate = proposed.into_iter().next().context("an empty proposal")?;
        let mut rng = seed.stream(Purpose::Evaluate, trial);
        let outcome = problem.evaluate(&candidate, &mut rng)?;
        let observation = Observation {
            trial: TrialId(trial),
            candidate,
            outcome,
        };
        let mut rng = seed.stream(Purpose::Tell, trial);
        strategy.tell(&[observation], &mut rng)?;
    }
    Ok(Finished {
        model: strategy.task_model()?,
        pool: strategy.pool(),
    })
}

const STYLE: Style = Style {
    color: "#d55e00",
    dash: "",
    emphasis: true,
};

fn unit(label: &str) -> Axis<'_> {
    Axis {
        label,
        range: (0.0, 1.0),
        log: false,
    }
}

/// The first coordinate of the predicted solution over a box of one task parameter.
fn slice(problem: &dyn ParametricProblem, run: &Finished, name: &str) -> Drawing {
    let title = format!("{name}: predicted solution over the task");
    let mut plane = Plane::new(
        &title,
        unit("task parameter θ"),
        unit("solution coordinate"),
    );
    let at = |i: usize| i as f64 / (POINTS - 1) as f64;
    let predicted: Vec<(f64, f64, f64)> = (0..POINTS)
        .map(|i| {
            let solution = run.model.solution(&UnitPoint::clamped([at(i)]));
            (at(i), solution.mean.coords()[0], solution.sd[0])
        })
        .collect();
    let band: Vec<_> = predicted
        .iter()
        .map(|(t, x, sd)| (*t, x - 2.0 * sd, x + 2.0 * sd))
        .collect();
    plane.band(&band, STYLE.color, 0.15);
    let truth: Vec<(f64, f64)> = (0..POINTS)
        .filter_map(|i| {
            let solution = problem.solution(&UnitPoint::clamped([at(i)]))?;
            Some((at(i), solution.coords()[0]))
        })
        .collect();
    let true_style = Style {
        color: "#8c8c8c",
        dash: "5 4",
        emphasis: false,
    };
    let dashed = Stroke {
        color: true_style.color,
        width: 1.9,
        dash: true_style.dash,
        opacity: 1.0,
    };
    plane.line(&truth, dashed, "true solution");
    let curve: Vec<(f64, f64)> = predicted.iter().map(|(t, x, _)| (*t, *x)).collect();
    plane.line(
        &curve,
        Stroke::solid(STYLE.color, 2.4),
        "predicted solution",
    );
    for task in &run.pool {
        if let Some((best, value)) = &task.best {
            let tip = format!("θ = {:.3}, cost {value:.3}", task.task.coords()[0]);
            let dot = (task.task.coords()[0], best.coords()[0]);
            plane.dot(dot, 3.6, STYLE.color, &tip);
        }
    }
    let ends = [(&curve, STYLE, "predicted"), (&truth, true_style, "true")]
        .into_iter()
        .filter_map(|(line, style, text)| Some((*line.last()?, style, text)));
    plane.labels(ends.collect());
    plane.finish()
}

/// The cost of predicted solutions above the optimum, over a box of two task parameters.
fn map(problem: &dyn ParametricProblem, run: &Finished, name: &str) -> anyhow::Result<Drawing> {
    let title = format!("{name}: cost above the optimum over the task box");
    let mut plane = Plane::square(&title, unit("θ₁: range of a joint"), unit("θ₂: length"));
    let side = 1.0 / TILES as f64;
    let mut excess = Vec::with_capacity(TILES * TILES);
    for i in 0..TILES {
        for j in 0..TILES {
            let corner = (i as f64 * side, j as f64 * side);
            let task = UnitPoint::clamped([corner.0 + 0.5 * side, corner.1 + 0.5 * side]);
            let value = cost(problem, run.model.point(&task), &task)?;
            let optimum = problem.optimum_of(&task).unwrap_or(0.0);
            excess.push((corner, (value - optimum).max(LEAST).log10()));
        }
    }
    let low = LEAST.log10();
    let high = 0.0;
    for (corner, value) in &excess {
        let fraction = (value - low) / (high - low);
        let far = (corner.0 + side, corner.1 + side);
        plane.tile(*corner, far, &color(fraction));
    }
    for task in &run.pool {
        let at = (task.task.coords()[0], task.task.coords()[1]);
        let color = if task.added { "#ff8c1a" } else { "#ffffff" };
        let tip = match &task.best {
            Some((_, value)) => format!("best cost {value:.4}"),
            None => "not evaluated".to_owned(),
        };
        plane.dot(at, 3.4, color, &tip);
    }
    let colors: Vec<String> = (0..40).map(|i| color(f64::from(i) / 39.0)).collect();
    plane.scale(&colors, ("10⁻⁴", "1"), "cost");
    Ok(plane.finish())
}
