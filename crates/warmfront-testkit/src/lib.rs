#![doc = include_str!("../README.md")]

mod compare;
mod data;
mod finite_difference;
mod generate;
mod golden;

pub use compare::{assert_all_close, assert_close};
pub use data::data_folder;
pub use finite_difference::{check_gradient, derivative, gradient};
pub use generate::{ugly_column, ugly_matrix, ugly_number, unit_points, with_non_finite};
pub use golden::Golden;
