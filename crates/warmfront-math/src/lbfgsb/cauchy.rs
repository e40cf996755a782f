//! The generalised Cauchy point: the first local minimiser of the quadratic model along the
//! projected steepest-descent path (Byrd et al. 1995, algorithm CP).

use super::history::History;
use super::saddle::dot;

pub(super) struct Cauchy {
    /// The generalised Cauchy point.
    pub(super) x: Vec<f64>,
    /// Wᵀ(x − x_k), 2k long.
    pub(super) c: Vec<f64>,
    direction: Vec<f64>,
    breakpoints: Vec<(f64, usize)>,
    p: Vec<f64>,
    w: Vec<f64>,
    mw: Vec<f64>,
}

impl Cauchy {
    pub(super) fn new(n: usize, memory: usize) -> Self {
        let pair = || vec![0.0; 2 * memory];
        Self {
            x: vec![0.0; n],
            c: pair(),
            direction: vec![0.0; n],
            breakpoints: Vec::with_capacity(n),
            p: pair(),
            w: pair(),
            mw: pair(),
        }
    }

    /// Finds the point for the iterate `x` with gradient `g`.
    pub(super) fn find(
        &mut self,
        x: &[f64],
        g: &[f64],
        lower: &[f64],
        upper: &[f64],
        history: &History,
    ) {
        let k2 = 2 * history.len();
        let theta = history.theta();
        self.x.copy_from_slice(x);
        let (c, p) = (&mut self.c[..k2], &mut self.p[..k2]);
        let (w, mw) = (&mut self.w[..k2], &mut self.mw[..k2]);
        c.fill(0.0);

        self.breakpoints.clear();
        for i in 0..x.len() {
            let bound = if g[i] < 0.0 { upper[i] } else { lower[i] };
            // A zero gradient never reaches a bound.
            let t = if g[i].abs() > 0.0 {
                (x[i] - bound) / g[i]
            } else {
                f64::INFINITY
            };
            self.direction[i] = if t > 0.0 { -g[i] } else { 0.0 };
            if t > 0.0 && t.is_finite() {
                self.breakpoints.push((t, i));
            }
        }
        history.w_transpose(&self.direction, p);
        let mut slope = -dot(&self.direction, &self.direction);
        if slope >= 0.0 {
            return;
        }
        mw.copy_from_slice(p);
        history.apply_middle(mw);
        let mut curvature = -theta * slope - dot(p, mw);
        // The smallest curvature along the path that rounding errors may leave.
        let floor = f64::EPSILON * -theta * slope;
        let mut step = -slope / curvature.max(floor);

        self.breakpoints
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut reached = 0.0;
        for &(t, b) in &self.breakpoints {
            let dt = t - reached;
            if step < dt {
                break;
            }
            reached = t;
            let gb = g[b];
            self.direction[b] = 0.0;
            self.x[b] = if gb < 0.0 { upper[b] } else { lower[b] };
            let z = self.x[b] - x[b];
            for (c, p) in c.iter_mut().zip(p.iter()) {
                *c += dt * p;
            }
            history.w_row(b, w);
            mw.copy_from_slice(w);
            history.apply_middle(mw);
            slope += dt * curvature + gb * gb + theta * gb * z - gb * dot(mw, c);
            curvature -= theta * gb * gb + 2.0 * gb * dot(mw, p) + gb * gb * dot(mw, w);
            curvature = curvature.max(floor);
            for (p, w) in p.iter_mut().zip(w.iter()) {
                *p += gb * w;
            }
            step = -slope / curvature;
        }
        let step = step.max(0.0);
        // With every variable at a bound the remaining direction is zero and the path has ended.
        if self.direction.iter().all(|d| d.abs() <= 0.0) {
            return;
        }
        let t = reached + step;
        for i in 0..x.len() {
            if self.direction[i].abs() > 0.0 {
                self.x[i] = (x[i] + t * self.direction[i]).clamp(lower[i], upper[i]);
            }
        }
        for (c, p) in c.iter_mut().zip(p.iter()) {
            *c += step * p;
        }
    }
}
