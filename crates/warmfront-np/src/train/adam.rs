//! Adam, and the clipping of gradients.

/// The Adam optimiser with its usual constants (0.9, 0.999, 1e−8).
///
/// # References
/// Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
    pub(super) steps: u64,
}

const FIRST_DECAY: f64 = 0.9;
const SECOND_DECAY: f64 = 0.999;
const EPSILON: f64 = 1e-8;

impl Adam {
    /// For this many parameters.
    #[must_use]
    pub fn new(parameters: usize) -> Self {
        Self {
            first: vec![0.0; parameters],
            second: vec![0.0; parameters],
            steps: 0,
        }
    }

    /// One step down the gradient.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32], learning_rate: f64) {
        assert!(
            parameters.len() == self.first.len() && gradient.len() == self.first.len(),
            "{} parameters and {} derivatives, expected {}",
            parameters.len(),
            gradient.len(),
            self.first.len()
        );
        self.steps += 1;
        let t = self.steps as f64;
        let rate = (learning_rate / (1.0 - FIRST_DECAY.powf(t))) as f32;
        let spread = (1.0 - SECOND_DECAY.powf(t)).sqrt().recip() as f32;
        let (keep_first, keep_second) = (FIRST_DECAY as f32, SECOND_DECAY as f32);
        let (add_first, add_second) = ((1.0 - FIRST_DECAY) as f32, (1.0 - SECOND_DECAY) as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *m = keep_first * *m + add_first * g;
            *v = keep_second * *v + add_second * g * g;
            *p -= rate * *m / (v.sqrt() * spread + EPSILON as f32);
        }
    }
}

/// Shortens a gradient to the norm `limit` if it is longer; returns the norm it had.
///
/// One that is not finite becomes zero.
pub fn clip_norm(gradient: &mut [f32], limit: f64) -> f64 {
    let square: f64 = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
    let norm = square.sqrt();
    if !norm.is_finite() {
        gradient.fill(0.0);
    } else if norm > limit {
        let factor = (limit / norm) as f32;
        for g in gradient {
            *g *= factor;
        }
    }
    norm
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use warmfront_testkit::assert_close;

    use super::*;

    #[test]
    fn first_step_by_hand() {
        // After one step the corrected moments are g and g²: the step is the learning rate.
        let mut parameters = [1.0, 1.0, 1.0];
        Adam::new(3).step(&mut parameters, &[0.5, -3.0, 0.0], 0.1);
        for (p, expected) in parameters.into_iter().zip([0.9, 1.1, 1.0]) {
            assert_close(f64::from(p), expected, 1e-6, 0.0, "step");
        }
    }

    #[test]
    fn agrees_with_torch() {
        // torch.optim.Adam(lr=0.01) of PyTorch 2, in f32.
        let gradients = [
            [0.1, -2.0, 0.0],
            [0.3, 1.0, 1e-4],
            [-0.2, 0.5, -3.0],
            [0.0, 0.0, 1.0],
        ];
        let expected = [
            [0.490_000_01, -0.24, 1.0],
            [0.480_822_2, -0.237_336_62, 0.992_559_67],
            [0.478_243_17, -0.236_722_74, 0.998_947_6],
            [0.476_130_57, -0.236_219_88, 1.002_072_9],
        ];
        let mut parameters = [0.5, -0.25, 1.0];
        let mut adam = Adam::new(3);
        for (gradient, expected) in gradients.iter().zip(expected) {
            adam.step(&mut parameters, gradient, 0.01);
            for (&p, expected) in parameters.iter().zip(expected) {
                assert_close(f64::from(p), expected, 3e-7, 0.0, "parameter");
            }
        }
    }

    #[test]
    fn clipping() {
        let mut gradient = [3.0, 4.0];
        assert_close(clip_norm(&mut gradient, 10.0), 5.0, 1e-12, 0.0, "norm");
        assert_eq!(gradient, [3.0, 4.0]);
        assert_close(clip_norm(&mut gradient, 0.5), 5.0, 1e-12, 0.0, "norm");
        assert_close(gradient[1].into(), 0.4, 1e-6, 0.0, "clipped");
        let mut broken = [f32::NAN, 1.0];
        assert!(clip_norm(&mut broken, 1.0).is_nan());
        assert_eq!(broken, [0.0, 0.0]);
    }
}
