//! The strategy that serves a trained policy.
