//! Nothing read from bytes panics, and what was saved comes back.

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use warmfront_codec::{Envelope, Kind, MAX_PAYLOAD, WireMatrix, load, save};

const KIND: Kind = Kind::new("property", 1);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Either {
    Text(String),
    Numbers { values: Vec<f64>, tag: Option<u16> },
    Matrix(WireMatrix),
    Nested(Vec<Vec<u8>>),
}

fn either() -> impl Strategy<Value = Either> {
    prop_oneof![
        ".{0,40}".prop_map(Either::Text),
        (vec(-1e300..1e300_f64, 0..50), any::<Option<u16>>())
            .prop_map(|(values, tag)| Either::Numbers { values, tag }),
        (0..6_usize, 0..6_usize).prop_flat_map(|(n, m)| warmfront_testkit::ugly_matrix(m, n)
            .prop_map(move |data| Either::Matrix(WireMatrix::new(n, m, data).expect("fits")))),
        vec(vec(any::<u8>(), 0..20), 0..20).prop_map(Either::Nested),
    ]
}

/// An envelope with a right checksum around any payload, made as a foreign program would.
fn sealed(payload: &[u8]) -> Vec<u8> {
    let mut bytes = b"WFRT\x01\0property\0\0\0\0\0\0\0\0\x01\0".to_vec();
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes);
    hasher.update(payload);
    bytes.extend_from_slice(&hasher.finalize().to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

proptest! {
    #[test]
    fn what_was_saved_comes_back(value in either()) {
        let mut bytes = Vec::new();
        save(&mut bytes, KIND, &value).expect("fits");
        prop_assert_eq!(load::<Either>(&bytes[..], KIND).expect("undamaged"), value);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200), ours in any::<bool>()) {
        let mut bytes = bytes;
        if ours && bytes.len() >= 6 {
            bytes[..6].copy_from_slice(b"WFRT\x01\0");
        }
        prop_assert!(load::<Either>(&bytes[..], KIND).is_err());
        prop_assert!(Envelope::read(&bytes[..], MAX_PAYLOAD).is_err());
    }

    #[test]
    fn arbitrary_sealed_payloads_never_panic(payload in vec(prop_oneof![0..4_u8, any::<u8>()], 0..200)) {
        let bytes = sealed(&payload);
        // What is accepted means exactly these bytes.
        if let Ok(value) = load::<Either>(&bytes[..], KIND) {
            let mut again = Vec::new();
            save(&mut again, KIND, &value).expect("fits");
            prop_assert_eq!(again, bytes);
        }
    }

    #[test]
    fn damage_and_truncation_are_errors(value in either(), at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let mut bytes = Vec::new();
        save(&mut bytes, KIND, &value).expect("fits");
        let at = at.index(bytes.len());
        prop_assert!(load::<Either>(&bytes[..at], KIND).is_err());
        bytes[at] ^= change;
        prop_assert!(load::<Either>(&bytes[..], KIND).is_err());
    }
}
