//! The unit of work: one method on one task with one seed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One run of one method on one task, from the first evaluation to the last.
///
/// Everything that determines the result is in here, directly or through `fingerprint`, so that
/// [`key`](Self::key) names the result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Index of the replicate; outermost in the order, so that complete seeds finish first.
    pub seed: u32,
    /// Name of the problem.
    pub problem: String,
    /// Which of the problem's target tasks.
    pub task: u32,
    /// Name of the method.
    pub method: String,
    /// Number of evaluations; with fidelities, the budget in evaluations at full fidelity.
    pub evaluations: u32,
    /// What else determines the result: versions of problem and method, base seed, settings.
    pub fingerprint: String,
    /// Measured alone, on one thread, before everything else: its times are the result.
    pub exclusive: bool,
}

impl Cell {
    /// Sixteen hexadecimal digits that change when anything changes that determines the result.
    #[must_use]
    pub fn key(&self) -> String {
        let text = format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            self.seed, self.problem, self.task, self.method, self.evaluations, self.fingerprint
        );
        format!("{:016x}", fnv1a(text.as_bytes()))
    }

    /// Short text for people.
    #[must_use]
    pub fn label(&self) -> String {
        format!(
            "{} on {} task {} seed {}",
            self.method, self.problem, self.task, self.seed
        )
    }
}

/// FNV-1a, 64 bits: a hash with a fixed definition, unlike the standard library's.
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What one evaluation left behind; with fidelities, what one unit of cost did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Hypervolume of the noise-free costs of all points evaluated so far.
    pub hypervolume: f64,
    /// Seconds to propose the point, or the points of this unit of cost.
    pub ask_seconds: f64,
    /// Seconds to take in what came of them, model fitting included.
    pub tell_seconds: f64,
    /// How many points there were.
    pub suggestions: u32,
    /// The evaluated row of a table, of experiments that look at what was asked.
    pub row: Option<u32>,
}

/// The result of a [`Cell`]: something of every evaluation, or named numbers of the whole run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CellResult {
    /// Seconds to build the method, fitting to meta-data included.
    pub setup_seconds: f64,
    /// The best hypervolume known for this task when the cell ran.
    pub optimum: f64,
    /// One entry per evaluation; none if there are measures.
    pub steps: Vec<Step>,
    /// Finite numbers by name, of experiments that do not score single evaluations.
    pub measures: BTreeMap<String, f64>,
}

/// Measures whose sum is the time spent in the method.
pub const METHOD_SECONDS: [&str; 3] = ["seconds/setup", "seconds/ask", "seconds/tell"];

impl CellResult {
    /// Whether it is a whole result of `cell`.
    #[must_use]
    pub fn is_whole(&self, cell: &Cell) -> bool {
        match self.measures.is_empty() {
            true => self.steps.len() == cell.evaluations as usize,
            false => self.steps.is_empty() && self.measures.values().all(|v| v.is_finite()),
        }
    }

    /// Seconds spent in the method.
    #[must_use]
    pub fn method_seconds(&self) -> f64 {
        let steps: f64 = self
            .steps
            .iter()
            .map(|s| s.ask_seconds + s.tell_seconds)
            .sum();
        let measured = METHOD_SECONDS.iter().filter_map(|m| self.measures.get(*m));
        self.setup_seconds + steps + measured.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell() -> Cell {
        Cell {
            seed: 1,
            problem: "p".into(),
            task: 2,
            method: "m".into(),
            evaluations: 30,
            fingerprint: "f".into(),
            exclusive: false,
        }
    }

    #[test]
    fn key_depends_on_everything_that_determines_the_result() {
        let keys = [
            cell(),
            Cell { seed: 2, ..cell() },
            Cell {
                problem: "q".into(),
                ..cell()
            },
            Cell { task: 3, ..cell() },
            Cell {
                method: "n".into(),
                ..cell()
            },
            Cell {
                evaluations: 31,
                ..cell()
            },
            Cell {
                fingerprint: "g".into(),
                ..cell()
            },
        ]
        .map(|c| c.key());
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        // Stored files are found again by later builds.
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
