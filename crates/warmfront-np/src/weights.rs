//! Named tensors and one line of text as a safetensors file, checked from end to end.
//!
//! The text stands in the metadata under the key `warmfront`, behind the kind of file, its version
//! and a checksum over the text and every tensor. A reader of safetensors elsewhere sees ordinary
//! tensors; this one accepts a file only whole and undamaged, and allocates no more than the file
//! has bytes.

mod half;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};

use safetensors::tensor::{Dtype, Metadata, TensorView, View, serialize};

use crate::NpError;

/// Key of the metadata entry.
const KEY: &str = "warmfront";

/// Largest header that is read: 1 MiB, which is thousands of tensors.
const MAX_HEADER: u64 = 1 << 20;

/// Largest file that is read: 256 MiB, four times the published network.
const MAX_DATA: u64 = 1 << 28;

/// How numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32 bits: reading gives back what was written, bit for bit.
    #[default]
    Full,
    /// 16 bits where a tensor's values allow it: half the size for a relative error of `2^-11`.
    Half,
}

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Archive {
    pub(crate) text: String,
    pub(crate) tensors: BTreeMap<String, Weights>,
}

/// The kind of a file and the version of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// One word.
    pub(crate) name: &'static str,
    pub(crate) version: u32,
}

struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.bytes.as_slice().into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Stored {
    fn new(shape: &[usize], values: &[f32], precision: Precision) -> Self {
        // What half precision cannot hold is kept whole rather than cut off.
        let fits = values.iter().all(|value| value.abs() <= half::LARGEST);
        let (dtype, bytes) = if precision == Precision::Half && fits {
            let halves = values.iter().flat_map(|v| half::to_half(*v).to_le_bytes());
            (Dtype::F16, halves.collect())
        } else {
            let whole = values.iter().flat_map(|v| v.to_le_bytes());
            (Dtype::F32, whole.collect())
        };
        Self {
            dtype,
            shape: shape.to_vec(),
            bytes,
        }
    }
}

/// Writes a file; equal contents give equal bytes.
///
/// # Errors
/// If writing fails, or the file would be larger than what is read.
pub(crate) fn write(
    mut writer: impl Write,
    kind: Kind,
    archive: &Archive,
    precision: impl Fn(&str) -> Precision,
) -> Result<(), NpError> {
    let stored: BTreeMap<&str, Stored> = archive
        .tensors
        .iter()
        .map(|(name, t)| {
            let stored = Stored::new(&t.shape, &t.values, precision(name));
            (name.as_str(), stored)
        })
        .collect();
    let mut hash = Hash::new(&archive.text);
    for (name, tensor) in &stored {
        hash.tensor(name, tensor.dtype, &tensor.shape, &tensor.bytes);
    }
    let (text, hash) = (&archive.text, hash.0);
    let entry = format!("{} {} {hash:016x} {text}", kind.name, kind.version);
    // A single entry: the library's own map would give several a random order.
    let metadata = [(KEY.to_owned(), entry)].into_iter().collect();
    let bytes = serialize(&stored, Some(metadata)).map_err(|error| not_ours(&error))?;
    let header = header_length(&bytes);
    if header > MAX_HEADER {
        return Err(NpError::Contents {
            reason: format!("its description takes {header} bytes, at most {MAX_HEADER} are read"),
        });
    }
    let size = bytes.len() as u64 - 8 - header;
    if size > MAX_DATA {
        return Err(NpError::FileTooLarge {
            size,
            limit: MAX_DATA,
        });
    }
    writer.write_all(&bytes)?;
    writer.flush()?;
    Ok(())
}

