//! What a backward pass needs of the forward pass.

use super::heads::Output;

/// Scratch of a forward and backward pass, to be used again.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    pub(super) output: Output,
}
