//! Experiments and benchmarks of Warmfront.
