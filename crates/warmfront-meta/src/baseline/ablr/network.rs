//! A fully connected tanh network, its gradient with respect to weights and inputs.

use rand::{Rng, RngExt};
use warmfront_linalg::{Mat, MatRef, matmul};

/// Weights of all layers in one flat vector, so that a minimiser can move them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    /// Widths from the inputs to the features.
    widths: Vec<usize>,
    /// For each layer the weights (`in×out`, column-major) and then the biases (`out`).
    weights: Vec<f64>,
}

/// Activations of every layer for a batch: `n×width` each, inputs first, features last.
pub(crate) struct Activations(Vec<Mat<f64>>);

impl Activations {
    /// The features, `n×D`.
    pub(crate) fn features(&self) -> &Mat<f64> {
        self.0.last().expect("a network has an input layer")
    }
}

impl Network {
    /// Glorot-uniform weights, zero biases.
    pub(crate) fn random(inputs: usize, layers: &[usize], rng: &mut dyn Rng) -> Self {
        let widths: Vec<usize> = std::iter::once(inputs)
            .chain(layers.iter().copied())
            .collect();
        let mut weights = Vec::new();
        for pair in widths.windows(2) {
            let bound = (6.0 / (pair[0] + pair[1]) as f64).sqrt();
            weights
                .extend((0..pair[0] * pair[1]).map(|_| bound * (2.0 * rng.random::<f64>() - 1.0)));
            weights.extend(std::iter::repeat_n(0.0, pair[1]));
        }
        Self { widths, weights }
    }

    pub(crate) fn inputs(&self) -> usize {
        self.widths[0]
    }

    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub(crate) fn set_weights(&mut self, weights: &[f64]) {
        self.weights.copy_from_slice(weights);
    }

    /// Weights and biases of each layer, as views into the flat vector.
    fn layers(
        &self,
    ) -> impl DoubleEndedIterator<Item = (MatRef<'_, f64>, &[f64], usize)> + ExactSizeIterator {
        let mut offset = 0;
        let parts: Vec<_> = self
            .widths
            .windows(2)
            .map(|pair| {
                let start = offset;
                let split = start + pair[0] * pair[1];
                offset = split + pair[1];
                let weights =
                    MatRef::from_column_major_slice(&self.weights[start..split], pair[0], pair[1]);
                (weights, &self.weights[split..offset], start)
            })
            .collect();
        parts.into_iter()
    }

    /// Activations of all layers at the rows of `x` (`n×d`).
    pub(crate) fn forward(&self, x: MatRef<'_, f64>) -> Activations {
        let mut activations = vec![x.to_owned()];
        for (weights, biases, _) in self.layers() {
            let mut next = matmul(activations[activations.len() - 1].as_ref(), weights);
            for (j, bias) in biases.iter().enumerate() {
                for value in next.col_as_slice_mut(j) {
                    *value = (*value + bias).tanh();
                }
            }
            activations.push(next);
        }
        Activations(activations)
    }

    /// Pulls the derivative with respect to the features (`n×D`) back through the network.
    ///
    /// Adds the derivative with respect to the weights to `d_weights` where given, and returns the
    /// one with respect to the inputs (`n×d`).
    pub(crate) fn backward(
        &self,
        activations: &Activations,
        d_features: Mat<f64>,
        mut d_weights: Option<&mut [f64]>,
    ) -> Mat<f64> {
        let mut delta = d_features;
        for (l, (weights, biases, start)) in self.layers().enumerate().rev() {
            let output = &activations.0[l + 1];
            for j in 0..delta.ncols() {
                let out = output.col_as_slice(j);
                for (d, t) in delta.col_as_slice_mut(j).iter_mut().zip(out) {
                    *d *= 1.0 - t * t;
                }
            }
            if let Some(gradient) = d_weights.as_deref_mut() {
                let d_layer = matmul(activations.0[l].as_ref().transpose(), delta.as_ref());
                let split = start + weights.nrows() * weights.ncols();
                for j in 0..d_layer.ncols() {
                    let column = &mut gradient[start + j * d_layer.nrows()..][..d_layer.nrows()];
                    for (g, d) in column.iter_mut().zip(d_layer.col_as_slice(j)) {
                        *g += d;
                    }
                }
                for j in 0..biases.len() {
                    gradient[split + j] += delta.col_as_slice(j).iter().sum::<f64>();
                }
            }
            delta = matmul(delta.as_ref(), weights.transpose());
        }
        delta
    }
}
