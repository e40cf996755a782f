//! Synthetic families of related tasks, each regenerated from a seed.

mod hartmann;
mod sinusoidal;
mod task;
mod terrain;

pub use hartmann::{HardHartmann, HartmannFamily};
pub use sinusoidal::Sinusoidal;
#[cfg(feature = "onnx")]
pub(crate) use task::REFERENCE_METHOD;
pub use terrain::Terrain;
