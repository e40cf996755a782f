//! The text of a policy file: configuration and description as JSON.

use serde::{Deserialize, Serialize};

use super::{About, Column, Columns};
use crate::config::{AcquisitionHead, Critic, HistoryAttention, Initialisation, NetworkConfig};
use crate::scaling::Scaling;
use crate::{Bar, NpError, Utility};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    network: WireNetwork,
    about: WireAbout,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireNetwork {
    inputs: u32,
    layers: u32,
    width: u32,
    feed_forward: u32,
    heads: u32,
    tails: bool,
    head_hidden: u32,
    acquisition: WireHead,
    critic: WireCritic,
    attention: WireAttention,
    initialisation: WireInitialisation,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHead {
    hidden: u32,
    layers: u32,
    // Wider than the number it holds, so that the decimal form loses nothing.
    temperature: f64,
    sees_encoding: bool,
    residual: bool,
    detached: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireCritic {
    Scalars,
    History,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireAttention {
    Full,
    Causal,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireInitialisation {
    Published,
    Small,
    Scaled,
    Smoother,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAbout {
    columns: Option<Vec<WireColumn>>,
    padded: bool,
    scaling: WireScaling,
    horizon: u64,
    initial: u64,
    acquisition: WireUtility,
    trained: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireColumn {
    Real,
    Ordered,
    Binary,
    OneHot(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WireScaling {
    Range,
    History,
    BetterHalf,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireUtility {
    #[serde(rename = "policy")]
    Acquisition,
    LogEi,
}

/// Two enums with the same variants, converted both ways.
macro_rules! same_variants {
    ($domain:ident, $wire:ident, $($variant:ident),+) => {
        impl From<$domain> for $wire {
            fn from(value: $domain) -> Self {
                match value {
                    $($domain::$variant => Self::$variant),+
                }
            }
        }

        impl From<$wire> for $domain {
            fn from(value: $wire) -> Self {
                match value {
                    $($wire::$variant => Self::$variant),+
                }
            }
        }
    };
}

same_variants!(Critic, WireCritic, Scalars, History);
same_variants!(HistoryAttention, WireAttention, Full, Causal);
same_variants!(
    Initialisation,
    WireInitialisation,
    Published,
    Small,
    Scaled,
    Smoother
);
same_variants!(Scaling, WireScaling, Range, History, BetterHalf);
same_variants!(Utility, WireUtility, Acquisition, LogEi);

impl From<Column> for WireColumn {
    fn from(column: Column) -> Self {
        match column {
            Column::Real => Self::Real,
            Column::Ordered => Self::Ordered,
            Column::Binary => Self::Binary,
            Column::OneHot(choices) => Self::OneHot(choices as u32),
        }
    }
}

impl From<WireColumn> for Column {
    fn from(column: WireColumn) -> Self {
        match column {
            WireColumn::Real => Self::Real,
            WireColumn::Ordered => Self::Ordered,
            WireColumn::Binary => Self::Binary,
            WireColumn::OneHot(choices) => Self::OneHot(choices as usize),
        }
    }
}

impl From<&NetworkConfig> for WireNetwork {
    /// Of a configuration that passed its check; the borders are kept apart.
    fn from(config: &NetworkConfig) -> Self {
        let head = &config.acquisition;
        Self {
            inputs: config.inputs as u32,
            layers: config.layers as u32,
            width: config.width as u32,
            feed_forward: config.feed_forward as u32,
            heads: config.heads as u32,
            tails: config.bar.tails(),
            head_hidden: config.head_hidden as u32,
            acquisition: WireHead {
                hidden: head.hidden as u32,
                layers: head.layers as u32,
                temperature: f64::from(head.temperature),
                sees_encoding: head.sees_encoding,
                residual: head.residual,
                detached: head.detached,
            },
            critic: config.critic.into(),
            attention: config.attention.into(),
            initialisation: config.initialisation.into(),
        }
    }
}

impl WireNetwork {
    /// The configuration, with these borders of the buckets.
    pub(crate) fn config(self, borders: Vec<f32>) -> Result<NetworkConfig, NpError> {
        let head = self.acquisition;
        Ok(NetworkConfig {
            inputs: self.inputs as usize,
            layers: self.layers as usize,
            width: self.width as usize,
            feed_forward: self.feed_forward as usize,
            heads: self.heads as usize,
            bar: Bar::new(borders, self.tails)?,
            head_hidden: self.head_hidden as usize,
            acquisition: AcquisitionHead {
                hidden: head.hidden as usize,
                layers: head.layers as usize,
                temperature: head.temperature as f32,
                sees_encoding: head.sees_encoding,
                residual: head.residual,
                detached: head.detached,
            },
            critic: self.critic.into(),
            attention: self.attention.into(),
            initialisation: self.initialisation.into(),
        })
    }
}

/// The text of a configuration that passed its check; the borders are a tensor of their own.
pub(super) fn to_text(config: &NetworkConfig, about: &About) -> Result<String, NpError> {
    let text = Text {
        network: config.into(),
        about: WireAbout {
            columns: match &about.columns {
                Columns::Any => None,
                Columns::Of(columns) => Some(columns.iter().map(|c| (*c).into()).collect()),
            },
            padded: about.padded,
            scaling: about.scaling.into(),
            horizon: about.horizon as u64,
            initial: about.initial as u64,
            acquisition: about.acquisition.into(),
            trained: about.trained.clone(),
        },
    };
    serde_json::to_string(&text).map_err(|error| malformed(&error))
}

/// The configuration and description in a text, for a file with this many tensors.
pub(super) fn from_text(
    text: &str,
    borders: Vec<f32>,
    tensors: usize,
) -> Result<(NetworkConfig, About), NpError> {
    let Text { network, about } = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    // A layer has several tensors: what claims more layers than that must not be laid out.
    let layers = u64::from(network.layers) + u64::from(network.acquisition.layers);
    if layers > tensors as u64 {
        return Err(NpError::Contents {
            reason: format!("{layers} layers in {tensors} tensors"),
        });
    }
    let config = network.config(borders)?;
    let columns = match about.columns {
        None => Columns::Any,
        Some(columns) => Columns::Of(columns.into_iter().map(Column::from).collect()),
    };
    let about = About {
        columns,
        padded: about.padded,
        scaling: about.scaling.into(),
        horizon: usize::try_from(about.horizon).unwrap_or(usize::MAX),
        initial: usize::try_from(about.initial).unwrap_or(usize::MAX),
        acquisition: about.acquisition.into(),
        trained: about.trained,
    };
    Ok((config, about))
}

fn malformed(error: &serde_json::Error) -> NpError {
    NpError::Contents {
        reason: error.to_string(),
    }
}
