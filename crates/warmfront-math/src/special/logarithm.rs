//! Logarithms of sums and differences of exponentials.

use core::f64::consts::LN_2;

/// Returns ln(1 − eˣ) for x ≤ 0; −∞ at 0 and NaN above.
///
/// # References
/// M. Mächler, *Accurately computing log(1 − exp(−|a|))* (2012): the switch at −ln 2.
pub fn log1mexp(x: f64) -> f64 {
    if x > -LN_2 {
        libm::log(-libm::expm1(x))
    } else {
        libm::log1p(-libm::exp(x))
    }
}

/// Returns ln(1 + eˣ) without overflow.
#[doc(alias = "softplus")]
pub fn log1pexp(x: f64) -> f64 {
    if x > 0.0 {
        x + libm::log1p(libm::exp(-x))
    } else {
        libm::log1p(libm::exp(x))
    }
}

/// Returns ln(1 + eˣ), the smooth positive part: another name of [`log1pexp`].
pub fn softplus(x: f64) -> f64 {
    log1pexp(x)
}

/// Returns the inverse of [`softplus`], ln(eʸ − 1), for y > 0; −∞ at 0 and NaN below.
pub fn inverse_softplus(y: f64) -> f64 {
    if y > LN_2 {
        y + log1mexp(-y)
    } else {
        libm::log(libm::expm1(y))
    }
}

/// Returns 1/(1 + e⁻ˣ), the derivative of [`softplus`].
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let e = libm::exp(x);
        e / (1.0 + e)
    }
}

/// Returns ln(eᵃ + eᵇ).
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let (large, small) = if a >= b { (a, b) } else { (b, a) };
    if large.is_infinite() {
        // Equal infinities would give NaN as a difference.
        if small.is_nan() { f64::NAN } else { large }
    } else {
        large + libm::log1p(libm::exp(small - large))
    }
}

/// Returns ln(eᵃ − eᵇ) for a ≥ b; −∞ when equal and NaN when a < b.
pub fn log_sub_exp(a: f64, b: f64) -> f64 {
    if b == f64::NEG_INFINITY {
        a
    } else {
        a + log1mexp(b - a)
    }
}

/// Returns ln Σ exp(xᵢ); −∞ for an empty slice, NaN if any entry is NaN.
pub fn logsumexp(x: &[f64]) -> f64 {
    let mut max = f64::NEG_INFINITY;
    for &v in x {
        if v.is_nan() {
            return f64::NAN;
        }
        max = max.max(v);
    }
    if max.is_infinite() {
        return max;
    }
    max + libm::log(x.iter().map(|v| libm::exp(v - max)).sum::<f64>())
}
