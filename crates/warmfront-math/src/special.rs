//! Special functions of one variable, accurate in both tails.
//!
//! Everything here is built on the portable functions of `libm`, so that a value does not depend
//! on the C library of the machine. Accuracy is checked against tables of 40 and more digits.
//!
//! # References
//! W. J. Cody, *Rational Chebyshev approximations for the error function*, Math. Comp. 23 (1969).
//! M. J. Wichura, *Algorithm AS 241: The percentage points of the normal distribution*,
//! Appl. Statist. 37 (1988). S. Ament et al., *Unexpected improvements to expected improvement for
//! Bayesian optimization*, NeurIPS (2023).

mod erf;
mod gamma;
mod improvement;
mod logarithm;
mod normal;
#[cfg(test)]
mod tests;

pub use erf::{erf, erfc, erfcx};
pub use gamma::{digamma, lbeta, lgamma};
pub use improvement::{
    d_log_ei_helper, ei_helper, ei_helper_with_derivative, log_ei_helper,
    log_ei_helper_with_derivative,
};
pub use logarithm::{
    inverse_softplus, log_add_exp, log_sub_exp, log1mexp, log1pexp, logsumexp, sigmoid, softplus,
};
pub use normal::{
    d_log_ndtr, log_ndtr, log_norm_pdf, mills_ratio, ndtr, ndtri, ndtri_exp, norm_pdf,
};

/// ½ ln 2π, the constant of the normal log-density.
pub const HALF_LN_2PI: f64 = 0.918_938_533_204_672_8;

/// √(π/2), the Mills ratio at zero.
pub const SQRT_HALF_PI: f64 = 1.253_314_137_315_500_3;
