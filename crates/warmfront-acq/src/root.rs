//! Cholesky factors of small covariances that may be singular, with their derivatives.
//!
//! A posterior covariance at points a model interpolates is zero up to rounding errors of either
//! sign. Adding jitter until such a matrix is definite would swamp the entries that mean something,
//! so a pivot below its floor is instead taken to be the floor and decoupled from the rest.

use warmfront_linalg::{axpy, dot};

/// The lower factor of a positive semi-definite matrix, row-major.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    pub(crate) n: usize,
    /// `n×n`; zeros above the diagonal.
    pub(crate) l: Vec<f64>,
    /// Columns whose pivot was below its floor.
    clamped: Vec<bool>,
}

impl Root {
    /// Factors `a` (`n×n`, row-major, lower half read) with pivots of at least `floor[i]`.
    pub(crate) fn factorize(mut a: Vec<f64>, floor: &[f64]) -> Self {
        let n = floor.len();
        let mut clamped = vec![false; n];
        for i in 0..n {
            for j in 0..i {
                let value = if clamped[j] {
                    0.0
                } else {
                    let s = dot(&a[i * n..i * n + j], &a[j * n..j * n + j]);
                    (a[i * n + j] - s) / a[j * n + j]
                };
                a[i * n + j] = value;
            }
            let row = &a[i * n..i * n + i];
            let pivot = a[i * n + i] - dot(row, row);
            // A pivot of NaN is clamped too.
            let definite = pivot > floor[i];
            a[i * n + i] = if definite { pivot } else { floor[i] }.sqrt();
            clamped[i] = !definite;
            a[i * n + i + 1..(i + 1) * n].fill(0.0);
        }
        Self { n, l: a, clamped }
    }

    /// Pulls ∂s/∂L (`bar`, row-major, lower half; destroyed) back to ∂s/∂A, symmetric, in place.
    ///
    /// # References
    /// Murray 2016, *Differentiation of the Cholesky decomposition*, the unblocked reverse sweep.
    pub(crate) fn pullback(&self, bar: &mut [f64]) {
        let (n, l) = (self.n, &self.l);
        for i in (0..n).rev() {
            let pivot_bar = if self.clamped[i] {
                0.0
            } else {
                0.5 * bar[i * n + i] / l[i * n + i]
            };
            bar[i * n + i] = pivot_bar;
            for k in 0..i {
                bar[i * n + k] -= 2.0 * pivot_bar * l[i * n + k];
            }
            for j in (0..i).rev() {
                if self.clamped[j] {
                    bar[i * n + j] = 0.0;
                    continue;
                }
                let t = bar[i * n + j] / l[j * n + j];
                bar[i * n + j] = t;
                bar[j * n + j] -= t * l[i * n + j];
                for k in 0..j {
                    bar[i * n + k] -= t * l[j * n + k];
                    bar[j * n + k] -= t * l[i * n + k];
                }
            }
        }
        for i in 0..n {
            for j in 0..i {
                let half = 0.5 * bar[i * n + j];
                bar[i * n + j] = half;
                bar[j * n + i] = half;
            }
        }
    }

    /// A generalised inverse of the factor, row-major: rows of decoupled variables are zero.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let (n, l) = (self.n, &self.l);
        let mut v = vec![0.0; n * n];
        for i in 0..n {
            // What is decoupled tells nothing: its residual is rounding, which the floor would magnify.
            if self.clamped[i] {
                continue;
            }
            let (done, current) = v.split_at_mut(i * n);
            let row = &mut current[..n];
            for k in 0..i {
                let c = l[i * n + k];
                if c != 0.0 {
                    axpy(c, &done[k * n..k * n + k + 1], &mut row[..=k]);
                }
            }
            let scale = 1.0 / l[i * n + i];
            for value in &mut row[..i] {
                *value *= -scale;
            }
            row[i] = scale;
        }
        v
    }
}

