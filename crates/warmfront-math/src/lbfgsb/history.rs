//! The curvature pairs and the compact form B = θI − W M Wᵀ of the quasi-Newton matrix.
//!
//! W = [Y, θS], and M⁻¹ = [[−D, Lᵀ], [L, θSᵀS]] with D and L the diagonal and the strict lower
//! part of SᵀY (Byrd et al. 1995, eqs. 3.3 and 3.4).

use super::saddle::{Saddle, dot};

pub(super) struct History {
    n: usize,
    capacity: usize,
    /// Number of pairs held.
    k: usize,
    /// Steps and gradient differences, one pair a row, oldest first (capacity×n).
    s: Vec<f64>,
    y: Vec<f64>,
    /// SᵀS and SᵀY (capacity×capacity).
    ss: Vec<f64>,
    sy: Vec<f64>,
    theta: f64,
    middle: Saddle,
}

impl History {
    pub(super) fn new(n: usize, capacity: usize) -> Self {
        Self {
            n,
            capacity,
            k: 0,
            s: vec![0.0; capacity * n],
            y: vec![0.0; capacity * n],
            ss: vec![0.0; capacity * capacity],
            sy: vec![0.0; capacity * capacity],
            theta: 1.0,
            middle: Saddle::new(capacity),
        }
    }

    pub(super) fn reset(&mut self) {
        self.k = 0;
        self.theta = 1.0;
    }

    pub(super) fn len(&self) -> usize {
        self.k
    }

    pub(super) fn theta(&self) -> f64 {
        self.theta
    }

    pub(super) fn s(&self, i: usize) -> &[f64] {
        &self.s[i * self.n..(i + 1) * self.n]
    }

    pub(super) fn y(&self, i: usize) -> &[f64] {
        &self.y[i * self.n..(i + 1) * self.n]
    }

    pub(super) fn ss(&self, i: usize, j: usize) -> f64 {
        self.ss[i * self.capacity + j]
    }

    pub(super) fn sy(&self, i: usize, j: usize) -> f64 {
        self.sy[i * self.capacity + j]
    }

    /// Adds a pair with yᵀs = `curvature` > 0; forgets everything when the compact form breaks
    /// down in rounding errors.
    pub(super) fn push(&mut self, s: &[f64], y: &[f64], curvature: f64) {
        let (n, m) = (self.n, self.capacity);
        if self.k == m {
            self.s.copy_within(n.., 0);
            self.y.copy_within(n.., 0);
            for i in 1..m {
                self.ss.copy_within(i * m + 1..(i + 1) * m, (i - 1) * m);
                self.sy.copy_within(i * m + 1..(i + 1) * m, (i - 1) * m);
            }
            self.k -= 1;
        }
        let k = self.k;
        self.s[k * n..(k + 1) * n].copy_from_slice(s);
        self.y[k * n..(k + 1) * n].copy_from_slice(y);
        for i in 0..k {
            let ss = dot(self.s(i), s);
            self.ss[i * m + k] = ss;
            self.ss[k * m + i] = ss;
            self.sy[i * m + k] = dot(self.s(i), y);
            self.sy[k * m + i] = dot(s, self.y(i));
        }
        self.ss[k * m + k] = dot(s, s);
        self.sy[k * m + k] = curvature;
        self.k += 1;
        self.theta = dot(y, y) / curvature;

        let (theta, ss, sy) = (self.theta, &self.ss, &self.sy);
        let done = self.middle.factorize(
            self.k,
            |i, j| if i == j { sy[i * m + i] } else { 0.0 },
            |i, j| if j < i { sy[i * m + j] } else { 0.0 },
            |i, j| theta * ss[i * m + j],
        );
        if !done {
            self.reset();
        }
    }

    /// Writes row `i` of W, 2k long.
    pub(super) fn w_row(&self, i: usize, out: &mut [f64]) {
        let k = self.k;
        for j in 0..k {
            out[j] = self.y[j * self.n + i];
            out[k + j] = self.theta * self.s[j * self.n + i];
        }
    }

    /// Writes Wᵀv, 2k long.
    pub(super) fn w_transpose(&self, v: &[f64], out: &mut [f64]) {
        let k = self.k;
        for j in 0..k {
            out[j] = dot(self.y(j), v);
            out[k + j] = self.theta * dot(self.s(j), v);
        }
    }

    /// Overwrites `v`, 2k long, by Mv.
    pub(super) fn apply_middle(&self, v: &mut [f64]) {
        if self.k > 0 {
            self.middle.solve(v);
        }
    }
}
