//! The first parameters.

use rand::Rng;
use warmfront_math::distribution::{open_uniform, standard_normal};

use crate::config::{Initialisation, NetworkConfig};
use crate::layout::{Block, Layout, Linear, Norm};

/// Standard deviation of the published linear maps.
const SMALL: f64 = 0.01;
/// Standard deviation, times the root of the width, of the tied queries and keys of a smoother.
const GAIN: f64 = 1.4;

pub(super) fn draw<R: Rng + ?Sized>(
    config: &NetworkConfig,
    layout: &Layout,
    rng: &mut R,
) -> Vec<f32> {
    let mut draw = Draw {
        parameters: vec![0.0; layout.len()],
        scaled: matches!(
            config.initialisation,
            Initialisation::Scaled | Initialisation::Smoother
        ),
        rng,
    };
    let smoother = config.initialisation == Initialisation::Smoother;
    if smoother {
        draw.centred(&layout.embed_x);
        draw.normal(layout.embed_y.weight.clone(), 1.0);
    } else {
        draw.linear(&layout.embed_x);
        draw.linear(&layout.embed_y);
    }
    for (i, block) in layout.blocks.iter().enumerate() {
        if i > 0 && config.initialisation == Initialisation::Published {
            let first =
                layout.blocks[0].project.weight.start..layout.blocks[1].project.weight.start;
            draw.parameters
                .copy_within(first, block.project.weight.start);
        } else {
            draw.block(block);
            if smoother {
                draw.tie(block);
            }
        }
    }
    draw.linear(&layout.bar_hidden);
    draw.linear(&layout.bar_logits);
    for linear in &layout.acquisition {
        draw.linear(linear);
    }
    if config.acquisition.residual {
        // The untrained policy is the expected improvement, not that plus noise.
        let last = layout.acquisition.last().expect("at least the output");
        draw.parameters[last.weight.clone()].fill(0.0);
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
    fn uniform(&mut self, range: std::ops::Range<usize>, bound: f64) {
        for i in range {
            self.parameters[i] = (bound * (2.0 * open_uniform(self.rng) - 1.0)) as f32;
        }
    }

    fn linear(&mut self, linear: &Linear) {
        if self.scaled {
            self.uniform(linear.weight.clone(), 1.0 / (linear.inputs as f64).sqrt());
        } else {
            for i in linear.weight.clone() {
                self.parameters[i] = (SMALL * standard_normal(self.rng)) as f32;
            }
        }
    }

    fn normal(&mut self, range: std::ops::Range<usize>, deviation: f64) {
        for i in range {
            self.parameters[i] = (deviation * standard_normal(self.rng)) as f32;
        }
    }

    /// Points spread evenly over the unit cube get embeddings of mean 0 and variance 1.
    fn centred(&mut self, linear: &Linear) {
        self.normal(linear.weight.clone(), (12.0 / linear.inputs as f64).sqrt());
        for output in 0..linear.outputs {
            let weights = linear.weight.clone().skip(output).step_by(linear.outputs);
            let sum: f32 = weights.map(|i| self.parameters[i]).sum();
            self.parameters[linear.bias.start + output] = -0.5 * sum;
        }
    }

    /// Keys are what queries are: attention begins as a smoother over tokens that are near.
    fn tie(&mut self, block: &Block) {
        let (rows, columns) = (block.project.inputs, block.project.outputs);
        let width = columns / 3;
        let deviation = GAIN / (width as f64).sqrt();
        for row in 0..rows {
            let start = block.project.weight.start + row * columns;
            self.normal(start..start + width, deviation);
            self.parameters
                .copy_within(start..start + width, start + width);
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
