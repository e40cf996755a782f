//! The standard normal distribution: density, distribution function, logarithms, quantiles.

use core::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::erf::{erfcx, exp_half_square};
use super::{HALF_LN_2PI, SQRT_HALF_PI};

/// 1/√(2π), the normal density at zero.
const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// Returns the standard normal density φ(z).
pub fn norm_pdf(z: f64) -> f64 {
    INV_SQRT_2PI * exp_half_square(z)
}

/// Returns ln φ(z) = −z²/2 − ½ ln 2π.
pub fn log_norm_pdf(z: f64) -> f64 {
    -0.5 * z * z - HALF_LN_2PI
}

/// Returns the standard normal distribution function Φ(z).
///
/// The left tail keeps full relative accuracy until it underflows near z = −38.5.
pub fn ndtr(z: f64) -> f64 {
    if z < -1.0 {
        0.5 * exp_half_square(z) * erfcx(-z * FRAC_1_SQRT_2)
    } else if z > 1.0 {
        1.0 - 0.5 * exp_half_square(z) * erfcx(z * FRAC_1_SQRT_2)
    } else {
        0.5 + 0.5 * libm::erf(z * FRAC_1_SQRT_2)
    }
}

/// Returns (φ(z), Φ(z)) for z ≥ −1, with one exponential for both.
pub(super) fn density_and_distribution(z: f64) -> (f64, f64) {
    let e = exp_half_square(z);
    let cdf = if z > 1.0 {
        1.0 - 0.5 * e * erfcx(z * FRAC_1_SQRT_2)
    } else {
        0.5 + 0.5 * libm::erf(z * FRAC_1_SQRT_2)
    };
    (INV_SQRT_2PI * e, cdf)
}

/// Returns ln Φ(z), accurate in both tails.
pub fn log_ndtr(z: f64) -> f64 {
    if z < -1.0 {
        -0.5 * z * z + libm::log(0.5 * erfcx(-z * FRAC_1_SQRT_2))
    } else if z > 0.0 {
        libm::log1p(-ndtr(-z))
    } else {
        libm::log(ndtr(z))
    }
}

/// Returns the derivative of ln Φ, that is φ(z)/Φ(z).
///
/// It tends to −z on the left and underflows to zero on the right.
pub fn d_log_ndtr(z: f64) -> f64 {
    if z < -1.0 {
        1.0 / mills_ratio(-z)
    } else {
        norm_pdf(z) / ndtr(z)
    }
}

/// Returns the Mills ratio (1 − Φ(t))/φ(t).
///
/// It decays like 1/t to the right, and overflows to infinity left of about −37.6.
pub fn mills_ratio(t: f64) -> f64 {
    SQRT_HALF_PI * erfcx(t * FRAC_1_SQRT_2)
}

/// AS 241, |p − ½| ≤ 0.425: numerator and denominator, highest power first.
const CENTRE_NUM: [f64; 8] = [
    2_509.080_928_730_122_6,
    33_430.575_583_588_13,
    67_265.770_927_008_7,
    45_921.953_931_549_87,
    13_731.693_765_509_46,
    1_971.590_950_306_551_4,
    133.141_667_891_784_38,
    3.387_132_872_796_366_6,
];
const CENTRE_DEN: [f64; 8] = [
    5_226.495_278_852_854,
    28_729.085_735_721_943,
    39_307.895_800_092_71,
    21_213.794_301_586_597,
    5_394.196_021_424_751,
    687.187_007_492_057_9,
    42.313_330_701_600_91,
    1.0,
];
/// AS 241, √(−ln p) ≤ 5.
const NEAR_NUM: [f64; 8] = [
    7.745_450_142_783_414e-4,
    2.272_384_498_926_918_5e-2,
    2.417_807_251_774_506e-1,
    1.270_458_252_452_368_4,
    3.647_848_324_763_204_5,
    5.769_497_221_460_691,
    4.630_337_846_156_545,
    1.423_437_110_749_683_5,
];
const NEAR_DEN: [f64; 8] = [
    1.050_750_071_644_416_8e-9,
    5.475_938_084_995_345e-4,
    1.519_866_656_361_645_7e-2,
    1.481_039_764_274_800_8e-1,
    6.897_673_349_851e-1,
    1.676_384_830_183_803_8,
    2.053_191_626_637_759,
    1.0,
];
/// AS 241, √(−ln p) > 5.
const FAR_NUM: [f64; 8] = [
    2.010_334_399_292_288_1e-7,
    2.711_555_568_743_487_6e-5,
    1.242_660_947_388_078_4e-3,
    2.653_218_952_657_612_4e-2,
    2.965_605_718_285_048_7e-1,
    1.784_826_539_917_291_3,
    5.463_784_911_164_114,
    6.657_904_643_501_103,
];
const FAR_DEN: [f64; 8] = [
    2.044_263_103_389_939_8e-15,
    1.421_511_758_316_446e-7,
    1.846_318_317_510_054_8e-5,
    7.868_691_311_456_133e-4,
    1.487_536_129_085_061_5e-2,
    1.369_298_809_227_358e-1,
    5.998_322_065_558_88e-1,
    1.0,
];

fn ratio(numerator: &[f64; 8], denominator: &[f64; 8], x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().fold(0.0, |sum, c| sum * x + c);
    horner(numerator) / horner(denominator)
}

/// Returns the normal quantile Φ⁻¹(p).
///
/// −∞ at 0, ∞ at 1, NaN outside \[0, 1\]. The relative error is a few units of the last place.
pub fn ndtri(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE_NUM, &CENTRE_DEN, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if q < 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    let r = libm::sqrt(-libm::log(tail));
    let magnitude = if r <= 5.0 {
        ratio(&NEAR_NUM, &NEAR_DEN, r - 1.6)
    } else {
        ratio(&FAR_NUM, &FAR_DEN, r - 5.0)
    };
    if q < 0.0 { -magnitude } else { magnitude }
}

/// Returns Φ⁻¹(exp(y)) for y ≤ 0, also where exp(y) underflows or rounds to one.
pub fn ndtri_exp(y: f64) -> f64 {
    if y.is_nan() || y > 0.0 {
        f64::NAN
    } else if y == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if y > -core::f64::consts::LN_2 {
        -ndtri(-libm::expm1(y))
    } else if y > -600.0 {
        ndtri(libm::exp(y))
    } else {
        // ln Φ(z) ≈ −z²/2 − ln(−z) − ½ ln 2π, then Newton on the exact function.
        let mut z = -SQRT_2 * libm::sqrt(-y - HALF_LN_2PI - 0.5 * libm::log(-2.0 * y));
        for _ in 0..3 {
            z -= (log_ndtr(z) - y) / d_log_ndtr(z);
        }
        z
    }
}
