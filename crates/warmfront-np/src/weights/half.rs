//! Half-precision numbers, in which weights may be stored.

/// The largest number that half precision can hold.
pub(super) const LARGEST: f32 = 65504.0;

/// The smallest number of half precision that has all its digits, `2^-14`, as bits of an `f32`.
const NORMAL: u32 = 0x3880_0000;

/// What the exponents of the two formats differ by, in its place in an `f32`.
const REBIAS: u32 = (127 - 15) << 23;

/// Units of the numbers below [`NORMAL`]: `2^-24`.
const UNIT: f32 = 5.960_464_5e-8;

/// The nearest half-precision number, the even one of two; `value` is at most [`LARGEST`] in size.
pub(super) fn to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) & 0x8000;
    let magnitude = bits & 0x7fff_ffff;
    let rounded = if magnitude >= NORMAL {
        let rebiased = magnitude - REBIAS;
        // A carry out of the digits belongs into the exponent.
        (rebiased + 0x0fff + ((rebiased >> 13) & 1)) >> 13
    } else {
        (f32::from_bits(magnitude) / UNIT).round_ties_even() as u32
    };
    (sign | rounded) as u16
}

/// The number that these bits stand for, without loss.
pub(super) fn from_half(half: u16) -> f32 {
    let half = u32::from(half);
    let sign = (half & 0x8000) << 16;
    let magnitude = half & 0x7fff;
    let bits = match magnitude >> 10 {
        0 => (magnitude as f32 * UNIT).to_bits(),
        0x1f => 0x7f80_0000 | ((magnitude & 0x03ff) << 13),
        _ => (magnitude << 13) + REBIAS,
    };
    f32::from_bits(sign | bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_and_known_values_are_right() {
        for half in 0..=u16::MAX {
            let value = from_half(half);
            if value.is_finite() {
                assert_eq!(to_half(value), half, "{value}");
            } else {
                assert_eq!(half & 0x7c00, 0x7c00);
            }
        }
        for (value, half) in [
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (0.333_251_95, 0x3555),
            (LARGEST, 0x7bff),
            (5.960_464_5e-8, 0x0001),
            (6.103_515_6e-5, 0x0400),
        ] {
            assert_eq!(to_half(value), half, "{value}");
        }
    }

    #[test]
    fn between_two_halves_the_nearer_wins_and_the_even_one_of_equals() {
        for low in (0..0x7bff_u16).step_by(7) {
            let (a, b) = (f64::from(from_half(low)), f64::from(from_half(low + 1)));
            // Thirteen digits more than a half has: the midpoint is exact.
            let middle = (0.5 * (a + b)) as f32;
            let even = low + (low & 1);
            assert_eq!(to_half(middle), even, "{middle}");
            assert_eq!(to_half((0.75 * a + 0.25 * b) as f32), low);
            assert_eq!(to_half((0.25 * a + 0.75 * b) as f32), low + 1);
        }
    }
}
