//! The heads: predicted density, score of candidates, value of the state.

use crate::config::NetworkConfig;

/// Which heads are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// The predicted density.
    pub bar: bool,
    /// The score of every candidate.
    pub acquisition: bool,
    /// The value of the state.
    pub value: bool,
}

impl Heads {
    /// All heads.
    pub const ALL: Self = Self {
        bar: true,
        acquisition: true,
        value: true,
    };
    /// The predicted density only.
    pub const BAR: Self = Self {
        bar: true,
        acquisition: false,
        value: false,
    };
    /// The score of every candidate only.
    pub const ACQUISITION: Self = Self {
        bar: false,
        acquisition: true,
        value: false,
    };
}

/// What the heads answer; empty (or 0) where a head was not asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// Logits of the predicted density, `N×B` row by row.
    pub logits: Vec<f32>,
    /// Score `α` of every candidate, before the division by the temperature.
    pub acquisition: Vec<f32>,
    /// Value of the state.
    pub value: f32,
}

/// The gradient of a loss by an [`Output`]; an empty vector is zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputGradient {
    /// By the logits, `N×B` row by row.
    pub logits: Vec<f32>,
    /// By the scores.
    pub acquisition: Vec<f32>,
    /// By the value.
    pub value: f32,
}

impl Output {
    pub(super) fn zeros(config: &NetworkConfig, queries: usize, heads: Heads) -> Self {
        let logits = if heads.bar {
            queries * config.bar.buckets()
        } else {
            0
        };
        Self {
            logits: vec![0.0; logits],
            acquisition: vec![0.0; if heads.acquisition { queries } else { 0 }],
            value: 0.0,
        }
    }
}
