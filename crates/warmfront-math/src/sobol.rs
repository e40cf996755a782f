//! Sobol points.
