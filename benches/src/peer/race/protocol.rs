//! What is said to a side and what it answers, one line of JSON each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reals;

/// Named numbers that came out of a piece of work, for the check that both sides did the same.
pub type Values = BTreeMap<String, Vec<f64>>;

/// What is to be done, on the shared [`inputs`](crate::inputs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// One value and gradient of the log posterior of a Gaussian process' hyper-parameters, priors included.
    GpGradient,
    /// From data to a fitted Gaussian process.
    GpFit,
    /// Mean and variance at 10 000 points, of a process that is ready.
    GpPredict,
    /// Building and maximising an acquisition function, on fitted processes.
    Suggest,
    /// Boxes of the region that a front does not dominate.
    Boxes,
    /// The hypervolume of a front.
    Hypervolume,
    /// The hypervolume that every point of a front contributes.
    Contributions,
    /// Which points of a cloud are not dominated.
    Filter,
    /// The front that each point of a cloud belongs to.
    Ranks,
}

/// A piece of work with its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What is to be done.
    pub work: Work,
    /// Kernel, acquisition function or shape of the front; empty where there is one only.
    pub variant: String,
    /// Number of objectives.
    pub m: usize,
    /// Number of points.
    pub n: usize,
}

impl Task {
    /// A piece of work.
    #[must_use]
    pub fn new(work: Work, variant: &str, m: usize, n: usize) -> Self {
        Self {
            work,
            variant: variant.to_owned(),
            m,
            n,
        }
    }
}

/// A whole optimisation in the unit cube, proposed point by point; costs are minimised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// For sides that have several: which of their methods.
    pub method: String,
    /// Number of inputs.
    pub dim: usize,
    /// Number of objectives.
    pub objectives: usize,
    /// Upper bounds of the costs that count.
    pub reference: Vec<f64>,
    /// Points of the initial design.
    pub x: Vec<Vec<f64>>,
    /// Their costs.
    pub y: Vec<Vec<f64>>,
    /// Number of the seed.
    pub seed: u32,
    /// How many points will be asked for.
    pub steps: usize,
}

/// What a side is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Do whatever comes before the work that is measured.
    Prepare {
        /// The work.
        task: Task,
    },
    /// Do the work until `seconds` have passed, at least once.
    Measure {
        /// How long to repeat it.
        seconds: f64,
        /// For work that draws: the same for every side, and another at each turn.
        seed: u32,
    },
    /// Say what this side thinks of each of these results.
    Judge {
        /// The results.
        #[serde(with = "reals::lists")]
        candidates: Vec<Vec<f64>>,
    },
    /// Begin an optimisation.
    Start {
        /// Its terms.
        #[serde(rename = "loop")]
        run: Run,
    },
    /// Take in the costs of the last point, if there was one, and propose the next.
    Step {
        /// The costs.
        y: Option<Vec<f64>>,
    },
    /// Say how much memory the process has held at most.
    Memory,
}

/// What a side answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Versions by package; said first, without being asked.
    Hello(BTreeMap<String, String>),
    /// It has been done.
    Ready,
    /// How long the work took, and what came out of it.
    Measured(Measured),
    /// What is thought of each result; larger is better.
    Judged(#[serde(with = "reals::list")] Vec<f64>),
    /// The next point.
    Point(Point),
    /// MB.
    Memory(f64),
    /// Why it could not be done.
    Error(String),
}

/// How long a piece of work took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How often it was done.
    pub calls: u32,
    /// Seconds per call, on the clock.
    pub seconds: f64,
    /// Seconds per call, of processor time.
    pub cpu_seconds: f64,
    /// What came out.
    #[serde(with = "reals::named")]
    pub values: Values,
}

/// A proposed point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its coordinates.
    pub x: Vec<f64>,
    /// Seconds to take in the last outcome and propose it.
    pub seconds: f64,
    /// The same of processor time.
    pub cpu_seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_other_languages_expect() {
        let check = |request: &Request, line: &str| {
            assert_eq!(serde_json::to_string(request).unwrap(), line);
        };
        let task = Task::new(Work::GpFit, "rbf", 1, 50);
        check(
            &Request::Prepare { task },
            r#"{"do":"prepare","task":{"work":"gp_fit","variant":"rbf","m":1,"n":50}}"#,
        );
        check(&Request::Step { y: None }, r#"{"do":"step","y":null}"#);
        check(&Request::Memory, r#"{"do":"memory"}"#);
        let read = |line: &str| serde_json::from_str::<Answer>(line).unwrap();
        assert_eq!(read(r#""ready""#), Answer::Ready);
        assert_eq!(read(r#"{"judged":[0.5]}"#), Answer::Judged(vec![0.5]));
    }

    #[test]
    fn what_is_not_finite_survives() {
        let judged = Answer::Judged(vec![f64::NEG_INFINITY, 1.0, f64::NAN]);
        let line = serde_json::to_string(&judged).unwrap();
        assert_eq!(line, r#"{"judged":["-inf",1.0,"nan"]}"#);
        match serde_json::from_str(&line).unwrap() {
            Answer::Judged(values) => {
                assert!(values[0] < f64::MIN && values[2].is_nan(), "{values:?}");
            }
            other => panic!("{other:?}"),
        }
        let measured =
            r#"{"measured":{"calls":1,"seconds":1,"cpu_seconds":1,"values":{"v":[2,"inf"]}}}"#;
        match serde_json::from_str(measured).unwrap() {
            Answer::Measured(measured) => {
                assert_eq!(measured.values["v"], [2.0, f64::INFINITY]);
            }
            other => panic!("{other:?}"),
        }
        assert!(serde_json::from_str::<Answer>(r#"{"judged":["many"]}"#).is_err());
        let candidates = vec![vec![f64::NAN], vec![0.5]];
        let line = serde_json::to_string(&Request::Judge { candidates }).unwrap();
        assert_eq!(line, r#"{"do":"judge","candidates":[["nan"],[0.5]]}"#);
    }
}