/// `V c` for a lower triangular `V` (`n×n`, row-major).
pub(crate) fn lower_times(v: &[f64], c: &[f64], out: &mut [f64]) {
    let n = c.len();
    for k in 0..n {
        out[k] = dot(&v[k * n..k * n + k + 1], &c[..k + 1]);
    }
}

/// `out += Vᵀ c` for a lower triangular `V` (`n×n`, row-major).
pub(crate) fn add_lower_transposed_times(v: &[f64], c: &[f64], out: &mut [f64]) {
    let n = c.len();
    for k in 0..n {
        axpy(c[k], &v[k * n..k * n + k + 1], &mut out[..=k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_in_a_decoupled_variable_is_not_magnified() {
        let root = Root::factorize(vec![1.0; 4], &[1e-34; 2]);
        let mut whitened = [0.0; 2];
        lower_times(&root.inverse(), &[0.5, 0.5 + 1e-15], &mut whitened);
        assert!(dot(&whitened, &whitened) < 0.26);
    }

    fn gram(n: usize, rank: usize) -> Vec<f64> {
        let g = |i: usize, k: usize| ((i * i * 7 + k * k * 3 + i * k * 5 + 1) as f64).sin();
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                a[i * n + j] = (0..rank).map(|k| g(i, k) * g(j, k)).sum();
            }
        }
        a
    }

    #[test]
    fn factor_times_transpose_is_the_matrix_even_when_singular() {
        let check = |n: usize, rank: usize| {
            let a = gram(n, rank);
            let root = Root::factorize(a.clone(), &vec![1e-14; n]);
            for i in 0..n {
                for j in 0..n {
                    let s = dot(&root.l[i * n..(i + 1) * n], &root.l[j * n..(j + 1) * n]);
                    assert!((s - a[i * n + j]).abs() < 1e-9, "n {n}, rank {rank}");
                }
            }
        };
        check(1, 1);
        check(9, 9);
        check(9, 4);
        check(20, 1);
        check(3, 0);
    }

    #[test]
    fn inverse_undoes_the_factor() {
        let n = 11;
        let root = Root::factorize(gram(n, n + 3), &[1e-14; 11]);
        let v = root.inverse();
        let c: Vec<f64> = (0..n).map(|i| i as f64 - 3.0).collect();
        let mut lc = vec![0.0; n];
        lower_times(&root.l, &c, &mut lc);
        let mut back = vec![0.0; n];
        lower_times(&v, &lc, &mut back);
        for (x, y) in c.iter().zip(&back) {
            assert!((x - y).abs() < 1e-6, "{x} {y}");
        }
    }

    #[test]
    fn pullback_agrees_with_finite_differences() {
        let n = 5;
        let a = gram(n, 8);
        let weights: Vec<f64> = (0..n * n).map(|i| ((i * i + 1) as f64).cos()).collect();
        let value = |a: &[f64]| {
            let root = Root::factorize(a.to_vec(), &[1e-14; 5]);
            (0..n)
                .flat_map(|i| (0..=i).map(move |j| i * n + j))
                .map(|k| weights[k] * root.l[k])
                .sum::<f64>()
        };
        let root = Root::factorize(a.clone(), &[1e-14; 5]);
        let mut bar = weights.clone();
        root.pullback(&mut bar);
        for i in 0..n {
            for j in 0..=i {
                let h = 1e-6;
                let (mut up, mut down) = (a.clone(), a.clone());
                up[i * n + j] += h;
                down[i * n + j] -= h;
                let numeric = (value(&up) - value(&down)) / (2.0 * h);
                // The lower half stands for both halves of a symmetric matrix.
                let analytic = bar[i * n + j] * if i == j { 1.0 } else { 2.0 };
                assert!(
                    (numeric - analytic).abs() < 1e-5 * (1.0 + numeric.abs()),
                    "{i} {j}"
                );
            }
        }
    }
}
