//! The network: a transformer over evaluations and candidates, and its heads.

mod encoded;
mod heads;
mod initial;
mod tape;

use rand::Rng;

use crate::config::NetworkConfig;
use crate::error::NpError;
use crate::layout::Layout;

pub(crate) use encoded::{CHUNK, rankable};
pub use encoded::{EncodedHistory, Utility};
pub use heads::{Heads, Output, OutputGradient};
pub use tape::Tape;

/// What the network is shown: the evaluations so far and candidates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// Evaluated points, `n×d` row by row.
    pub history_x: Vec<f32>,
    /// Their scaled values, larger is better; length `n`, which may be 0.
    pub history_y: Vec<f32>,
    /// Candidates, `N×d` row by row.
    pub queries: Vec<f32>,
    /// Largest scaled value so far.
    pub incumbent: f32,
    /// Fraction of the evaluations that are used up, in `[0, 1]`.
    pub progress: f32,
}

/// A network: its configuration and its parameters in one flat vector.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_np::{Heads, Network, NetworkConfig};
///
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let network = Network::new(NetworkConfig::compact(2), &mut rng)?;
/// // Two evaluations in two dimensions, read once; then three candidates.
/// let history = network.encode(&[0.1, 0.2, 0.7, 0.4], &[-0.5, 0.5]);
/// let candidates = [0.3, 0.3, 0.6, 0.5, 0.9, 0.9];
/// let output = network.score(&history, &candidates, 0.5, 0.1, Heads::ALL);
/// assert_eq!(output.acquisition.len(), 3);
/// # Ok::<(), warmfront_np::NpError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    config: NetworkConfig,
    layout: Layout,
    parameters: Vec<f32>,
}

impl Network {
    /// A network with parameters drawn as [`NetworkConfig::initialisation`] says.
    ///
    /// # Errors
    /// If the configuration does not fit together.
    pub fn new<R: Rng + ?Sized>(config: NetworkConfig, rng: &mut R) -> Result<Self, NpError> {
        config.check()?;
        let layout = Layout::new(&config);
        let parameters = initial::draw(&config, &layout, rng);
        Ok(Self {
            config,
            layout,
            parameters,
        })
    }

    /// A network with given parameters, in the order of [`Layout::tensors`].
    ///
    /// # Errors
    /// If the configuration does not fit together, or the parameters are not of its number, or not
    /// finite.
    pub fn from_parameters(config: NetworkConfig, parameters: Vec<f32>) -> Result<Self, NpError> {
        config.check()?;
        let layout = Layout::new(&config);
        if parameters.len() != layout.len() {
            return Err(NpError::ParameterCount {
                expected: layout.len(),
                found: parameters.len(),
            });
        }
        for tensor in layout.tensors() {
            let values = &parameters[tensor.range.clone()];
            if let Some(index) = values.iter().position(|v| !v.is_finite()) {
                return Err(NpError::ParameterNotFinite {
                    tensor: tensor.name.clone(),
                    index,
                });
            }
        }
        Ok(Self {
            config,
            layout,
            parameters,
        })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Where each tensor lies in the parameters.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All parameters.
    #[must_use]
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// All parameters, to be changed.
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// Name, shape and values of every tensor.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.layout.tensors().iter().map(|t| {
            (
                t.name.as_str(),
                t.shape.as_slice(),
                &self.parameters[t.range.clone()],
            )
        })
    }

    /// Number of evaluations and of candidates in a context.
    #[track_caller]
    fn sizes(&self, context: &Context) -> (usize, usize) {
        let d = self.config.inputs;
        let n = context.history_y.len();
        assert!(
            context.history_x.len() == n * d && context.queries.len().is_multiple_of(d),
            "{n} values, {} coordinates of evaluations and {} of candidates in {d} dimensions",
            context.history_x.len(),
            context.queries.len()
        );
        (n, context.queries.len() / d)
    }

    /// The heads' answers, without what a gradient needs.
    ///
    /// # Panics
    /// If lengths of the context do not fit.
    #[track_caller]
    #[must_use]
    pub fn forward(&self, context: &Context, heads: Heads) -> Output {
        let _ = self.sizes(context);
        let history = self.encode(&context.history_x, &context.history_y);
        self.score(
            &history,
            &context.queries,
            context.incumbent,
            context.progress,
            heads,
        )
    }
}
