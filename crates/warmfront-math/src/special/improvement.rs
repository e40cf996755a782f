//! The standardised expected improvement h(z) = φ(z) + zΦ(z), its logarithm and its slope.
//!
//! With t = −z and the Mills ratio R(t) = 1/(t + K(t)), where K is the tail of Laplace's continued
//! fraction 1/(t + 2/(t + 3/(t + …))), both quantities follow without cancellation:
//! h = φ(t)·K/(t + K) and d ln h/dz = 1/K. Ament et al. (2023, eq. 9) reach the logarithm through
//! `log1mexp` instead; K also keeps the relative accuracy of the slope, which that form loses.

use super::HALF_LN_2PI;
use super::normal::{density_and_distribution, mills_ratio, norm_pdf};

/// Left of this z the continued fraction is used or its value is deduced from the Mills ratio.
const SWITCH: f64 = -1.0;

/// Returns K(t) for t ≥ 1.
fn tail_fraction(t: f64) -> f64 {
    let levels = if t < 3.0 {
        return 1.0 / mills_ratio(t) - t;
    } else if t < 5.0 {
        60
    } else if t < 10.0 {
        28
    } else if t < 1e4 {
        14
    } else {
        let u = 1.0 / t;
        return u * (1.0 - 2.0 * u * u);
    };
    // Convergents by the forward recurrence: one division instead of one for each level.
    // In units of t the recurrence cannot overflow: its growth is at most 60! ≈ 1e82.
    let u = 1.0 / (t * t);
    let (mut a0, mut a1) = (0.0, 1.0);
    let (mut b0, mut b1) = (1.0, 1.0);
    for k in 2..levels + 2 {
        let c = f64::from(k) * u;
        (a0, a1) = (a1, a1 + c * a0);
        (b0, b1) = (b1, b1 + c * b0);
    }
    a1 / (b1 * t)
}

/// Right of this Φ(z) rounds to one and h(z) to z.
const LINEAR: f64 = 9.0;

/// Returns h(z) = φ(z) + zΦ(z), the expected positive part of a normal with mean `z` and unit
/// standard deviation.
pub fn ei_helper(z: f64) -> f64 {
    ei_helper_with_derivative(z).0
}

/// Returns `(h(z), Φ(z))`: [`ei_helper`] and its derivative for the price of one.
///
/// ```
/// use warmfront_math::special::ei_helper_with_derivative;
/// let (h, cdf) = ei_helper_with_derivative(0.0);
/// assert!((h - 0.398_942_280_401_432_7).abs() < 1e-16 && (cdf - 0.5).abs() < 1e-16);
/// ```
pub fn ei_helper_with_derivative(z: f64) -> (f64, f64) {
    if z > LINEAR {
        (z, 1.0)
    } else if z > SWITCH {
        let (pdf, cdf) = density_and_distribution(z);
        (pdf + z * cdf, cdf)
    } else {
        let k = tail_fraction(-z);
        let h = norm_pdf(z) * k / (k - z);
        // At −∞ both are zero.
        (h, if h > 0.0 { h / k } else { h })
    }
}

/// Returns ln h(z) with h(z) = φ(z) + zΦ(z), finite as far left as z² is.
///
/// ```
/// use warmfront_math::special::log_ei_helper;
/// assert!((log_ei_helper(0.0) + 0.918_938_533_204_672_8).abs() < 1e-15);
/// assert!(log_ei_helper(-1e6).is_finite());
/// ```
///
/// # References
/// Ament et al. (2023), *Unexpected improvements to expected improvement*, eq. 9.
pub fn log_ei_helper(z: f64) -> f64 {
    log_ei_helper_with_derivative(z).0
}

/// Returns d/dz ln h(z) = Φ(z)/h(z).
///
/// It tends to −z on the left and to 1/z on the right.
pub fn d_log_ei_helper(z: f64) -> f64 {
    log_ei_helper_with_derivative(z).1
}

/// Returns `(ln h(z), Φ(z)/h(z))`: [`log_ei_helper`] and its derivative for the price of one.
pub fn log_ei_helper_with_derivative(z: f64) -> (f64, f64) {
    if z > SWITCH {
        let (h, cdf) = ei_helper_with_derivative(z);
        (libm::log(h), cdf / h)
    } else {
        let k = tail_fraction(-z);
        (-0.5 * z * z - HALF_LN_2PI + libm::log(k / (k - z)), 1.0 / k)
    }
}
