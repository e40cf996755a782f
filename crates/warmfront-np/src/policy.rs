//! A trained network with what is needed to serve it, and its file.

mod shipped;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::io::{Read, Write};

use warmfront_core::{Domain, SearchSpace};

use crate::scaling::Scaling;
use crate::weights::{Archive, Kind, Precision, Weights};
use crate::{Network, NpError, Utility, weights};

const KIND: Kind = Kind {
    name: "policy",
    version: 2,
};

/// Name of the tensor that holds the borders of the buckets.
const BORDERS: &str = "bar.borders";

/// A trained network with what is needed to serve it.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::SearchSpace;
/// use warmfront_np::{About, Policy};
/// use warmfront_np::{Network, NetworkConfig};
///
/// let space = SearchSpace::unit_cube(2);
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let network = Network::new(NetworkConfig::compact(2), &mut rng)?;
/// let policy = Policy::new(network, About::new(&space, 50))?;
///
/// let mut file = Vec::new();
/// policy.write(&mut file)?;
/// assert_eq!(Policy::read(&file[..])?, policy);
/// assert!(policy.fits(&SearchSpace::unit_cube(3)).is_err());
/// # Ok::<(), warmfront_np::NpError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    network: Network,
    about: About,
}

/// What a policy was trained for.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The kind of every coordinate it was trained on.
    pub columns: Columns,
    /// Whether it was trained with tasks of fewer coordinates too, those beyond held at zero.
    pub padded: bool,
    /// How costs become the values that the network sees.
    pub scaling: Scaling,
    /// Evaluations of a run `T`: the network sees `t/T`.
    pub horizon: usize,
    /// The fewest random evaluations that its runs began with in training: it has never decided
    /// after fewer.
    pub initial: usize,
    /// What candidates are compared by.
    pub acquisition: Utility,
    /// How it was trained, for the reader.
    pub trained: String,
}

/// The coordinates that a policy was trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// Any: the tasks said nothing about the meaning of coordinates.
    Any,
    /// These.
    Of(Vec<Column>),
}

/// The kind of one coordinate of an encoded space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A real parameter.
    Real,
    /// An integer or ordinal parameter.
    Ordered,
    /// A categorical parameter of two choices.
    Binary,
    /// One of the coordinates of a categorical parameter of this many choices.
    OneHot(usize),
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Real => f.write_str("real"),
            Self::Ordered => f.write_str("ordered"),
            Self::Binary => f.write_str("binary"),
            Self::OneHot(choices) => write!(f, "one of {choices} choices"),
        }
    }
}

impl Columns {
    /// The kinds of the coordinates of a space. Names, ranges and scales do not count: the network
    /// sees the unit cube.
    #[must_use]
    pub fn of(space: &SearchSpace) -> Self {
        let kinds = space.parameters().iter().flat_map(|parameter| {
            let width = parameter.coords().len();
            let kind = match parameter.domain() {
                Domain::Real { .. } => Column::Real,
                Domain::Categorical { .. } if width == 1 => Column::Binary,
                Domain::Categorical { .. } => Column::OneHot(width),
                _ => Column::Ordered,
            };
            std::iter::repeat_n(kind, width)
        });
        Self::Of(kinds.collect())
    }
}

impl About {
    /// A policy for this space and this many evaluations, with the default scaling and without random
    /// evaluations before it; [`Trainer::finish`](crate::train::Trainer::finish) fills in those of the
    /// training.
    #[must_use]
    pub fn new(space: &SearchSpace, horizon: usize) -> Self {
        Self {
            columns: Columns::of(space),
            padded: false,
            scaling: Scaling::default(),
            horizon,
            initial: 0,
            acquisition: Utility::default(),
            trained: String::new(),
        }
    }

    /// A policy for any space that has no more coordinates than the network.
    #[must_use]
    pub fn general(horizon: usize) -> Self {
        Self {
            columns: Columns::Any,
            padded: true,
            scaling: Scaling::default(),
            horizon,
            initial: 0,
            acquisition: Utility::default(),
            trained: String::new(),
        }
    }
}

