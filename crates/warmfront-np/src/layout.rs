//! Where each tensor lies in the flat vector of parameters.

use std::ops::Range;

use crate::config::{Critic, NetworkConfig};

/// One named tensor of the parameters. A matrix `inputs×outputs` is stored row by row and multiplies
/// from the right: `y = x·W + b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Name, unique in the network.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Where its values lie.
    pub range: Range<usize>,
}

/// A linear map: weights and bias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linear {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
}

/// A layer norm: gain and bias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Norm {
    pub(crate) gain: Range<usize>,
    pub(crate) bias: Range<usize>,
}

/// One transformer layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// To queries, keys and values, in this order.
    pub(crate) project: Linear,
    pub(crate) merge: Linear,
    pub(crate) attention_norm: Norm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    pub(crate) output_norm: Norm,
}

/// Where each tensor lies in the flat vector of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    tensors: Vec<Tensor>,
    len: usize,
    pub(crate) embed_x: Linear,
    pub(crate) embed_y: Linear,
    pub(crate) blocks: Vec<Block>,
    pub(crate) bar_hidden: Linear,
    pub(crate) bar_logits: Linear,
    pub(crate) acquisition: Vec<Linear>,
    /// `ln β` of the residual.
    pub(crate) residual: Option<usize>,
    pub(crate) value_hidden: Linear,
    pub(crate) value: Linear,
}

#[derive(Default)]
struct Builder {
    tensors: Vec<Tensor>,
    len: usize,
}

impl Builder {
    fn tensor(&mut self, name: String, shape: Vec<usize>) -> Range<usize> {
        let range = self.len..self.len + shape.iter().product::<usize>();
        self.len = range.end;
        self.tensors.push(Tensor {
            name,
            shape,
            range: range.clone(),
        });
        range
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Linear {
        Linear {
            inputs,
            outputs,
            weight: self.tensor(format!("{name}.weight"), vec![inputs, outputs]),
            bias: self.tensor(format!("{name}.bias"), vec![outputs]),
        }
    }

    fn norm(&mut self, name: &str, width: usize) -> Norm {
        Norm {
            gain: self.tensor(format!("{name}.gain"), vec![width]),
            bias: self.tensor(format!("{name}.bias"), vec![width]),
        }
    }
}

impl Layout {
    /// The layout of a network of this configuration.
    #[must_use]
    pub fn new(config: &NetworkConfig) -> Self {
        let mut b = Builder::default();
        let width = config.width;
        let embed_x = b.linear("embed.x", config.inputs, width);
        let embed_y = b.linear("embed.y", 1, width);
        let blocks = (0..config.layers)
            .map(|i| Block {
                project: b.linear(&format!("layers.{i}.attention.project"), width, 3 * width),
                merge: b.linear(&format!("layers.{i}.attention.merge"), width, width),
                attention_norm: b.norm(&format!("layers.{i}.attention.norm"), width),
                up: b.linear(
                    &format!("layers.{i}.feed_forward.up"),
                    width,
                    config.feed_forward,
                ),
                down: b.linear(
                    &format!("layers.{i}.feed_forward.down"),
                    config.feed_forward,
                    width,
                ),
                output_norm: b.norm(&format!("layers.{i}.feed_forward.norm"), width),
            })
            .collect();
        let buckets = config.bar.buckets();
        let bar_hidden = b.linear("bar.hidden", width, config.head_hidden);
        let bar_logits = b.linear("bar.logits", config.head_hidden, buckets);
        let head = &config.acquisition;
        let seen = buckets + width + if head.sees_encoding { width } else { 0 } + 2;
        let acquisition = (0..=head.layers)
            .map(|i| {
                let inputs = if i == 0 { seen } else { head.hidden };
                let outputs = if i == head.layers { 1 } else { head.hidden };
                b.linear(&format!("acquisition.{i}"), inputs, outputs)
            })
            .collect();
        let residual = head
            .residual
            .then(|| b.tensor("acquisition.residual".into(), vec![1]).start);
        let seen = match config.critic {
            Critic::Scalars => 2,
            Critic::History => width + 2,
        };
        let value_hidden = b.linear("value.hidden", seen, width);
        let value = b.linear("value.output", width, 1);
        Self {
            tensors: b.tensors,
            len: b.len,
            embed_x,
            embed_y,
            blocks,
            bar_hidden,
            bar_logits,
            acquisition,
            residual,
            value_hidden,
            value,
        }
    }

    /// Number of parameters.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no network has no parameters")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Every tensor, in the order of the parameters.
    #[must_use]
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }
}
