use super::*;

const KIND: Kind = Kind {
    name: "test",
    version: 3,
};

fn archive() -> Archive {
    let tensor = |shape: &[usize], values: &[f32]| Weights {
        shape: shape.to_vec(),
        values: values.to_vec(),
    };
    let tensors = [
        ("b", tensor(&[2, 2], &[1.0, -2.5, 0.125, 1e-3])),
        ("a", tensor(&[3], &[0.1, 1e-20, -7.0])),
        ("none", tensor(&[0], &[])),
    ];
    Archive {
        text: "{\"what\":\"a test\"}".into(),
        tensors: tensors.map(|(name, t)| (name.to_owned(), t)).into(),
    }
}

fn bytes(precision: Precision) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, KIND, &archive(), |_| precision).unwrap();
    bytes
}

#[test]
fn a_file_gives_back_what_was_written() {
    assert_eq!(read(&*bytes(Precision::Full), KIND).unwrap(), archive());
    assert_eq!(bytes(Precision::Full), bytes(Precision::Full));
    let halves = read(&*bytes(Precision::Half), KIND).unwrap();
    for (name, tensor) in archive().tensors {
        for (a, b) in tensor.values.iter().zip(&halves.tensors[&name].values) {
            assert!(
                (a - b).abs() <= a.abs() / 2048.0 + 3e-8,
                "{name}: {a} as {b}"
            );
        }
    }
}

#[test]
fn what_half_precision_cannot_hold_is_stored_whole() {
    let mut large = archive();
    large.tensors.get_mut("a").unwrap().values[0] = 1e6;
    let mut bytes = Vec::new();
    write(&mut bytes, KIND, &large, |_| Precision::Half).unwrap();
    let back = read(&*bytes, KIND).unwrap();
    assert_eq!(back.tensors["a"], large.tensors["a"]);
}

#[test]
fn a_file_cut_anywhere_says_so() {
    let bytes = bytes(Precision::Full);
    for end in 0..bytes.len() {
        match read(&bytes[..end], KIND) {
            Err(NpError::Truncated { expected, found }) => {
                assert_eq!(found, end as u64);
                assert!(expected > found && expected <= bytes.len() as u64);
            }
            other => panic!("cut after {end} bytes: {other:?}"),
        }
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let error = read(&*longer, KIND).unwrap_err();
    assert!(matches!(error, NpError::FileTooLong { .. }), "{error}");
}

#[test]
fn no_byte_can_change_unnoticed() {
    for precision in [Precision::Full, Precision::Half] {
        let bytes = bytes(precision);
        for at in 0..bytes.len() {
            for mask in (0..8).map(|bit| 1 << bit).chain([0xff, 0x2d]) {
                let mut damaged = bytes.clone();
                damaged[at] ^= mask;
                let read = read(&*damaged, KIND);
                assert!(read.is_err(), "byte {at} xor {mask:#x}");
            }
        }
    }
}

#[test]
fn claims_are_checked_before_memory_is_taken() {
    let claim = |header: &str| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        read(&*bytes, KIND).unwrap_err().to_string()
    };
    assert_eq!(
        read(&[0xff; 16][..], KIND).unwrap_err().to_string(),
        "not a policy file: its header claims 18446744073709551615 bytes"
    );
    assert_eq!(
        claim("{}"),
        "not a policy file: it has no entry `warmfront`"
    );
    let entry = "\"__metadata__\":{\"warmfront\":\"test 3 0000000000000000 {}\"}";
    let huge = |shape: &str, end: &str| {
        claim(&format!(
            "{{{entry},\"a\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[0,{end}]}}}}"
        ))
    };
    assert_eq!(
        huge("[1099511627776]", "4398046511104"),
        "the file has 4398046511104 bytes, at most 268435456 are read"
    );
    assert!(huge("[4294967296,4294967296,4]", "0").contains("overflow"));
    assert_eq!(
        huge("[1000]", "4000"),
        "the file ends after 126 of 4126 bytes"
    );
    let deep = "[".repeat(100_000);
    assert!(claim(&deep).starts_with("not a policy file"));
}

#[test]
fn other_kinds_and_versions_are_named() {
    let bytes = bytes(Precision::Full);
    let message = |kind| read(&*bytes, kind).unwrap_err().to_string();
    assert_eq!(
        message(Kind {
            name: "policy",
            ..KIND
        }),
        "not a policy file: it holds `test`, expected `policy`"
    );
    assert_eq!(
        message(Kind { version: 4, ..KIND }),
        "version 3 of the policy file is not supported, only 4"
    );
}

#[test]
fn a_weight_that_is_no_number_is_refused() {
    let mut bad = archive();
    bad.tensors.get_mut("a").unwrap().values[1] = f32::NAN;
    let mut bytes = Vec::new();
    write(&mut bytes, KIND, &bad, |_| Precision::Full).unwrap();
    assert_eq!(
        read(&*bytes, KIND).unwrap_err().to_string(),
        "parameter 1 of `a` is not finite"
    );
}
