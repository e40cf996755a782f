use serde::Deserialize;

use super::*;
use crate::WireMatrix;

const KIND: Kind = Kind::new("test", 1);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Round,
    Square { side: f64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sample {
    name: String,
    count: u64,
    maybe: Option<i32>,
    shapes: Vec<Shape>,
    matrix: WireMatrix,
}

fn sample() -> Sample {
    Sample {
        name: "näme".into(),
        count: u64::MAX,
        maybe: Some(-3),
        shapes: vec![Shape::Round, Shape::Square { side: 0.1 }],
        matrix: WireMatrix::from_fn(4, 3, |i, j| i as f64 / (j + 1) as f64).expect("finite"),
    }
}

fn saved<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    save(&mut bytes, KIND, value).expect("fits");
    bytes
}

/// An envelope with a right checksum around any payload.
fn sealed(payload: &[u8]) -> Vec<u8> {
    let mut bytes = saved(&());
    bytes[24..32].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    let mut header = [0; HEADER];
    header.copy_from_slice(&bytes[..HEADER]);
    bytes[32..36].copy_from_slice(&checksum(&header, payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn values_come_back() {
    assert_eq!(
        load::<Sample>(&saved(&sample())[..], KIND).expect("undamaged"),
        sample()
    );
    for n in [0, 1, 511, 512, 513, 8192, 200_000] {
        let numbers: Vec<f64> = (0..n).map(f64::from).collect();
        assert_eq!(
            load::<Vec<f64>>(&saved(&numbers)[..], KIND).expect("undamaged"),
            numbers
        );
    }
    let text = "x".repeat(5000);
    assert_eq!(
        load::<String>(&saved(&text)[..], KIND).expect("undamaged"),
        text
    );
}

#[test]
fn value_stability() {
    // Files written by an earlier build must stay readable: these bytes must never change.
    let mut expected = b"WFRT\x01\x00test\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00".to_vec();
    expected.extend_from_slice(b"\x18\0\0\0\0\0\0\0");
    // CRC-32 computed by another implementation.
    expected.extend_from_slice(&0x8c2a_1e88_u32.to_le_bytes());
    expected.extend_from_slice(b"\x02\0\0\0\0\0\0\0");
    expected.extend_from_slice(b"\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x00\xc0");
    assert_eq!(saved(&vec![1.0, -2.0]), expected);
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = saved(&sample());
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= change;
            assert!(
                load::<Sample>(&damaged[..], KIND).is_err(),
                "byte {at} ^ {change:#x}"
            );
            assert!(
                Envelope::read(&damaged[..], MAX_PAYLOAD).is_err(),
                "byte {at} ^ {change:#x}"
            );
        }
    }
}

#[test]
fn every_truncation_and_extension_is_noticed() {
    let bytes = saved(&sample());
    for end in 0..bytes.len() {
        let error = load::<Sample>(&bytes[..end], KIND).expect_err("truncated");
        let expected = if end < HEADER { HEADER } else { bytes.len() };
        assert!(
            matches!(error, CodecError::Truncated { expected: e, found: f }
                if e == expected as u64 && f == end as u64),
            "{error}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let error = load::<Sample>(&longer[..], KIND).expect_err("too long");
    assert!(matches!(error, CodecError::TooLong { expected } if expected == bytes.len() as u64));
}

#[test]
fn errors_say_what_was_expected_and_what_came() {
    let check = |bytes: &[u8], kind: Kind, message: &str| {
        let error = load::<u64>(bytes, kind).expect_err("invalid");
        assert_eq!(error.to_string(), message);
    };
    let bytes = saved(&5_u64);
    check(
        b"PK\x03\x04....",
        KIND,
        "not a Warmfront file: it starts with [50, 4b, 03, 04]",
    );
    check(b"WFR", KIND, "the file ends after 3 of 36 bytes");
    check(
        &bytes,
        Kind::new("other", 1),
        "the file holds `test`, expected `other`",
    );
    check(
        &bytes,
        Kind::new("test", 3),
        "`test` version 1 is not supported, only 3",
    );
    check(
        &saved(&(5_u64, 6_u32)),
        KIND,
        "4 bytes of the payload were not read",
    );
    check(&saved(&5_u32), KIND, "the payload is malformed");
    let mut future = bytes.clone();
    future[4] = 9;
    check(&future, KIND, "envelope version 9 is not supported, only 1");
    let mut huge = bytes.clone();
    huge[31] = 1;
    check(
        &huge,
        KIND,
        "the payload has 72057594037927944 bytes, at most 1073741824 are allowed",
    );
    let error = load_within::<u64>(&bytes[..], KIND, 7).expect_err("too large");
    assert_eq!(
        error.to_string(),
        "the payload has 8 bytes, at most 7 are allowed"
    );
    assert_eq!(KIND.to_string(), "test version 1");
}

#[test]
fn false_lengths_inside_the_payload_are_refused() {
    let claim = |length: u64| sealed(&length.to_le_bytes());
    for length in [1, 1 << 20, 1 << 40, 1 << 61, u64::MAX] {
        let bytes = claim(length);
        assert!(load::<Vec<f64>>(&bytes[..], KIND).is_err());
        assert!(load::<Vec<Vec<u8>>>(&bytes[..], KIND).is_err());
        assert!(load::<String>(&bytes[..], KIND).is_err());
        assert!(load::<std::collections::BTreeMap<u64, f64>>(&bytes[..], KIND).is_err());
    }
    // A length within the payload's own step is believed only as far as the bytes go.
    assert!(load::<String>(&claim(4000)[..], KIND).is_err());
}

#[test]
fn a_matrix_that_lies_about_its_shape_is_malformed() {
    let lie = saved(&(3_u64, 3_u64, vec![0.0; 8]));
    let error = load::<WireMatrix>(&lie[..], KIND).expect_err("a lie");
    assert_eq!(error.to_string(), "the payload is malformed");
    let cause = std::error::Error::source(&error)
        .expect("has a cause")
        .to_string();
    assert!(
        cause.contains("a 3×3 matrix cannot have 8 entries"),
        "{cause}"
    );
    let nan = saved(&(1_u64, 1_u64, vec![f64::NAN]));
    assert!(load::<WireMatrix>(&nan[..], KIND).is_err());
    let honest = saved(&(1_u64, 1_u64, vec![7.0]));
    assert_eq!(
        load::<WireMatrix>(&honest[..], KIND)
            .expect("honest")
            .data(),
        [7.0]
    );
}

#[test]
fn the_longest_kind_fits() {
    const LONGEST: Kind = Kind::new("0123456789abcdef", u16::MAX);
    let mut bytes = Vec::new();
    save(&mut bytes, LONGEST, &1_u8).expect("fits");
    assert_eq!(load::<u8>(&bytes[..], LONGEST).expect("undamaged"), 1);
    assert_eq!(LONGEST.to_string(), "0123456789abcdef version 65535");
}

#[test]
fn failing_readers_and_writers_are_reported() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unplugged"))
        }
    }
    let error = load::<u8>(Broken, KIND).expect_err("broken");
    assert!(matches!(error, CodecError::Io(_)));
    let mut full = [0_u8; 10];
    assert!(matches!(
        save(&mut full[..], KIND, &1_u8),
        Err(CodecError::Io(_))
    ));
}
