use super::*;
use crate::hypervolume;

/// A small linear congruential generator: the tests need spread, not quality.
struct Uniforms(u64);

impl Uniforms {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn containing(boxes: &BoxDecomposition, y: &[f64]) -> usize {
    (0..boxes.len())
        .filter(|&i| (0..y.len()).all(|k| boxes.lower(k)[i] <= y[k] && y[k] < boxes.upper(k)[i]))
        .count()
}

/// Every probe is in exactly one box if no point dominates it, else in none.
fn check_partition(boxes: &BoxDecomposition, data: &[f64], probes: impl Iterator<Item = Vec<f64>>) {
    let m = boxes.objectives();
    for y in probes {
        let below = y.iter().zip(boxes.reference()).all(|(y, r)| y < r);
        let dominated = data
            .chunks_exact(m)
            .any(|p| p.iter().zip(&y).all(|(p, y)| p <= y));
        assert_eq!(
            containing(boxes, &y),
            usize::from(below && !dominated),
            "probe {y:?} with points {data:?}"
        );
        assert_eq!(boxes.locate(&y).is_some(), below && !dominated);
    }
}

fn both(data: &[f64], reference: &[f64]) -> [BoxDecomposition; 2] {
    let points = Points::new(data, reference.len()).unwrap();
    let mut one_by_one = BoxDecomposition::new(reference).unwrap();
    for p in points.rows() {
        one_by_one.insert(p);
    }
    [
        BoxDecomposition::from_points(points, reference).unwrap(),
        one_by_one,
    ]
}

#[test]
fn boxes_partition_the_non_dominated_region() {
    let mut u = Uniforms(1);
    for m in 1..=6 {
        for n in [0, 1, 2, 5, 20] {
            let data: Vec<f64> = (0..n * m).map(|_| u.next()).collect();
            let reference = vec![0.9; m];
            for boxes in both(&data, &reference) {
                let probes: Vec<Vec<f64>> = (0..300)
                    .map(|_| (0..m).map(|_| u.next() * 1.2 - 0.2).collect())
                    .collect();
                check_partition(&boxes, &data, probes.into_iter());
            }
        }
    }
}

#[test]
fn ties_and_repetitions_leave_the_boxes_disjoint() {
    let mut u = Uniforms(2);
    for m in 1..=5 {
        for n in [2, 6, 15, 40] {
            for _ in 0..6 {
                // Coordinates on a grid of five values, reference included.
                let data: Vec<f64> = (0..n * m).map(|_| (u.next() * 5.0).floor()).collect();
                let reference = vec![4.0; m];
                for boxes in both(&data, &reference) {
                    let probes: Vec<Vec<f64>> = (0..200)
                        .map(|_| {
                            (0..m)
                                .map(|_| (u.next() * 12.0).floor() / 2.0 - 1.0)
                                .collect()
                        })
                        .collect();
                    check_partition(&boxes, &data, probes.into_iter());
                }
            }
        }
    }
}

#[test]
fn two_and_three_objectives_need_few_boxes() {
    let mut u = Uniforms(3);
    for (m, boxes_of) in [(2, (|n| n + 1) as fn(usize) -> usize), (3, |n| 2 * n + 1)] {
        let n = 60;
        let mut data = Vec::new();
        for _ in 0..n {
            let p: Vec<f64> = (0..m).map(|_| -u.next().ln()).collect();
            let sum: f64 = p.iter().sum();
            data.extend(p.iter().map(|v| v / sum));
        }
        for boxes in both(&data, &vec![1.1; m]) {
            assert_eq!(boxes.len(), boxes_of(n));
        }
    }
}

#[test]
fn improvement_is_the_difference_of_hypervolumes() {
    let mut u = Uniforms(4);
    for m in 1..=5 {
        let mut data: Vec<f64> = (0..12 * m).map(|_| u.next()).collect();
        let reference = vec![0.95; m];
        let boxes =
            BoxDecomposition::from_points(Points::new(&data, m).unwrap(), &reference).unwrap();
        let before = hypervolume(Points::new(&data, m).unwrap(), &reference);
        assert!((boxes.hypervolume() - before).abs() < 1e-13);
        for _ in 0..20 {
            let p: Vec<f64> = (0..m).map(|_| u.next() * 0.6).collect();
            data.extend(&p);
            let after = hypervolume(Points::new(&data, m).unwrap(), &reference);
            data.truncate(12 * m);
            assert!((boxes.hypervolume_improvement(&p) - (after - before)).abs() < 1e-13);
        }
    }
}

#[test]
fn ugly_values_neither_panic_nor_enter() {
    let mut boxes = BoxDecomposition::new(&[1.0, 1.0, 1.0]).unwrap();
    assert!(!boxes.insert(&[f64::NAN, 0.0, 0.0]));
    assert!(!boxes.insert(&[1.0, 0.0, 0.0]));
    assert!(!boxes.insert(&[f64::INFINITY, 0.0, 0.0]));
    assert!(boxes.insert(&[-1e300, 0.5, 1e-300]));
    assert!(!boxes.insert(&[-1e300, 0.5, 1e-300]));
    assert!(boxes.insert(&[f64::NEG_INFINITY, 0.7, 0.5]));
    assert!(boxes.insert(&[f64::NEG_INFINITY; 3]));
    assert!(boxes.is_empty());
    assert!(!boxes.insert(&[0.0; 3]));
    assert!(BoxDecomposition::new(&[0.0, f64::NAN]).is_err());
}
