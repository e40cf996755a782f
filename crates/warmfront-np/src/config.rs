//! Sizes and choices of a network.

use crate::bar::Bar;
use crate::error::NpError;

/// Sizes and choices of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkConfig {
    /// Encoded dimension `d` of the search space.
    pub inputs: usize,
    /// Number of transformer layers.
    pub layers: usize,
    /// Width `E` of a token.
    pub width: usize,
    /// Hidden width `F` of the feed-forward blocks.
    pub feed_forward: usize,
    /// Attention heads; divides the width.
    pub heads: usize,
    /// Buckets of the predicted density.
    pub bar: Bar,
    /// Hidden width of the head that predicts the density.
    pub head_hidden: usize,
    /// The head that scores candidates.
    pub acquisition: AcquisitionHead,
    /// What the value head sees.
    pub critic: Critic,
    /// Which tokens of the history see each other.
    pub attention: HistoryAttention,
    /// Distribution of the first parameters.
    pub initialisation: Initialisation,
}

/// Which tokens of the history a token of the history sees; a query always sees all of it and itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryAttention {
    /// All of them: predictions do not depend on the order of the history.
    Full,
    /// Itself and those before: an evaluation is appended to an encoded history in linear time, and
    /// predictions depend on the order.
    Causal,
}

/// What the value head sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Critic {
    /// The incumbent and the progress only, as published.
    Scalars,
    /// These and the mean of the last layer's history tokens.
    History,
}

/// Distribution of the first parameters. Attention projections are drawn alike in all of them but the
/// last: Xavier-uniform inwards, uniform in `±1/√E` outwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialisation {
    /// Linear maps from `N(0, 0.01²)`; all layers begin as copies of the first.
    Published,
    /// Linear maps from `N(0, 0.01²)`; every layer is drawn.
    Small,
    /// Linear maps uniform in `±1/√inputs`; every layer is drawn.
    Scaled,
    /// The same, but attention begins as a smoother over the evaluations that are near: embeddings of
    /// points spread over the unit cube have mean 0 and variance 1, queries are projected from a
    /// normal distribution, and keys as queries are. Without this a network of many inputs can stay for thousands of steps where it predicts the
    /// same density everywhere.
    Smoother,
}

/// The head that scores candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct AcquisitionHead {
    /// Width of the hidden layers (ReLU).
    pub hidden: usize,
    /// Number of hidden layers.
    pub layers: usize,
    /// Temperature `τ` of the policy `softmax(α/τ)`.
    pub temperature: f32,
    /// Also show it the encoder's output for the candidate. As published it sees the predicted
    /// probabilities, the embedded candidate, the incumbent and the progress.
    pub sees_encoding: bool,
    /// Add `τ·β·log EI` of the predicted density to the score, with `β` learned and 1 at first: a policy
    /// that has learned nothing follows the expected improvement.
    pub residual: bool,
    /// Let gradients of the scores stop at the head.
    pub detached: bool,
}

impl AcquisitionHead {
    /// As published: three hidden layers of 200, temperature 0.1.
    #[must_use]
    pub fn published() -> Self {
        Self {
            hidden: 200,
            layers: 3,
            temperature: 0.1,
            sees_encoding: false,
            residual: false,
            detached: false,
        }
    }
}

impl NetworkConfig {
    /// The published network: 6 layers of width 512, 1000 buckets on (−0.1, 1.1).
    #[must_use]
    pub fn paper(inputs: usize) -> Self {
        Self {
            inputs,
            layers: 6,
            width: 512,
            feed_forward: 1024,
            heads: 4,
            bar: Bar::uniform(-0.1, 1.1, 1000),
            head_hidden: 1024,
            acquisition: AcquisitionHead::published(),
            critic: Critic::Scalars,
            attention: HistoryAttention::Full,
            initialisation: Initialisation::Published,
        }
    }

    /// A network for processors: 4 layers of width 128, 128 buckets on (−4, 4), scores that begin as
    /// the expected improvement, a critic that sees the history.
    #[must_use]
    pub fn compact(inputs: usize) -> Self {
        Self {
            inputs,
            layers: 4,
            width: 128,
            feed_forward: 256,
            heads: 4,
            bar: Bar::uniform(-4.0, 4.0, 128).with_tails(),
            head_hidden: 256,
            acquisition: AcquisitionHead {
                residual: true,
                ..AcquisitionHead::published()
            },
            critic: Critic::History,
            attention: HistoryAttention::Full,
            initialisation: Initialisation::Smoother,
        }
    }

    /// Checks that the sizes fit together.
    ///
    /// # Errors
    /// [`NpError::Setting`] names the first setting outside its range.
    pub fn check(&self) -> Result<(), NpError> {
        let sizes = [
            ("inputs", self.inputs),
            ("layers", self.layers),
            ("width", self.width),
            ("feed_forward", self.feed_forward),
            ("heads", self.heads),
            ("head_hidden", self.head_hidden),
            ("acquisition.hidden", self.acquisition.hidden),
            ("acquisition.layers", self.acquisition.layers),
        ];
        for (what, value) in sizes {
            if value == 0 || value > 1 << 20 {
                return Err(NpError::Setting {
                    what,
                    value: value as f64,
                    expected: "a number from 1 to 2^20",
                });
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            return Err(NpError::Setting {
                what: "width",
                value: self.width as f64,
                expected: "a multiple of the number of heads",
            });
        }
        let temperature = self.acquisition.temperature;
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(NpError::Setting {
                what: "acquisition.temperature",
                value: f64::from(temperature),
                expected: "a positive number",
            });
        }
        Ok(())
    }
}
