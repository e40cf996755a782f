//! What a task model learns from: tasks with solutions, and how far each is to be trusted.

use warmfront_gp::{GpError, Standardization};
use warmfront_linalg::Mat;

use super::archive::Archive;
use super::task_gp::{InverseFit, TaskGp};
use super::task_model::InverseData;

/// More tasks than this are thinned out, evenly in the order of their first evaluation.
const MOST_TASKS: usize = 400;

/// Share of the tasks that [`InverseRecipe::NoiseAware`](super::InverseRecipe::NoiseAware) keeps.
const KEPT_SHARE: f64 = 0.85;

pub(super) fn thinned(tasks: Vec<usize>) -> Vec<usize> {
    let n = tasks.len();
    if n <= MOST_TASKS {
        return tasks;
    }
    (0..MOST_TASKS).map(|i| tasks[i * n / MOST_TASKS]).collect()
}

/// The `max(1, ⌊share·n⌋)` solved tasks of least best cost, in the order of the pool.
pub(super) fn best_share(archive: &Archive, share: f64) -> Vec<usize> {
    let cost = |&t: &usize| archive.tasks()[t].best.map_or(f64::INFINITY, |(_, y)| y);
    let mut tasks = archive.solved();
    let keep = ((share * tasks.len() as f64) as usize).max(1);
    tasks.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    tasks.truncate(keep);
    tasks.sort_unstable();
    tasks
}

fn task_matrix(archive: &Archive, tasks: &[usize]) -> Mat<f64> {
    Mat::from_fn(tasks.len(), archive.task_dim(), |i, k| {
        archive.tasks()[tasks[i]].at.coords()[k]
    })
}

fn columns(solutions: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let v = solutions.first().map_or(0, Vec::len);
    (0..v)
        .map(|k| solutions.iter().map(|x| x[k]).collect())
        .collect()
}

pub(super) fn best_solutions(archive: &Archive, tasks: &[usize]) -> InverseData {
    let solutions: Vec<Vec<f64>> = tasks
        .iter()
        .filter_map(|&t| archive.best_point(t).map(|x| x.coords().to_vec()))
        .collect();
    InverseData {
        tasks: task_matrix(archive, tasks),
        solutions: columns(&solutions),
        slack: Vec::new(),
    }
}

/// Gaps over the largest of them.
fn relative(gaps: Vec<f64>) -> Vec<f64> {
    let largest = gaps.iter().copied().fold(0.0, f64::max);
    gaps.into_iter()
        .map(|gap| if largest > 0.0 { gap / largest } else { 0.0 })
        .collect()
}

/// Tasks at their best solutions with their estimated regrets as slack: those of least regret.
///
/// The regret of a task is estimated by how far its best cost lies above what a process over the
/// best costs of the other tasks expects there: a search that was caught elsewhere than those of its
/// neighbours stands out, however costly the optima of that part of the box are.
pub(super) fn least_regrets(archive: &Archive, tasks: &[usize]) -> Result<Trusted, GpError> {
    let regrets = estimated_regrets(archive, tasks)?;
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by(|&a, &b| regrets[a].total_cmp(&regrets[b]));
    order.truncate(((KEPT_SHARE * tasks.len() as f64) as usize).max(1));
    order.sort_unstable();
    let kept: Vec<usize> = order.iter().map(|&i| tasks[i]).collect();
    let least = order
        .iter()
        .map(|&i| regrets[i])
        .fold(f64::INFINITY, f64::min);
    let data = InverseData {
        slack: relative(order.iter().map(|&i| regrets[i] - least).collect()),
        ..best_solutions(archive, &kept)
    };
    Ok(Trusted {
        data,
        rows: order,
        regrets,
    })
}

/// The tasks that are to be trusted.
pub(super) struct Trusted {
    pub(super) data: InverseData,
    /// Which of the tasks asked for they are.
    pub(super) rows: Vec<usize>,
    /// Estimated regrets of all tasks asked for.
    pub(super) regrets: Vec<f64>,
}

fn estimated_regrets(archive: &Archive, tasks: &[usize]) -> Result<Vec<f64>, GpError> {
    let costs: Vec<f64> = tasks
        .iter()
        .map(|&t| archive.tasks()[t].best.map_or(0.0, |(_, cost)| cost))
        .collect();
    let standardization = Standardization::of(&costs);
    let z: Vec<f64> = costs.iter().map(|&c| standardization.apply(c)).collect();
    let fit = InverseFit::Map {
        starts: 2,
        evaluations: 40,
    };
    let process = TaskGp::fit(
        task_matrix(archive, tasks).as_ref(),
        &z,
        &[],
        false,
        &fit,
        None,
    )?;
    let expected = process.leave_one_out(&z);
    Ok(z.iter()
        .zip(&expected)
        .map(|(own, (mean, _))| own - mean)
        .collect())
}
