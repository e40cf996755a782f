//! Where training tasks come from.
