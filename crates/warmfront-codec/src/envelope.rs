//! The envelope around every payload.

use std::fmt;
use std::io::{Read, Write};

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::CodecError;

const MAGIC: [u8; 4] = *b"WFRT";
const FORMAT: u16 = 1;
const TAG: usize = 16;
const HEADER: usize = 36;
const CHECKED: usize = 32;

/// The largest payload that is written or read: 1 GiB.
pub const MAX_PAYLOAD: u64 = 1 << 30;

/// What a file holds: a short name and a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    tag: [u8; TAG],
    version: u16,
}

impl Kind {
    /// A kind of file.
    ///
    /// # Panics
    /// If `tag` is empty, longer than 16 bytes, or holds anything but visible ASCII; in a constant
    /// that is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(tag: &str, version: u16) -> Self {
        let bytes = tag.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= TAG,
            "a kind has 1 to 16 characters"
        );
        let mut padded = [0; TAG];
        let mut i = 0;
        while i < bytes.len() {
            assert!(bytes[i].is_ascii_graphic(), "a kind is visible ASCII");
            padded[i] = bytes[i];
            i += 1;
        }
        Self {
            tag: padded,
            version,
        }
    }

    /// The version.
    #[must_use]
    pub const fn version(self) -> u16 {
        self.version
    }

    fn name(self) -> String {
        let end = self
            .tag
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        self.tag[..end].escape_ascii().to_string()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.name(), self.version)
    }
}

/// Writes a value in an envelope.
///
/// # Errors
/// If the value cannot be serialised, is larger than [`MAX_PAYLOAD`], or writing fails.
pub fn save<T, W>(mut writer: W, kind: Kind, value: &T) -> Result<(), CodecError>
where
    T: Serialize + ?Sized,
    W: Write,
{
    let payload = bincode::serde::encode_to_vec(value, config::<0>())
        .map_err(|error| CodecError::Unwritable(Box::new(error)))?;
    let size = payload.len() as u64;
    if size > MAX_PAYLOAD {
        return Err(CodecError::TooLarge {
            size,
            limit: MAX_PAYLOAD,
        });
    }
    let mut header = [0; HEADER];
    header[0..4].copy_from_slice(&MAGIC);
    header[4..6].copy_from_slice(&FORMAT.to_le_bytes());
    header[6..22].copy_from_slice(&kind.tag);
    header[22..24].copy_from_slice(&kind.version.to_le_bytes());
    header[24..32].copy_from_slice(&size.to_le_bytes());
    let checksum = checksum(&header, &payload);
    header[32..36].copy_from_slice(&checksum.to_le_bytes());
    writer.write_all(&header)?;
    writer.write_all(&payload)?;
    writer.flush()?;
    Ok(())
}

/// Reads a value of this kind and version, up to the end of the reader.
///
/// # Errors
/// If the bytes are not an undamaged envelope of this kind, hold something else, or reading fails.
pub fn load<T>(reader: impl Read, kind: Kind) -> Result<T, CodecError>
where
    T: DeserializeOwned,
{
    load_within(reader, kind, MAX_PAYLOAD)
}

/// Reads a value whose payload has at most `limit` bytes; see [`load`].
///
/// # Errors
/// As [`load`], and if the payload is larger.
pub fn load_within<T>(reader: impl Read, kind: Kind, limit: u64) -> Result<T, CodecError>
where
    T: DeserializeOwned,
{
    Envelope::open(reader, limit, |found| expect_kind(kind, found))?.decode(kind)
}

/// An undamaged envelope whose payload has not been decoded.
///
/// Readers of several versions look at [`version`](Self::version) and decode the type it stands for.
///
/// ```
/// use warmfront_codec::{Envelope, Kind, MAX_PAYLOAD, save};
///
/// const V1: Kind = Kind::new("note", 1);
/// const V2: Kind = Kind::new("note", 2);
///
/// let mut bytes = Vec::new();
/// save(&mut bytes, V1, "old")?;
/// let envelope = Envelope::read(&bytes[..], MAX_PAYLOAD)?;
/// let (text, stars): (String, u8) = match envelope.version() {
///     1 => (envelope.decode(V1)?, 0),
///     _ => envelope.decode(V2)?,
/// };
/// assert_eq!((text.as_str(), stars), ("old", 0));
/// # Ok::<(), warmfront_codec::CodecError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Envelope {
    kind: Kind,
    payload: Vec<u8>,
}

impl Envelope {
    /// Reads an envelope of any kind with at most `limit` bytes of payload, up to the end of the reader.
    ///
    /// # Errors
    /// If the bytes are not an undamaged envelope, the payload is larger, or reading fails.
    pub fn read(reader: impl Read, limit: u64) -> Result<Self, CodecError> {
        Self::open(reader, limit, |_| Ok(()))
    }

