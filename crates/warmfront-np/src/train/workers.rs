//! Gradients of many jobs at once, added up in a fixed order.

use rayon::prelude::*;

use crate::{Context, Heads, Network, Output, OutputGradient, Tape};

/// Scratch for gradients, kept between steps.
///
/// The jobs of a step are split into a fixed number of groups by their index. A group goes through its
/// jobs one after another on one thread, with one gradient; the gradients are added in the order of
/// the groups. So the sum does not depend on the number of threads, and memory not on that of jobs.
#[derive(Debug, Default)]
pub(super) struct Workers {
    groups: Vec<Group>,
    total: Vec<f32>,
}

#[derive(Debug, Default)]
struct Group {
    tape: Tape,
    gradient: Vec<f32>,
}

/// At most this many groups, and fewer if their gradients took more than `MEMORY` bytes.
const GROUPS: usize = 16;
const MEMORY: usize = 256 << 20;
/// Parameters that one thread adds up.
const CHUNK: usize = 1 << 15;

/// One group's tape and gradient, as a job sees them.
pub(super) struct Bench<'a> {
    network: &'a Network,
    tape: &'a mut Tape,
    gradient: &'a mut [f32],
}

impl Bench<'_> {
    /// A forward pass, then a backward pass with the gradient that `loss` makes of the output; returns
    /// what else `loss` has to tell.
    pub(super) fn run<S>(
        &mut self,
        context: &Context,
        heads: Heads,
        loss: impl FnOnce(&Output) -> (OutputGradient, S),
    ) -> S {
        let output = self.network.forward_train(context, heads, self.tape);
        let (gradient, told) = loss(output);
        self.network.backward(self.tape, &gradient, self.gradient);
        told
    }
}

impl Workers {
    /// The sum of the gradients of all jobs, and what each told, in order.
    pub(super) fn run<J: Sync, S: Send>(
        &mut self,
        network: &Network,
        jobs: &[J],
        job: impl Fn(&J, &mut Bench<'_>) -> S + Sync,
    ) -> (&mut [f32], Vec<S>) {
        let parameters = network.parameters().len();
        let groups = (MEMORY / (4 * parameters).max(1)).clamp(2, GROUPS);
        self.groups.resize_with(groups, Group::default);
        self.total.resize(parameters, 0.0);
        let told: Vec<Vec<S>> = self
            .groups
            .par_iter_mut()
            .enumerate()
            .with_max_len(1)
            .map(|(index, group)| {
                group.gradient.clear();
                group.gradient.resize(parameters, 0.0);
                let mut bench = Bench {
                    network,
                    tape: &mut group.tape,
                    gradient: &mut group.gradient,
                };
                let first = index * jobs.len() / groups;
                let last = (index + 1) * jobs.len() / groups;
                jobs[first..last]
                    .iter()
                    .map(|j| job(j, &mut bench))
                    .collect()
            })
            .collect();
        let groups = &self.groups;
        self.total
            .par_chunks_mut(CHUNK)
            .enumerate()
            .for_each(|(chunk, total)| {
                let start = chunk * CHUNK;
                total.copy_from_slice(&groups[0].gradient[start..start + total.len()]);
                for group in &groups[1..] {
                    let gradient = &group.gradient[start..start + total.len()];
                    for (t, &g) in total.iter_mut().zip(gradient) {
                        *t += g;
                    }
                }
            });
        (&mut self.total, told.into_iter().flatten().collect())
    }
}
