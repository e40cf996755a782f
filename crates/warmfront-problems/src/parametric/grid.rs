use warmfront_core::{Purpose, SearchSpace, Seed, UnitPoint};

use super::ParametricProblem;
use crate::sample::{Design, design_points};

/// Most tasks that [`test_tasks`] returns.
pub const MAX_TEST_TASKS: usize = 100_000;

/// Test tasks lie this far from the faces of the task box.
const MARGIN: f64 = 0.05;

/// The dense sample of unseen tasks that answers for all tasks are scored on: a full grid from 0.05 to
/// 0.95 in each task parameter, the last one running fastest.
///
/// The grid has 1000 values with one parameter, 100 each with two, 20 each with three, and 10 each with
/// four and five. From six parameters on it would have more than [`MAX_TEST_TASKS`] points; then it is
/// that many points of a scrambled Sobol sequence with a fixed seed in the same box.
///
/// ```
/// use warmfront_problems::parametric::{Crane, test_tasks};
///
/// assert_eq!(test_tasks(&Crane::actuation_delays()).len(), 20 * 20 * 20);
/// ```
///
/// # References
/// arXiv 2503.08394 with two, three and five parameters; the others are chosen here.
#[must_use]
pub fn test_tasks(problem: &dyn ParametricProblem) -> Vec<UnitPoint> {
    tasks_in(problem.task_dim())
}

fn tasks_in(dim: usize) -> Vec<UnitPoint> {
    match dim {
        1 => grid(dim, 1000),
        2 => grid(dim, 100),
        3 => grid(dim, 20),
        4 | 5 => grid(dim, 10),
        _ => scattered(dim),
    }
}

fn inside(t: f64) -> f64 {
    MARGIN * (1.0 - t) + (1.0 - MARGIN) * t
}

fn grid(dim: usize, values: usize) -> Vec<UnitPoint> {
    let value = |index: &usize| inside(*index as f64 / (values - 1) as f64);
    let mut indices = vec![0; dim];
    let mut tasks = Vec::with_capacity(values.pow(dim as u32));
    loop {
        let coords: Vec<f64> = indices.iter().map(value).collect();
        tasks.push(UnitPoint::clamped(coords));
        // Count up with the last coordinate as the lowest digit.
        let Some(digit) = indices.iter().rposition(|&index| index + 1 < values) else {
            return tasks;
        };
        indices[digit] += 1;
        indices[digit + 1..].fill(0);
    }
}

fn scattered(dim: usize) -> Vec<UnitPoint> {
    let mut rng = Seed(0).stream(Purpose::Init, 0);
    let cube = SearchSpace::unit_cube(dim);
    design_points(&cube, MAX_TEST_TASKS, Design::Sobol, &mut rng)
        .into_iter()
        .map(|point| {
            let coords: Vec<f64> = point.coords().iter().map(|&u| inside(u)).collect();
            UnitPoint::clamped(coords)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_full_and_others_are_capped() {
        for (dim, count) in [
            (1, 1000),
            (2, 10_000),
            (3, 8000),
            (4, 10_000),
            (5, 100_000),
            (6, MAX_TEST_TASKS),
        ] {
            let tasks = tasks_in(dim);
            assert_eq!(tasks.len(), count, "{dim}");
            for task in &tasks {
                assert_eq!(task.dim(), dim);
                let inside = |u: &f64| (0.05 - 1e-15..=0.95 + 1e-15).contains(u);
                assert!(task.coords().iter().all(inside), "{task:?}");
            }
            let distinct: std::collections::HashSet<_> = tasks.iter().collect();
            assert_eq!(distinct.len(), count, "{dim}");
        }
    }

    #[test]
    fn the_last_parameter_runs_fastest() {
        let tasks = tasks_in(5);
        let near = |task: &UnitPoint, expected: [f64; 5]| {
            let mut pairs = task.coords().iter().zip(expected);
            assert!(pairs.all(|(u, e)| (u - e).abs() < 1e-15), "{task:?}");
        };
        near(&tasks[0], [0.05; 5]);
        near(&tasks[1], [0.05, 0.05, 0.05, 0.05, 0.15]);
        near(&tasks[20_000], [0.25, 0.05, 0.05, 0.05, 0.05]);
        near(&tasks[99_999], [0.95; 5]);
    }
}
