//! A number that changes with the data and configuration of meta-models.

use std::fmt::Debug;

use warmfront_gp::MultiOutputData;

/// The FNV-1a hash: it detects mistakes, not attacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(super) fn add_u64(&mut self, value: u64) {
        self.add_bytes(&value.to_le_bytes());
    }

    /// The debug form of a configuration names every field and writes floats without loss.
    pub(super) fn add_config(&mut self, config: &impl Debug) {
        self.add_bytes(format!("{config:?}").as_bytes());
    }

    /// Points, without what was observed there.
    pub(super) fn add_inputs(&mut self, data: &MultiOutputData) {
        self.add_u64(data.len() as u64);
        for i in 0..data.len() {
            for k in 0..data.input_dim() {
                self.add_u64(data.x()[(i, k)].to_bits());
            }
        }
    }

    pub(super) fn add_data(&mut self, data: &MultiOutputData) {
        self.add_inputs(data);
        for i in 0..data.len() {
            for o in 0..data.num_outputs() {
                if data.is_observed(i, o) {
                    self.add_u64(data.y()[(i, o)].to_bits());
                } else {
                    self.add_bytes(&[0]);
                }
            }
        }
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }
}
