#![doc = include_str!("../README.md")]

#[doc(inline)]
pub use warmfront_acq as acq;
#[doc(inline)]
pub use warmfront_codec as codec;
#[doc(inline)]
pub use warmfront_core as core;
#[doc(inline)]
pub use warmfront_gp as gp;
#[doc(inline)]
pub use warmfront_linalg as linalg;
#[doc(inline)]
pub use warmfront_math as math;
#[doc(inline)]
pub use warmfront_meta as meta;
#[doc(inline)]
pub use warmfront_np as np;
#[doc(inline)]
pub use warmfront_pareto as pareto;
#[doc(inline)]
pub use warmfront_problems as problems;

// The examples on the project's front page have to run; one of them needs the features.
#[cfg(all(doctest, feature = "json", feature = "live"))]
#[doc = include_str!("../../../README.md")]
struct FrontPage;
