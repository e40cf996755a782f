//! Front models as bytes.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use warmfront_codec::{Kind, WireMatrix};

use super::front_model::FrontModel;
use crate::MetaError;
use crate::pmto::alignment::UnifiedGp;
use crate::pmto::saved::{ForwardV2, ModelV2};

const KIND: Kind = Kind::new("pmto-front-model", 1);

#[derive(Serialize, Deserialize)]
struct FrontV1 {
    map: ModelV2,
    /// One for each objective.
    models: Vec<ForwardV2>,
    /// Points of the screening, a row each.
    screening: WireMatrix,
}

impl FrontModel {
    /// Writes the model to `writer`, in a checked envelope.
    ///
    /// # Errors
    /// [`MetaError::Codec`] if writing fails.
    pub fn save(&self, writer: impl Write) -> Result<(), MetaError> {
        let screening = &self.screening;
        let saved = FrontV1 {
            map: ModelV2::of(&self.map)?,
            models: self
                .models
                .iter()
                .map(|gp| {
                    ForwardV2::of(&UnifiedGp {
                        gp: gp.clone(),
                        alignment: None,
                    })
                })
                .collect::<Result<_, _>>()?,
            screening: WireMatrix::from_fn(screening.len(), self.dim(), |i, k| screening[i][k])?,
        };
        Ok(warmfront_codec::save(writer, KIND, &saved)?)
    }

    /// Reads a model; it answers as the one that was saved.
    ///
    /// # Errors
    /// [`MetaError::Codec`] if the bytes are damaged or of another kind or version,
    /// [`MetaError::TaskModelShape`] if they are no front model in spite of that.
    pub fn load(reader: impl Read) -> Result<Self, MetaError> {
        let saved: FrontV1 = warmfront_codec::load(reader, KIND)?;
        let map = saved.map.restore()?;
        let v = map.dim();
        let inputs = map.task_dim() + 1;
        let m = saved.models.len();
        if m == 0 || inputs < m || saved.screening.cols() != v || saved.screening.rows() == 0 {
            return Err(MetaError::TaskModelShape);
        }
        let task_dim = inputs - m;
        Ok(Self {
            map,
            models: saved
                .models
                .iter()
                .map(|model| model.restore(v, task_dim).map(|unified| unified.gp))
                .collect::<Result<_, _>>()?,
            task_dim,
            screening: (0..saved.screening.rows())
                .map(|i| (0..v).map(|k| saved.screening.get(i, k)).collect())
                .collect(),
        })
    }
}
