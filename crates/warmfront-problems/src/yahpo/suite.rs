//! Lists of instances and objectives that belong together in a comparison.

use std::sync::Arc;

use serde::Deserialize;

use super::layout::YahpoLayout;
use super::problem::YahpoProblem;
use super::scenario::YahpoScenario;
use crate::{Known, ProblemError, Provenance};

/// One problem of a benchmark suite: what YAHPO's `benchmark_suites/*.json` list.
///
/// ```
/// use warmfront_problems::YahpoTask;
///
/// let suite = br#"[{"scenario": "lcbench", "instance": "167152",
///                   "target": ["val_accuracy", "val_cross_entropy"]}]"#;
/// let tasks = YahpoTask::read_suite(suite)?;
/// assert_eq!(tasks[0].instance, "167152");
/// assert!(tasks[0].layout().is_some());
/// # Ok::<(), warmfront_problems::ProblemError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct YahpoTask {
    /// The scenario's name.
    pub scenario: String,
    /// The instance.
    pub instance: String,
    /// The objectives, named as in [`YahpoProblem::new`].
    #[serde(rename = "target")]
    pub objectives: Vec<String>,
}

impl YahpoTask {
    /// Reads a suite from its JSON, tasks of all scenarios in the file's order.
    ///
    /// # Errors
    /// If the bytes are not such a file.
    pub fn read_suite(bytes: &[u8]) -> Result<Vec<Self>, ProblemError> {
        serde_json::from_slice(bytes).map_err(|source| ProblemError::Json {
            what: "the benchmark suite",
            source,
        })
    }

    /// The layout of the task's scenario; `None` for scenarios that cannot be read here.
    #[must_use]
    pub fn layout(&self) -> Option<YahpoLayout> {
        YahpoLayout::by_name(&self.scenario)
    }

    /// The task as a problem of its scenario.
    ///
    /// # Errors
    /// As [`YahpoProblem::new`], or if `scenario` is another than the task's.
    pub fn problem(&self, scenario: Arc<YahpoScenario>) -> Result<YahpoProblem, ProblemError> {
        if scenario.layout().name != self.scenario {
            return Err(ProblemError::OtherScenario {
                expected: self.scenario.clone(),
                found: scenario.layout().name,
            });
        }
        let objectives: Vec<&str> = self.objectives.iter().map(String::as_str).collect();
        YahpoProblem::new(scenario, &self.instance, &objectives)
    }
}

/// The LCBench instances of the PriMO experiments with their reference points for
/// `val_cross_entropy` and `time` (seconds).
///
/// # References
/// The experiments' configuration files (PriMO, arXiv 2511.08371).
pub const PRIMO_LCBENCH: [(&str, [f64; 2]); 4] = [
    ("126026", [1.0, 150.0]),
    ("146212", [1.0, 150.0]),
    ("168330", [1.0, 5000.0]),
    ("168868", [1.0, 200.0]),
];

impl YahpoProblem {
    /// An LCBench instance as in the PriMO experiments: `val_cross_entropy` and `time` minimised, and
    /// for the four of [`PRIMO_LCBENCH`] their reference point.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn primo_lcbench(
        scenario: Arc<YahpoScenario>,
        instance: &str,
    ) -> Result<Self, ProblemError> {
        let problem = Self::new(scenario, instance, &["val_cross_entropy", "time"])?;
        let known = PRIMO_LCBENCH.iter().find(|(name, _)| *name == instance);
        Ok(match known {
            Some((_, reference)) => problem.with_reference(Known::new(
                reference.to_vec(),
                Provenance::Reported {
                    source: "the experiments of PriMO",
                },
            )),
            None => problem,
        })
    }
}
