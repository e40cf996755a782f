//! Minimises the model over the variables that are free at the generalised Cauchy point
//! (Byrd et al. 1995, section 5.1, with the projection of Morales and Nocedal 2011).

use super::history::History;
use super::saddle::{Saddle, dot};

pub(super) struct Subspace {
    free: Vec<usize>,
    /// Reduced gradient at the Cauchy point, then the step; one entry per free variable.
    r: Vec<f64>,
    v: Vec<f64>,
    w: Vec<f64>,
    /// YᵀZZᵀY, SᵀZZᵀY and SᵀZZᵀS over the free (or, for fewer terms, the bound) variables.
    yy: Vec<f64>,
    sy: Vec<f64>,
    ss: Vec<f64>,
    saddle: Saddle,
}

impl Subspace {
    pub(super) fn new(n: usize, memory: usize) -> Self {
        let square = || vec![0.0; memory * memory];
        Self {
            free: Vec::with_capacity(n),
            r: Vec::with_capacity(n),
            v: vec![0.0; 2 * memory],
            w: vec![0.0; 2 * memory],
            yy: square(),
            sy: square(),
            ss: square(),
            saddle: Saddle::new(memory),
        }
    }

    /// Moves `target`, the Cauchy point, to the minimiser of the model over its free variables.
    /// `wc` is Wᵀ(target − x). Returns false when the linear system could not be factorised.
    pub(super) fn minimize(
        &mut self,
        x: &[f64],
        g: &[f64],
        lower: &[f64],
        upper: &[f64],
        history: &History,
        target: &mut [f64],
        wc: &[f64],
    ) -> bool {
        let k = history.len();
        let theta = history.theta();
        self.free.clear();
        self.free
            .extend((0..x.len()).filter(|&i| target[i] > lower[i] && target[i] < upper[i]));
        if self.free.is_empty() || k == 0 {
            return true;
        }

        let v = &mut self.v[..2 * k];
        v.copy_from_slice(&wc[..2 * k]);
        history.apply_middle(v);
        self.r.clear();
        for &i in &self.free {
            history.w_row(i, &mut self.w[..2 * k]);
            self.r
                .push(g[i] + theta * (target[i] - x[i]) - dot(&self.w[..2 * k], v));
        }

        self.reduced_products(x.len(), history);
        let v = &mut self.v[..2 * k];
        let (yy, sy, ss) = (&self.yy, &self.sy, &self.ss);
        let factorized = self.saddle.factorize(
            k,
            |i, j| yy[i * k + j] / theta + if i == j { history.sy(i, i) } else { 0.0 },
            |i, j| {
                if j < i {
                    history.sy(i, j) - sy[i * k + j]
                } else {
                    -sy[i * k + j]
                }
            },
            |i, j| theta * (history.ss(i, j) - ss[i * k + j]),
        );
        if !factorized {
            return false;
        }
        v.fill(0.0);
        for (&i, r) in self.free.iter().zip(&self.r) {
            history.w_row(i, &mut self.w[..2 * k]);
            for (v, w) in v.iter_mut().zip(&self.w) {
                *v += w * r;
            }
        }
        self.saddle.solve(v);
        for (&i, r) in self.free.iter().zip(self.r.iter_mut()) {
            history.w_row(i, &mut self.w[..2 * k]);
            *r = -(*r + dot(&self.w[..2 * k], v) / theta) / theta;
        }
        self.step_into_box(x, g, lower, upper, target);
        true
    }

    /// Projects the step onto the box; where that is no descent direction any more, shortens it.
    fn step_into_box(
        &self,
        x: &[f64],
        g: &[f64],
        lower: &[f64],
        upper: &[f64],
        target: &mut [f64],
    ) {
        let mut slope = 0.0;
        let mut next = self.free.iter().zip(&self.r).peekable();
        for i in 0..x.len() {
            let step = next.next_if(|(j, _)| **j == i).map_or(0.0, |(_, r)| *r);
            slope += g[i] * ((target[i] + step).clamp(lower[i], upper[i]) - x[i]);
        }
        if slope < 0.0 {
            for (&i, r) in self.free.iter().zip(&self.r) {
                target[i] = (target[i] + r).clamp(lower[i], upper[i]);
            }
            return;
        }
        let mut length: f64 = 1.0;
        for (&i, r) in self.free.iter().zip(&self.r) {
            if *r > 0.0 {
                length = length.min((upper[i] - target[i]) / r);
            } else if *r < 0.0 {
                length = length.min((lower[i] - target[i]) / r);
            }
        }
        for (&i, r) in self.free.iter().zip(&self.r) {
            target[i] = (target[i] + length * r).clamp(lower[i], upper[i]);
        }
    }

    fn reduced_products(&mut self, n: usize, history: &History) {
        let k = history.len();
        let all_free = self.free.len() == n;
        for i in 0..k {
            let (si, yi) = (history.s(i), history.y(i));
            for j in 0..k {
                let (sj, yj) = (history.s(j), history.y(j));
                // Exact differences: with no bound active the block θ(SᵀS − SᵀZZᵀS) is zero.
                let sy = if all_free {
                    history.sy(i, j)
                } else {
                    self.sparse_dot(si, yj)
                };
                self.sy[i * k + j] = sy;
                if j <= i {
                    self.yy[i * k + j] = if all_free {
                        dot(yi, yj)
                    } else {
                        self.sparse_dot(yi, yj)
                    };
                    self.ss[i * k + j] = if all_free {
                        history.ss(i, j)
                    } else {
                        self.sparse_dot(si, sj)
                    };
                }
            }
        }
    }

    fn sparse_dot(&self, a: &[f64], b: &[f64]) -> f64 {
        self.free.iter().map(|&i| a[i] * b[i]).sum()
    }
}