impl Policy {
    /// Puts a network and what it was trained for together.
    ///
    /// # Errors
    /// If they are of different dimensions, or the horizon is 0.
    pub fn new(network: Network, about: About) -> Result<Self, NpError> {
        if about.horizon == 0 {
            return Err(NpError::Setting {
                what: "horizon",
                value: 0.0,
                expected: "at least one evaluation",
            });
        }
        let inputs = network.config().inputs;
        match &about.columns {
            Columns::Of(columns) if columns.len() != inputs => Err(NpError::Contents {
                reason: format!("{} coordinates of a network with {inputs}", columns.len()),
            }),
            _ => Ok(Self { network, about }),
        }
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What it was trained for.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Checks that the policy can search `space`.
    ///
    /// # Errors
    /// If the space has another number of coordinates (for a padded policy: more), or one of another
    /// kind.
    pub fn fits(&self, space: &SearchSpace) -> Result<(), NpError> {
        let (expected, found) = (self.network.config().inputs, space.dim());
        let padded = self.about.padded;
        if found > expected || (found < expected && !padded) {
            return Err(NpError::SpaceDimension {
                expected,
                found,
                padded,
            });
        }
        let (Columns::Of(trained), Columns::Of(here)) = (&self.about.columns, Columns::of(space))
        else {
            return Ok(());
        };
        match trained.iter().zip(&here).position(|(a, b)| a != b) {
            Some(coordinate) => Err(NpError::SpaceColumn {
                coordinate,
                expected: trained[coordinate],
                found: here[coordinate],
            }),
            None => Ok(()),
        }
    }

    /// Writes the policy as safetensors; equal policies give equal bytes.
    ///
    /// # Errors
    /// If writing fails, or it is too large to be read back.
    pub fn write(&self, writer: impl Write) -> Result<(), NpError> {
        self.write_with(writer, Precision::Full)
    }

    /// Writes the policy with weights of this precision.
    ///
    /// # Errors
    /// If writing fails, or it is too large to be read back.
    pub fn write_with(&self, writer: impl Write, precision: Precision) -> Result<(), NpError> {
        let config = self.network.config();
        let mut tensors: BTreeMap<String, Weights> = self
            .network
            .tensors()
            .map(|(name, shape, values)| {
                let (shape, values) = (shape.to_vec(), values.to_vec());
                (name.to_owned(), Weights { shape, values })
            })
            .collect();
        let borders = config.bar.borders().to_vec();
        let shape = vec![borders.len()];
        let values = borders;
        tensors.insert(BORDERS.into(), Weights { shape, values });
        let text = wire::to_text(config, &self.about)?;
        // Rounded borders could meet.
        let precision = |name: &str| match name {
            BORDERS => Precision::Full,
            _ => precision,
        };
        weights::write(writer, KIND, &Archive { text, tensors }, precision)
    }

    /// Reads a policy, up to the end of the reader.
    ///
    /// # Errors
    /// If the bytes are not an undamaged policy file of this version, or reading fails.
    pub fn read(reader: impl Read) -> Result<Self, NpError> {
        let Archive { text, mut tensors } = weights::read(reader, KIND)?;
        let borders = tensors.remove(BORDERS).ok_or_else(|| missing(BORDERS))?;
        let (config, about) = wire::from_text(&text, borders.values, tensors.len())?;
        config.check()?;
        let mut parameters = Vec::new();
        for tensor in crate::Layout::new(&config).tensors() {
            let found = tensors
                .remove(&tensor.name)
                .ok_or_else(|| missing(&tensor.name))?;
            if found.shape != tensor.shape {
                return Err(NpError::Contents {
                    reason: format!(
                        "tensor `{}` is of shape {:?}, expected {:?}",
                        tensor.name, found.shape, tensor.shape
                    ),
                });
            }
            parameters.extend(found.values);
        }
        if let Some(name) = tensors.into_keys().next() {
            return Err(NpError::Contents {
                reason: format!("the network has no tensor `{}`", name.escape_debug()),
            });
        }
        Self::new(Network::from_parameters(config, parameters)?, about)
    }
}

fn missing(name: &str) -> NpError {
    NpError::Contents {
        reason: format!("there is no tensor `{name}`"),
    }
}

#[cfg(test)]
mod tests;
