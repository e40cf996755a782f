//! A reader of two-dimensional `.npy` arrays of little-endian `f64`.
//!
//! The format is a magic string, a version, the length of a header, the header (a Python
//! dictionary) and the elements. Versions 1 to 3 are read, in row-major and column-major order.

use crate::NpyError;

const MAGIC: &[u8] = b"\x93NUMPY";

/// A two-dimensional array.
#[derive(Debug, Clone, PartialEq)]
pub struct Npy {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// The elements row by row (length rows·columns), NaN and infinities included.
    pub data: Vec<f64>,
}

impl Npy {
    /// Reads the bytes of an `.npy` file.
    ///
    /// # Errors
    /// If the bytes are truncated, too long or not an npy file, or the array has another element
    /// type or other than two dimensions.
    pub fn parse(bytes: &[u8]) -> Result<Self, NpyError> {
        if !bytes.starts_with(MAGIC) {
            return Err(NpyError::Magic);
        }
        let short = |expected| NpyError::TruncatedHeader {
            expected,
            found: bytes.len(),
        };
        let &[major, minor] = bytes.get(6..8).ok_or(short(10))? else {
            return Err(short(10));
        };
        if !(1..=3).contains(&major) || minor != 0 {
            return Err(NpyError::Version { major, minor });
        }
        // Version 1 has two bytes of header length, later versions four.
        let start = if major == 1 { 10 } else { 12 };
        let length = bytes.get(8..start).ok_or(short(start))?;
        let length = length
            .iter()
            .rev()
            .fold(0u64, |sum, &byte| (sum << 8) | u64::from(byte));
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length));
        let end = end.ok_or(short(usize::MAX))?;
        let header = bytes.get(start..end).ok_or(short(end))?;
        let header = String::from_utf8_lossy(header);

        let kind = quoted(value_of(&header, "descr")?).ok_or(NpyError::Header { key: "descr" })?;
        if kind != "<f8" {
            return Err(NpyError::ElementType {
                found: kind.to_owned(),
            });
        }
        let order = value_of(&header, "fortran_order")?;
        let by_columns = if order.starts_with("True") {
            true
        } else if order.starts_with("False") {
            false
        } else {
            return Err(NpyError::Header {
                key: "fortran_order",
            });
        };
        let [rows, columns] = shape(value_of(&header, "shape")?)?;

        let elements = &bytes[end..];
        let expected = rows
            .checked_mul(columns)
            .and_then(|count| count.checked_mul(8));
        if expected != Some(elements.len()) {
            let (expected, found) = (expected.unwrap_or(usize::MAX), elements.len());
            return Err(NpyError::Length {
                rows,
                columns,
                expected,
                found,
            });
        }
        let element = |index: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&elements[8 * index..8 * index + 8]);
            f64::from_le_bytes(eight)
        };
        let data = (0..rows * columns)
            .map(|position| {
                let (row, column) = (position / columns, position % columns);
                element(if by_columns {
                    column * rows + row
                } else {
                    position
                })
            })
            .collect();
        Ok(Self {
            rows,
            columns,
            data,
        })
    }

    /// One row of the array.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    #[track_caller]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }
}

/// What follows `'key':` in the header.
fn value_of<'a>(header: &'a str, key: &'static str) -> Result<&'a str, NpyError> {
    let find = |quote| header.split_once(&format!("{quote}{key}{quote}"));
    let (_, rest) = find('\'')
        .or_else(|| find('"'))
        .ok_or(NpyError::Header { key })?;
    let rest = rest
        .trim_start()
        .strip_prefix(':')
        .ok_or(NpyError::Header { key })?;
    Ok(rest.trim_start())
}

fn quoted(text: &str) -> Option<&str> {
    let quote = text
        .chars()
        .next()
        .filter(|quote| matches!(quote, '\'' | '"'))?;
    Some(text[1..].split_once(quote)?.0)
}

fn shape(text: &str) -> Result<[usize; 2], NpyError> {
    let bad = NpyError::Header { key: "shape" };
    let inner = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let Some((inner, _)) = inner else {
        return Err(bad);
    };
    let mut sizes = Vec::new();
    for size in inner
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
    {
        sizes.push(size.parse().map_err(|_| bad.clone())?);
    }
    <[usize; 2]>::try_from(sizes).map_err(|sizes| NpyError::Dimensions { found: sizes.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, header: &str, elements: &[f64]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([version, 0]);
        let length = header.len() as u32;
        bytes.extend(&length.to_le_bytes()[..if version == 1 { 2 } else { 4 }]);
        bytes.extend(header.as_bytes());
        bytes.extend(elements.iter().flat_map(|element| element.to_le_bytes()));
        bytes
    }

    const ELEMENTS: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

    #[test]
    fn both_orders_and_all_versions_are_read() {
        let check = |version, order: &str, data: [f64; 6]| {
            let header =
                format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': (2, 3), }}  \n");
            let array = Npy::parse(&file(version, &header, &ELEMENTS)).expect("valid");
            assert_eq!(
                (array.rows, array.columns, &array.data[..]),
                (2, 3, &data[..])
            );
            assert_eq!(array.row(1), &data[3..]);
        };
        check(1, "False", ELEMENTS);
        check(2, "False", ELEMENTS);
        check(3, "True", [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn every_prefix_of_a_file_is_an_error() {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n";
        for version in [1, 2] {
            let bytes = file(version, header, &ELEMENTS);
            for length in 0..bytes.len() {
                assert!(Npy::parse(&bytes[..length]).is_err(), "{length} bytes");
            }
            let mut longer = bytes;
            longer.push(0);
            assert!(matches!(Npy::parse(&longer), Err(NpyError::Length { .. })));
        }
    }

    #[test]
    fn bad_headers_are_named() {
        let check = |header: &str, message: &str| {
            let error = Npy::parse(&file(1, header, &ELEMENTS)).expect_err("bad header");
            assert_eq!(error.to_string(), message);
        };
        check("", "the header has no readable `descr`");
        check("{'descr': <f8}", "the header has no readable `descr`");
        check(
            "{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3)}",
            "the elements are `>f8`, only little-endian f64 (`<f8`) is read",
        );
        check(
            "{'descr': '<f8', 'shape': (2, 3)}",
            "the header has no readable `fortran_order`",
        );
        let shaped =
            |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}");
        check(&shaped("(6,)"), "the array has 1 dimensions, expected 2");
        check(&shaped("(2, -3)"), "the header has no readable `shape`");
        check(
            &shaped("(2, 4)"),
            "2×4 elements need 64 bytes, there are 48",
        );
        check(
            &shaped("(4611686018427387904, 4611686018427387904)"),
            "4611686018427387904×4611686018427387904 elements need 18446744073709551615 bytes, \
             there are 48",
        );
        assert_eq!(
            Npy::parse(&file(9, "", &[])),
            Err(NpyError::Version { major: 9, minor: 0 })
        );
        assert_eq!(Npy::parse(b"PK\x03\x04"), Err(NpyError::Magic));
    }
}
