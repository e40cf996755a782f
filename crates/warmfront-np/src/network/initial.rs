//! The first parameters.

use rand::Rng;
use warmfront_math::special::ndtri;

use crate::config::{Initialisation, NetworkConfig};
use crate::layout::{Block, Layout, Linear, Norm};

/// Standard deviation of the published linear maps.
const SMALL: f64 = 0.01;

pub(super) fn draw<R: Rng + ?Sized>(
    config: &NetworkConfig,
    layout: &Layout,
    rng: &mut R,
) -> Vec<f32> {
    let mut draw = Draw {
        parameters: vec![0.0; layout.len()],
        scaled: config.initialisation == Initialisation::Scaled,
        rng,
    };
    draw.linear(&layout.embed_x);
    draw.linear(&layout.embed_y);
    for (i, block) in layout.blocks.iter().enumerate() {
        if i > 0 && config.initialisation == Initialisation::Published {
            let first =
                layout.blocks[0].project.weight.start..layout.blocks[1].project.weight.start;
            draw.parameters
                .copy_within(first, block.project.weight.start);
        } else {
            draw.block(block);
        }
    }
    draw.linear(&layout.bar_hidden);
    draw.linear(&layout.bar_logits);
    for linear in &layout.acquisition {
        draw.linear(linear);
    }
    draw.linear(&layout.value_hidden);
    draw.linear(&layout.value);
    draw.parameters
}

struct Draw<'r, R: ?Sized> {
    parameters: Vec<f32>,
    scaled: bool,
    rng: &'r mut R,
}

impl<R: Rng + ?Sized> Draw<'_, R> {
    /// In the open unit interval.
    fn unit(&mut self) -> f64 {
        ((self.rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    fn uniform(&mut self, range: std::ops::Range<usize>, bound: f64) {
        for i in range {
            self.parameters[i] = (bound * (2.0 * self.unit() - 1.0)) as f32;
        }
    }

    fn linear(&mut self, linear: &Linear) {
        if self.scaled {
            self.uniform(linear.weight.clone(), 1.0 / (linear.inputs as f64).sqrt());
        } else {
            for i in linear.weight.clone() {
                self.parameters[i] = (SMALL * ndtri(self.unit())) as f32;
            }
        }
    }

    fn norm(&mut self, norm: &Norm) {
        self.parameters[norm.gain.clone()].fill(1.0);
    }

    fn block(&mut self, block: &Block) {
        let project = &block.project;
        let fans = (project.inputs + project.outputs) as f64;
        self.uniform(project.weight.clone(), (6.0 / fans).sqrt());
        let merge = &block.merge;
        self.uniform(merge.weight.clone(), 1.0 / (merge.inputs as f64).sqrt());
        self.norm(&block.attention_norm);
        self.linear(&block.up);
        self.linear(&block.down);
        self.norm(&block.output_norm);
    }
}
