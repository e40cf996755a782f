//! The neural network behind a scenario.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rten::{Model, NodeId, Value};

use super::protobuf::is_whole;
use crate::ProblemError;

/// Rows per call of the runtime: enough to use its matrix products, few enough to stay in cache.
const CHUNK: usize = 1024;

pub(crate) struct Network {
    model: Model,
    categorical: NodeId,
    numeric: NodeId,
    output: NodeId,
    outputs: usize,
}

/// Inputs in the model's order, row after row.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) categorical: Vec<i32>,
    pub(crate) numeric: Vec<f32>,
    pub(crate) rows: usize,
}

fn unusable(reason: &'static str) -> ProblemError {
    ProblemError::Model {
        reason,
        source: None,
    }
}

impl Network {
    /// Loads a model and checks on the rows of `probe` that it predicts `outputs` finite values.
    pub(crate) fn load(
        bytes: Vec<u8>,
        probe: &Batch,
        outputs: usize,
    ) -> Result<Self, ProblemError> {
        if !is_whole(&bytes) {
            return Err(unusable("the bytes are not a whole ONNX model"));
        }
        // The runtime trusts the graph's inside: whatever it makes of damaged bytes, even a panic,
        // is an unreadable model.
        let load = catch_unwind(|| Model::load(bytes));
        let model = load
            .map_err(|_| unusable("the runtime gave up while loading it"))?
            .map_err(|error| ProblemError::Model {
                reason: "the runtime cannot read it",
                source: Some(error.into()),
            })?;
        let input = |name| {
            let id = model
                .find_node(name)
                .filter(|id| model.input_ids().contains(id));
            id.ok_or(unusable("it lacks the inputs x_cat and x_cont"))
        };
        let (categorical, numeric) = (input("x_cat")?, input("x_cont")?);
        let &[output] = model.output_ids() else {
            return Err(unusable("it does not have exactly one output"));
        };
        let network = Self {
            categorical,
            numeric,
            output,
            outputs,
            model,
        };
        let values = catch_unwind(AssertUnwindSafe(|| network.predict(probe)))
            .map_err(|_| unusable("the runtime gave up on a first prediction"))?
            .map_err(|error| ProblemError::Model {
                reason: "a first prediction failed",
                source: Some(error.into()),
            })?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(unusable("a first prediction is not finite"));
        }
        Ok(network)
    }

    /// Predicts the outputs of all rows, row after row.
    pub(crate) fn predict(&self, batch: &Batch) -> Result<Vec<f64>, ProblemError> {
        if batch.rows == 0 {
            return Ok(Vec::new());
        }
        let categories = batch.categorical.len() / batch.rows;
        let numbers = batch.numeric.len() / batch.rows;
        let mut values = Vec::with_capacity(batch.rows * self.outputs);
        for start in (0..batch.rows).step_by(CHUNK) {
            let end = (start + CHUNK).min(batch.rows);
            let categorical = batch.categorical[start * categories..end * categories].to_vec();
            let numeric = batch.numeric[start * numbers..end * numbers].to_vec();
            let predicted = self
                .run(
                    [end - start, categories],
                    categorical,
                    [end - start, numbers],
                    numeric,
                )
                .map_err(|source| ProblemError::Prediction {
                    rows: batch.rows,
                    source,
                })?;
            values.extend(predicted.into_iter().map(f64::from));
        }
        Ok(values)
    }

    fn run(
        &self,
        categorical_shape: [usize; 2],
        categorical: Vec<i32>,
        numeric_shape: [usize; 2],
        numeric: Vec<f32>,
    ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
        let inputs = vec![
            (
                self.categorical,
                Value::from_shape(&categorical_shape, categorical)?.into(),
            ),
            (
                self.numeric,
                Value::from_shape(&numeric_shape, numeric)?.into(),
            ),
        ];
        let output = self.model.run(inputs, &[self.output], None)?.pop();
        let (shape, values) = output
            .ok_or("the model returned nothing")?
            .into_shape_vec::<f32, 2>()?;
        let expected = [numeric_shape[0], self.outputs];
        if shape != expected {
            return Err(format!("expected outputs of shape {expected:?}, got {shape:?}").into());
        }
        Ok(values)
    }
}
