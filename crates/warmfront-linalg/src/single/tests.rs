use super::*;

fn values(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 40) as f32 / (1 << 24) as f32) * 4.0 - 2.0
        })
        .collect()
}

fn close(a: f32, b: f64, tolerance: f64) {
    assert!(
        (f64::from(a) - b).abs() <= tolerance * (1.0 + b.abs()),
        "{a} is not {b}"
    );
}

#[test]
fn strided_products_equal_sums() {
    let (a, b) = (values(7 * 20, 1), values(20 * 9, 2));
    let mut out = vec![0.5; 7 * 11];
    add_product(
        view_mut(&mut out, 7, 5, 11),
        view(&a[3..], 7, 6, 20),
        view(&b[1..], 6, 5, 9),
    );
    for i in 0..7 {
        for j in 0..5 {
            let sum: f64 = (0..6)
                .map(|k| f64::from(a[3 + i * 20 + k]) * f64::from(b[1 + k * 9 + j]))
                .sum();
            close(out[i * 11 + j], 0.5 + sum, 1e-6);
        }
        assert!(
            out[i * 11 + 5..(i + 1) * 11]
                .iter()
                .all(|v| (v - 0.5).abs() < 1e-9)
        );
    }
}

/// Φ by its series, in double precision.
fn normal(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while term.abs() > 1e-18 {
        term *= x * x / (2.0 * k + 1.0);
        sum += term;
        k += 1.0;
    }
    0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[test]
fn gelu_and_its_slope_are_close_to_the_exact_ones() {
    let x: Vec<f32> = (-600..=600).map(|i| i as f32 * 0.01).collect();
    let bias = vec![0.25; x.len()];
    let (mut slope, mut out) = (x.clone(), vec![0.0; x.len()]);
    gelu_rows_with_slope(&mut slope, &bias, &mut out);
    let mut alone = x.clone();
    gelu_rows_in_place(&mut alone, &bias);
    for i in 0..x.len() {
        let u = f64::from(x[i] + 0.25);
        close(out[i], u * normal(u), 1e-6);
        let density = (-0.5 * u * u).exp() / (2.0 * std::f64::consts::PI).sqrt();
        close(slope[i], normal(u) + u * density, 1e-6);
        close(alone[i], f64::from(out[i]), 1e-7);
    }
    let mut far = vec![-100.0, 100.0, -3e4, 3e4];
    gelu_rows_in_place(&mut far, &[0.0; 4]);
    for (x, y) in far.iter().zip([0.0, 100.0, 0.0, 3e4]) {
        close(*x, y, 1e-6);
    }
}

#[test]
fn exponential_is_accurate_and_ends_in_zero() {
    for i in -860..=870 {
        let x = i as f32 * 0.1;
        for y in [activation::exp::<false>(x), activation::exp::<true>(x)] {
            assert!(
                (f64::from(y) / f64::from(x).exp() - 1.0).abs() < 3e-7,
                "{x}"
            );
        }
    }
    assert!(activation::exp::<false>(f32::NEG_INFINITY) <= 0.0);
    assert!(activation::exp::<true>(f32::NEG_INFINITY) <= 0.0);
}

#[test]
fn softmax_counts_only_what_is_visible() {
    for (width, visible) in [
        (21, Visible::Same(18)),
        (48, Visible::Growing(30)),
        (5, Visible::Same(5)),
    ] {
        let x = values(3 * width, 5);
        let mut p = x.clone();
        softmax_rows(&mut p, width, visible, 0.7);
        let dp = values(3 * width, 6);
        let mut dx = dp.clone();
        softmax_rows_backward(&p, &mut dx, width, visible, 0.7);
        for r in 0..3 {
            let n = match visible {
                Visible::Same(n) => n,
                Visible::Growing(n) => n + r,
            };
            let row: Vec<f64> = (0..n)
                .map(|j| (0.7 * f64::from(x[r * width + j])).exp())
                .collect();
            let total: f64 = row.iter().sum();
            let mean: f64 = (0..n)
                .map(|j| row[j] / total * f64::from(dp[r * width + j]))
                .sum();
            for j in 0..width {
                let (q, d) = if j < n {
                    let q = row[j] / total;
                    (q, 0.7 * q * (f64::from(dp[r * width + j]) - mean))
                } else {
                    (0.0, 0.0)
                };
                close(p[r * width + j], q, 1e-6);
                close(dx[r * width + j], d, 1e-6);
            }
        }
    }
}

#[test]
fn layer_norm_and_its_gradient_equal_the_formula() {
    for width in [5, 16, 37] {
        let rows = 4;
        let (x, residual) = (values(rows * width, 1), values(rows * width, 2));
        let (bias, gain, shift) = (values(width, 3), values(width, 4), values(width, 5));
        let weights = values(rows * width, 6);
        let loss = |z: &[f64]| -> f64 {
            let mut total = 0.0;
            for r in 0..rows {
                let row = &z[r * width..(r + 1) * width];
                let mean = row.iter().sum::<f64>() / width as f64;
                let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / width as f64;
                for j in 0..width {
                    let y = (row[j] - mean) / (variance + 1e-5).sqrt() * f64::from(gain[j])
                        + f64::from(shift[j]);
                    total += y * f64::from(weights[r * width + j]);
                }
            }
            total
        };
        let mut normalized = residual.clone();
        let (mut scales, mut out) = (vec![0.0; rows], vec![0.0; rows * width]);
        add_normalize_rows(
            &x,
            &bias,
            &gain,
            &shift,
            &mut normalized,
            &mut scales,
            &mut out,
        );
        let z: Vec<f64> = (0..rows * width)
            .map(|i| f64::from(x[i]) + f64::from(residual[i]) + f64::from(bias[i % width]))
            .collect();
        let found: f64 = out
            .iter()
            .zip(&weights)
            .map(|(a, b)| f64::from(a * b))
            .sum();
        assert!((found - loss(&z)).abs() < 1e-4, "{found}");
        let mut gradient = weights.clone();
        let (mut d_gain, mut d_shift) = (vec![1.0; width], vec![0.0; width]);
        let parameters = NormGradient {
            gain: &mut d_gain,
            shift: &mut d_shift,
        };
        normalize_rows_backward(&mut gradient, &normalized, &scales, &gain, Some(parameters));
        for i in 0..rows * width {
            let (mut up, mut down) = (z.clone(), z.clone());
            up[i] += 1e-5;
            down[i] -= 1e-5;
            close(gradient[i], (loss(&up) - loss(&down)) / 2e-5, 1e-4);
        }
        for j in 0..width {
            let pairs = (0..rows).map(|r| r * width + j);
            let d: f64 = pairs
                .clone()
                .map(|i| f64::from(weights[i] * normalized[i]))
                .sum();
            close(d_gain[j], 1.0 + d, 1e-5);
            close(d_shift[j], pairs.map(|i| f64::from(weights[i])).sum(), 1e-5);
        }
    }
}

#[test]
fn rows_are_scaled_summed_and_dotted() {
    let (a, b) = (values(3 * 40, 1), values(3 * 50, 2));
    let mut dots = [0.0; 6];
    row_dots(3, 35, &a, 40, &b, 50, &mut dots, 2);
    let mut sums = vec![1.0; 40];
    add_column_sums(&a, &mut sums);
    let mut scaled = vec![0.0; 3 * 36];
    scaled_rows(3, 35, &dots, 2, &a, 40, &mut scaled, 36);
    add_scaled_rows(3, 35, &dots, 2, &b, 50, &mut scaled, 36);
    for r in 0..3 {
        let dot: f64 = (0..35)
            .map(|j| f64::from(a[r * 40 + j]) * f64::from(b[r * 50 + j]))
            .sum();
        close(dots[2 * r], dot, 1e-5);
        for j in 0..35 {
            let sum = f64::from(a[r * 40 + j]) + f64::from(b[r * 50 + j]);
            close(scaled[r * 36 + j], dot * sum, 1e-5);
        }
    }
    for j in 0..40 {
        close(
            sums[j],
            1.0 + (0..3).map(|r| f64::from(a[r * 40 + j])).sum::<f64>(),
            1e-6,
        );
    }
}
