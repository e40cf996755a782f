//! Densities on the line.
