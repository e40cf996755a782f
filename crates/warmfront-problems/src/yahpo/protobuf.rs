//! A check that a file is whole, which the runtime does not make.
//!
//! The runtime takes a model whose last fields are cut off as one that never had them. The fields
//! of the outermost message (`ModelProto`) give their lengths, so they show whether bytes are
//! missing at the end.

const GRAPH: u64 = 7;
const OPSET_IMPORT: u64 = 8;

/// Whether the outermost fields fill `bytes` exactly and a graph and an operator set are there.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let (mut graph, mut opset) = (false, false);
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some((field, length)) = field(rest) else {
            return false;
        };
        graph |= field == GRAPH;
        opset |= field == OPSET_IMPORT;
        rest = &rest[length..];
    }
    graph && opset
}

/// Number and length, tag included, of the first field, if it is all there.
fn field(bytes: &[u8]) -> Option<(u64, usize)> {
    let (tag, start) = varint(bytes)?;
    let payload = bytes.get(start..)?;
    let length = match tag & 7 {
        0 => varint(payload)?.1,
        1 => 8,
        2 => {
            let (length, prefix) = varint(payload)?;
            usize::try_from(length).ok()?.checked_add(prefix)?
        }
        5 => 4,
        _ => return None,
    };
    let end = start.checked_add(length)?;
    (end <= bytes.len()).then_some((tag >> 3, end))
}

/// A variable-length integer and how many bytes it takes.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index as u32).min(63);
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_message_passes() {
        // ir_version 7, a graph of 3 bytes, an operator set of 2 bytes.
        let whole = [0x08, 7, 0x3a, 3, 1, 2, 3, 0x42, 2, 0x10, 12];
        assert!(is_whole(&whole));
        for length in 0..whole.len() {
            assert!(!is_whole(&whole[..length]), "{length} bytes");
        }
        assert!(!is_whole(&[0xff; 20]));
    }
}
