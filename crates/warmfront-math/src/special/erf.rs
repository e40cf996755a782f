//! The error function and its scaled complement.
//!
//! Cody (1969) gives three rational approximations; `erfcx` needs only those of the complement,
//! without the factor exp(−x²) that would underflow. Near zero it goes through `libm::erf`.

use core::f64::consts::FRAC_2_SQRT_PI;

/// Returns the error function 2/√π ∫₀ˣ exp(−t²) dt.
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// Returns 1 − erf(x), without cancellation for large `x`.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

const INV_SQRT_PI: f64 = FRAC_2_SQRT_PI / 2.0;

/// Cody's numerator and denominator on 0.46875 ≤ x ≤ 4, highest power first.
const MIDDLE_NUM: [f64; 9] = [
    2.153_115_354_744_038_5e-8,
    5.641_884_969_886_701e-1,
    8.883_149_794_388_376,
    66.119_190_637_141_63,
    298.635_138_197_400_1,
    881.952_221_241_769,
    1_712.047_612_634_070_6,
    2_051.078_377_826_071_5,
    1_230.339_354_797_997_2,
];
const MIDDLE_DEN: [f64; 9] = [
    1.0,
    15.744_926_110_709_835,
    117.693_950_891_312_5,
    537.181_101_862_009_9,
    1_621.389_574_566_690_2,
    3_290.799_235_733_459_6,
    4_362.619_090_143_247,
    3_439.367_674_143_721_6,
    1_230.339_354_803_749_4,
];
/// Cody's numerator and denominator in 1/x² on x > 4, highest power first.
const FAR_NUM: [f64; 6] = [
    1.631_538_713_730_209_8e-2,
    3.053_266_349_612_323_4e-1,
    3.603_448_999_498_044_4e-1,
    1.257_817_261_112_292_5e-1,
    1.608_378_514_874_228e-2,
    6.587_491_615_298_378e-4,
];
const FAR_DEN: [f64; 6] = [
    1.0,
    2.568_520_192_289_822,
    1.872_952_849_923_467_2,
    5.279_051_029_514_284e-1,
    6.051_834_131_244_132e-2,
    2.335_204_976_268_691_8e-3,
];

fn horner<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// Returns the scaled complementary error function exp(x²)·erfc(x).
///
/// It decays like 1/(x√π) to the right, and overflows to infinity left of about −26.6.
pub fn erfcx(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x < 0.46875 {
        if x < -26.7 {
            f64::INFINITY
        } else if x < -0.46875 {
            2.0 * exp_square(x) - erfcx(-x)
        } else {
            libm::exp(x * x) * (1.0 - libm::erf(x))
        }
    } else if x <= 4.0 {
        horner(&MIDDLE_NUM, x) / horner(&MIDDLE_DEN, x)
    } else {
        let inverse = 1.0 / x;
        let u = inverse * inverse;
        inverse * (INV_SQRT_PI - u * horner(&FAR_NUM, u) / horner(&FAR_DEN, u))
    }
}

/// Returns exp(x²) for |x| < 27.
///
/// The square is split so that its rounding error, which the exponential would multiply by x²,
/// is kept.
fn exp_square(x: f64) -> f64 {
    let head = libm::trunc(x * 16.0) / 16.0;
    libm::exp(head * head) * libm::exp((x - head) * (x + head))
}

/// Returns exp(−x²/2), with the relative accuracy of one rounding in the far tails too.
pub(super) fn exp_half_square(x: f64) -> f64 {
    if x.abs() > 39.0 {
        return 0.0;
    }
    let head = libm::trunc(x * 16.0) / 16.0;
    libm::exp(-0.5 * head * head) * libm::exp(-0.5 * (x - head) * (x + head))
}