    /// What the file holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The version of what the file holds.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.kind.version
    }

    /// Decodes the payload as a value of this kind and version.
    ///
    /// A wire type must hold no list of elements without size, such as `Vec<()>`: its length would
    /// be believed.
    ///
    /// # Errors
    /// If the kind or its version is another, or the payload is malformed or too long.
    pub fn decode<T>(&self, kind: Kind) -> Result<T, CodecError>
    where
        T: DeserializeOwned,
    {
        expect_kind(kind, self.kind)?;
        // bincode takes its limit as a constant. The steps keep what a false length can make it
        // allocate within a small multiple of the payload.
        match self.payload.len() {
            0..=0x1000 => decode::<T, 0x1000>(&self.payload),
            0x1001..=0x1_0000 => decode::<T, 0x1_0000>(&self.payload),
            0x1_0001..=0x10_0000 => decode::<T, 0x10_0000>(&self.payload),
            0x10_0001..=0x100_0000 => decode::<T, 0x100_0000>(&self.payload),
            0x100_0001..=0x1000_0000 => decode::<T, 0x1000_0000>(&self.payload),
            _ => decode::<T, { MAX_PAYLOAD as usize }>(&self.payload),
        }
    }

    fn open(
        mut reader: impl Read,
        limit: u64,
        accept: impl FnOnce(Kind) -> Result<(), CodecError>,
    ) -> Result<Self, CodecError> {
        let mut header = Vec::with_capacity(HEADER);
        reader
            .by_ref()
            .take(HEADER as u64)
            .read_to_end(&mut header)?;
        if let Some(&found) = header.first_chunk()
            && found != MAGIC
        {
            return Err(CodecError::NotOurs { found });
        }
        let Ok(header) = <[u8; HEADER]>::try_from(header.as_slice()) else {
            let found = header.len() as u64;
            return Err(CodecError::Truncated {
                expected: HEADER as u64,
                found,
            });
        };
        let format = u16::from_le_bytes(part(&header, 4));
        if format != FORMAT {
            return Err(CodecError::UnsupportedVersion {
                found: format,
                supported: FORMAT,
            });
        }
        let kind = Kind {
            tag: part(&header, 6),
            version: u16::from_le_bytes(part(&header, 22)),
        };
        accept(kind)?;
        let size = u64::from_le_bytes(part(&header, 24));
        let limit = limit.min(MAX_PAYLOAD);
        if size > limit {
            return Err(CodecError::TooLarge { size, limit });
        }
        // Grows with what is really there: `size` is a claim until the bytes have come.
        let mut payload = Vec::new();
        reader.by_ref().take(size).read_to_end(&mut payload)?;
        let expected = HEADER as u64 + size;
        if (payload.len() as u64) < size {
            let found = (HEADER + payload.len()) as u64;
            return Err(CodecError::Truncated { expected, found });
        }
        if reader.take(1).read_to_end(&mut Vec::new())? > 0 {
            return Err(CodecError::TooLong { expected });
        }
        let (expected, found) = (
            u32::from_le_bytes(part(&header, 32)),
            checksum(&header, &payload),
        );
        if expected != found {
            return Err(CodecError::Checksum { expected, found });
        }
        Ok(Self { kind, payload })
    }
}

fn expect_kind(expected: Kind, found: Kind) -> Result<(), CodecError> {
    if found.tag != expected.tag {
        return Err(CodecError::WrongKind {
            expected: expected.name(),
            found: found.name(),
        });
    }
    if found.version != expected.version {
        return Err(CodecError::UnsupportedKindVersion {
            kind: expected.name(),
            found: found.version,
            supported: expected.version,
        });
    }
    Ok(())
}

// Fixed-width integers: then the bytes bincode counts against its limit are the bytes it reads.
fn config<const N: usize>() -> Configuration<LittleEndian, Fixint, Limit<N>> {
    bincode::config::standard()
        .with_fixed_int_encoding()
        .with_limit::<N>()
}

fn decode<T: DeserializeOwned, const N: usize>(payload: &[u8]) -> Result<T, CodecError> {
    let (value, read) = bincode::serde::decode_from_slice(payload, config::<N>())
        .map_err(|error| CodecError::Malformed(Box::new(error)))?;
    match payload.len() - read {
        0 => Ok(value),
        unread => Err(CodecError::Unread { unread }),
    }
}

fn checksum(header: &[u8; HEADER], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..CHECKED]);
    hasher.update(payload);
    hasher.finalize()
}

fn part<const N: usize>(header: &[u8; HEADER], start: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&header[start..start + N]);
    part
}

#[cfg(test)]
mod tests;