/// Reads a file of this kind, up to the end of the reader.
///
/// # Errors
/// If the bytes are not an undamaged file of this kind and version, or reading fails.
pub(crate) fn read(mut reader: impl Read, kind: Kind) -> Result<Archive, NpError> {
    let start = take(&mut reader, 8, 8)?;
    let size = header_length(&start);
    if size > MAX_HEADER {
        return Err(NpError::NotOurs {
            reason: format!("its header claims {size} bytes"),
        });
    }
    let header = take(&mut reader, size, 8 + size)?;
    let header = std::str::from_utf8(&header).map_err(|error| not_ours(&error))?;
    // Padding is spaces only, so that no byte of a file can change unnoticed.
    let header = header.trim_end_matches(' ');
    if !header.ends_with('}') {
        return Err(NpError::NotOurs {
            reason: "its header is no object".into(),
        });
    }
    let metadata: Metadata = serde_json::from_str(header).map_err(|error| not_ours(&error))?;
    let entry = metadata
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(KEY));
    let (expected, text) = check_kind(entry.map(String::as_str), kind)?;
    let length = metadata.data_len() as u64;
    if length > MAX_DATA {
        return Err(NpError::FileTooLarge {
            size: length,
            limit: MAX_DATA,
        });
    }
    let data = take(&mut reader, length, 8 + size + length)?;
    if reader.take(1).read_to_end(&mut Vec::new())? > 0 {
        return Err(NpError::FileTooLong {
            expected: 8 + size + length,
        });
    }
    let views: BTreeMap<String, TensorView<'_>> = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let (from, to) = info.data_offsets;
            let view = TensorView::new(info.dtype, info.shape.clone(), &data[from..to]);
            Ok((name, view.map_err(|error| not_ours(&error))?))
        })
        .collect::<Result<_, NpError>>()?;
    let mut hash = Hash::new(text);
    for (name, view) in &views {
        hash.tensor(name, view.dtype(), view.shape(), view.data());
    }
    if hash.0 != expected {
        return Err(NpError::Checksum {
            expected,
            found: hash.0,
        });
    }
    let tensors = views
        .into_iter()
        .map(|(name, view)| Ok((name.clone(), decode(name, &view)?)))
        .collect::<Result<_, NpError>>()?;
    Ok(Archive {
        text: text.to_owned(),
        tensors,
    })
}

fn decode(name: String, view: &TensorView<'_>) -> Result<Weights, NpError> {
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => {
            let words = view.data().as_chunks::<4>().0;
            words.iter().map(|w| f32::from_le_bytes(*w)).collect()
        }
        Dtype::F16 => {
            let words = view.data().as_chunks::<2>().0;
            let halves = words.iter().map(|w| u16::from_le_bytes(*w));
            halves.map(half::from_half).collect()
        }
        other => {
            return Err(NpError::Contents {
                reason: format!("tensor `{name}` is of type {other}"),
            });
        }
    };
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(NpError::ParameterNotFinite {
            tensor: name,
            index,
        }),
        None => Ok(Weights {
            shape: view.shape().to_vec(),
            values,
        }),
    }
}

/// The checksum and the text of a metadata entry of the right kind.
fn check_kind(entry: Option<&str>, kind: Kind) -> Result<(u64, &str), NpError> {
    let Some(entry) = entry else {
        return Err(NpError::NotOurs {
            reason: format!("it has no entry `{KEY}`"),
        });
    };
    let malformed = || NpError::NotOurs {
        reason: format!("its entry `{KEY}` is malformed"),
    };
    let mut parts = entry.splitn(4, ' ');
    let mut next = || parts.next().ok_or_else(malformed);
    let (name, version) = (next()?, next()?);
    if name != kind.name {
        return Err(NpError::NotOurs {
            reason: format!(
                "it holds `{}`, expected `{}`",
                name.escape_debug(),
                kind.name
            ),
        });
    }
    let found: u32 = version.parse().map_err(|_| malformed())?;
    if found != kind.version {
        return Err(NpError::FileVersion {
            found,
            supported: kind.version,
        });
    }
    let digits = next()?;
    let hash = u64::from_str_radix(digits, 16).map_err(|_| malformed())?;
    // One way to write it only: capital letters would be another file that reads the same.
    if format!("{hash:016x}") != digits || format!("{found}") != version {
        return Err(malformed());
    }
    Ok((hash, next()?))
}

/// The next `count` bytes; memory grows with what is really there.
fn take(reader: &mut impl Read, count: u64, expected: u64) -> Result<Vec<u8>, NpError> {
    let mut bytes = Vec::new();
    match reader.by_ref().take(count).read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error.into()),
        _ => {}
    }
    if (bytes.len() as u64) < count {
        return Err(NpError::Truncated {
            expected,
            found: expected - count + bytes.len() as u64,
        });
    }
    Ok(bytes)
}

fn header_length(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
}

fn not_ours(error: &dyn std::error::Error) -> NpError {
    NpError::NotOurs {
        reason: error.to_string(),
    }
}

/// FNV-1a over words of eight bytes: one changed word always changes it. It detects damage, not malice.
struct Hash(u64);

impl Hash {
    fn new(text: &str) -> Self {
        let mut hash = Self(0xcbf2_9ce4_8422_2325);
        hash.bytes(text.as_bytes());
        hash
    }

    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.word(u64::from(*byte));
        }
    }

    fn tensor(&mut self, name: &str, dtype: Dtype, shape: &[usize], data: &[u8]) {
        self.bytes(name.as_bytes());
        self.bytes(dtype.to_string().as_bytes());
        self.word(shape.len() as u64);
        for axis in shape {
            self.word(*axis as u64);
        }
        self.bytes(data);
    }
}

#[cfg(test)]
mod tests;
