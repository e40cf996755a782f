//! Solves [[−A, Bᵀ], [B, C]] p = v with A and the Schur complement C + B A⁻¹ Bᵀ positive definite.
//!
//! The middle matrix of the compact Hessian and the matrix of the subspace problem both have this
//! form, so two Cholesky factors of the size of the memory replace a pivoted factorisation.

/// Factors of one such matrix; blocks are k×k, row-major with row stride `stride`.
pub(super) struct Saddle {
    stride: usize,
    k: usize,
    /// Lower Cholesky factor of A.
    a: Vec<f64>,
    /// A-factor⁻¹ Bᵀ, stored transposed: row i is the solution for row i of B.
    b: Vec<f64>,
    /// Lower Cholesky factor of the Schur complement.
    schur: Vec<f64>,
}

impl Saddle {
    pub(super) fn new(stride: usize) -> Self {
        let zeros = || vec![0.0; stride * stride];
        Self {
            stride,
            k: 0,
            a: zeros(),
            b: zeros(),
            schur: zeros(),
        }
    }

    /// Factorises; the callback gives the entries (A, B, C) at row i and column j of each block,
    /// and is asked for A and C only where j ≤ i. Returns whether both factors exist.
    pub(super) fn factorize(
        &mut self,
        k: usize,
        a: impl Fn(usize, usize) -> f64,
        b: impl Fn(usize, usize) -> f64,
        c: impl Fn(usize, usize) -> f64,
    ) -> bool {
        let m = self.stride;
        self.k = k;
        for i in 0..k {
            for j in 0..=i {
                self.a[i * m + j] = a(i, j);
            }
        }
        if !cholesky(&mut self.a, k, m) {
            return false;
        }
        for i in 0..k {
            let row = &mut self.b[i * m..i * m + k];
            for (j, entry) in row.iter_mut().enumerate() {
                *entry = b(i, j);
            }
            solve_lower(&self.a, m, row);
        }
        for i in 0..k {
            for j in 0..=i {
                let product = dot(&self.b[i * m..i * m + k], &self.b[j * m..j * m + k]);
                self.schur[i * m + j] = c(i, j) + product;
            }
        }
        cholesky(&mut self.schur, k, m)
    }

    /// Overwrites the right-hand side, 2k long, by the solution.
    pub(super) fn solve(&self, v: &mut [f64]) {
        let (m, k) = (self.stride, self.k);
        let (top, bottom) = v.split_at_mut(k);
        // With A = FFᵀ and G = B F⁻ᵀ: p₂ from (C + GGᵀ) p₂ = v₂ + G F⁻¹ v₁, then
        // p₁ = F⁻ᵀ (Gᵀ p₂ − F⁻¹ v₁).
        solve_lower(&self.a, m, top);
        for i in 0..k {
            bottom[i] += dot(&self.b[i * m..i * m + k], top);
        }
        solve_lower(&self.schur, m, bottom);
        solve_upper(&self.schur, m, bottom);
        for t in top.iter_mut() {
            *t = -*t;
        }
        for i in 0..k {
            for j in 0..k {
                top[j] += self.b[i * m + j] * bottom[i];
            }
        }
        solve_upper(&self.a, m, top);
    }
}

pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// Lower Cholesky factor in place; false when a pivot is not positive relative to its diagonal.
fn cholesky(a: &mut [f64], k: usize, m: usize) -> bool {
    for j in 0..k {
        let (done, rest) = a.split_at_mut((j + 1) * m);
        let row = &mut done[j * m..j * m + j + 1];
        let diagonal = row[j];
        let pivot = diagonal - dot(&row[..j], &row[..j]);
        if !pivot.is_finite() || pivot <= diagonal * f64::EPSILON * 4.0 {
            return false;
        }
        let root = pivot.sqrt();
        row[j] = root;
        for i in j + 1..k {
            let below = &mut rest[(i - j - 1) * m..(i - j - 1) * m + j + 1];
            below[j] = (below[j] - dot(&below[..j], &row[..j])) / root;
        }
    }
    true
}

fn solve_lower(l: &[f64], m: usize, x: &mut [f64]) {
    for i in 0..x.len() {
        let sum = dot(&l[i * m..i * m + i], &x[..i]);
        x[i] = (x[i] - sum) / l[i * m + i];
    }
}

fn solve_upper(l: &[f64], m: usize, x: &mut [f64]) {
    for i in (0..x.len()).rev() {
        x[i] /= l[i * m + i];
        let xi = x[i];
        for (xj, lij) in x[..i].iter_mut().zip(&l[i * m..i * m + i]) {
            *xj -= lij * xi;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solution_satisfies_the_system() {
        let a = [[3.0, 0.4], [0.4, 2.0]];
        let b = [[0.5, -1.0], [0.3, 0.7]];
        let c = [[1.0, 0.1], [0.1, 0.5]];
        let mut saddle = Saddle::new(5);
        assert!(saddle.factorize(2, |i, j| a[i][j], |i, j| b[i][j], |i, j| c[i][j]));
        let v = [1.0, -2.0, 0.5, 3.0];
        let mut p = v;
        saddle.solve(&mut p);
        for i in 0..2 {
            let top: f64 = (0..2).map(|j| -a[i][j] * p[j] + b[j][i] * p[2 + j]).sum();
            let bottom: f64 = (0..2).map(|j| b[i][j] * p[j] + c[i][j] * p[2 + j]).sum();
            assert!((top - v[i]).abs() < 1e-14 && (bottom - v[2 + i]).abs() < 1e-14);
        }
    }

    #[test]
    fn an_indefinite_block_is_refused() {
        let mut saddle = Saddle::new(2);
        assert!(!saddle.factorize(1, |_, _| -1.0, |_, _| 0.0, |_, _| 1.0));
        assert!(!saddle.factorize(1, |_, _| 1.0, |_, _| 0.0, |_, _| f64::NAN));
    }
}
