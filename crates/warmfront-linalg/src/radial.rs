//! Radial kernel profiles of squared distances, vectorised with their exponential.

use crate::elementwise::exp;
use crate::simd::{self, Loop, fma};

struct Rbf<'a>(&'a mut [f64], f64);

impl Loop for Rbf<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for v in self.0.iter_mut() {
            *v = self.1 * exp::<FMA>(-0.5 * *v);
        }
    }
}

/// Replaces squared scaled distances r² by the squared-exponential kernel `variance·exp(−r²/2)`.
pub fn rbf_in_place(squared: &mut [f64], variance: f64) {
    simd::run(Rbf(squared, variance));
}

#[inline(always)]
fn matern52<const FMA: bool>(squared: f64) -> (f64, f64) {
    let c = (5.0 * squared).sqrt();
    let decay = exp::<FMA>(-c);
    let linear = 1.0 + c;
    // 1 + c + c²/3 with c² = 5r²; the slope is −2 dk/d(r²).
    (
        fma::<FMA>(5.0 / 3.0, squared, linear) * decay,
        (5.0 / 3.0) * linear * decay,
    )
}

struct Matern52<'a>(&'a mut [f64], f64);

impl Loop for Matern52<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for v in self.0.iter_mut() {
            *v = self.1 * matern52::<FMA>(*v).0;
        }
    }
}

/// Replaces squared scaled distances r² by the Matérn-5/2 kernel `variance·(1 + c + c²/3)·exp(−c)`, `c = √5·r`.
pub fn matern52_in_place(squared: &mut [f64], variance: f64) {
    simd::run(Matern52(squared, variance));
}

struct Matern52Slope<'a>(&'a mut [f64], f64);

impl Loop for Matern52Slope<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for v in self.0.iter_mut() {
            *v = self.1 * matern52::<FMA>(*v).1;
        }
    }
}

/// Replaces r² by the slope `−2 dk/d(r²) = variance·(5/3)(1 + c)·exp(−c)` of the Matérn-5/2 kernel.
///
/// The derivative by a log lengthscale is slope·(scaled difference)², and by an input
/// coordinate −slope·(scaled difference)/lengthscale. For the squared exponential the slope
/// is the kernel itself.
pub fn matern52_slope_in_place(squared: &mut [f64], variance: f64) {
    simd::run(Matern52Slope(squared, variance));
}

struct Matern52Both<'a>(&'a mut [f64], &'a mut [f64], f64);

impl Loop for Matern52Both<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (v, s) in self.0.iter_mut().zip(self.1.iter_mut()) {
            let (value, slope) = matern52::<FMA>(*v);
            *v = self.2 * value;
            *s = self.2 * slope;
        }
    }
}

/// [`matern52_in_place`] and [`matern52_slope_in_place`] in one pass, sharing the exponential.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn matern52_with_slope(squared: &mut [f64], slope: &mut [f64], variance: f64) {
    assert!(
        squared.len() == slope.len(),
        "{} distances but room for {} slopes",
        squared.len(),
        slope.len()
    );
    simd::run(Matern52Both(squared, slope, variance));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_agree_with_their_formulas() {
        let squared: Vec<f64> = (0..200).map(|i| 0.05 * f64::from(i)).collect();
        let (mut rbf, mut value, mut slope) = (squared.clone(), squared.clone(), squared.clone());
        let (mut value_alone, mut slope_alone) = (squared.clone(), squared.clone());
        rbf_in_place(&mut rbf, 2.0);
        matern52_with_slope(&mut value, &mut slope, 2.0);
        matern52_in_place(&mut value_alone, 2.0);
        matern52_slope_in_place(&mut slope_alone, 2.0);
        for (i, &s) in squared.iter().enumerate() {
            let c = (5.0 * s).sqrt();
            assert!((rbf[i] - 2.0 * (-0.5 * s).exp()).abs() < 1e-15);
            assert!((value[i] - 2.0 * (1.0 + c + c * c / 3.0) * (-c).exp()).abs() < 2e-15);
            assert!((value[i] - value_alone[i]).abs() < 1e-300);
            assert!((slope[i] - slope_alone[i]).abs() < 1e-300);
            let h = 1e-5;
            let at = |t: f64| {
                let c = (5.0 * t).sqrt();
                2.0 * (1.0 + c + c * c / 3.0) * (-c).exp()
            };
            let difference = (at(s + h) - at(s + 0.0)) / h;
            assert!((slope[i] + 2.0 * difference).abs() < 1e-3);
        }
    }
}
