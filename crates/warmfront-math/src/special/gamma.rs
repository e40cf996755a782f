//! The gamma function in logarithms.

use core::f64::consts::PI;

/// Returns ln |Γ(x)|.
pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Returns ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a+b) for positive `a` and `b`.
pub fn lbeta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// Returns the digamma function ψ(x) = d/dx ln Γ(x); NaN at the poles 0, −1, −2, ….
///
/// The argument is shifted above 10 by ψ(x) = ψ(x+1) − 1/x, then the asymptotic series in 1/x²
/// is summed (Abramowitz and Stegun 6.3.5, 6.3.7, 6.3.18).
pub fn digamma(x: f64) -> f64 {
    if x.is_nan() || x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    if x <= 0.0 {
        let fraction = x - libm::floor(x);
        if fraction <= 0.0 {
            return f64::NAN;
        }
        return digamma(1.0 - x) - PI / libm::tan(PI * fraction);
    }
    let mut shifted = x;
    let mut sum = 0.0;
    while shifted < 10.0 {
        sum -= 1.0 / shifted;
        shifted += 1.0;
    }
    let u = 1.0 / (shifted * shifted);
    let series = u
        * (1.0 / 12.0
            - u * (1.0 / 120.0
                - u * (1.0 / 252.0
                    - u * (1.0 / 240.0
                        - u * (1.0 / 132.0
                            - u * (691.0 / 32_760.0 - u * (1.0 / 12.0 - u * 3617.0 / 8160.0)))))));
    sum + libm::log(shifted) - 0.5 / shifted - series
}
