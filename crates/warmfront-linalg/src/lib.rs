#![doc = include_str!("../README.md")]

pub use faer::{Mat, MatMut, MatRef};
