//! Properties on random sets, many of them with ties.

use proptest::prelude::*;
use warmfront_pareto::{
    BoxDecomposition, Duplicates, Front, Points, additive_epsilon, contributions, dominates,
    hypervolume, hypervolume_improvement, igd, igd_plus, non_dominated, non_dominated_mask,
    non_dominated_sort, weakly_dominates,
};

/// Up to `n` points of 1 to `m` objectives: smooth values, values on a coarse
/// grid (ties, repetitions), or a mixture with extremes.
fn sets(m: usize, n: usize) -> impl Strategy<Value = (usize, Vec<f64>)> {
    let value = |kind: u8| match kind {
        0 => (0.0..1.0f64).boxed(),
        1 => (0..4u8).prop_map(|v| f64::from(v) / 4.0).boxed(),
        _ => prop_oneof![
            0.0..1.0f64,
            Just(0.0),
            Just(-0.0),
            Just(1e-300),
            Just(f64::INFINITY),
            Just(1e300)
        ]
        .boxed(),
    };
    (1..=m, 0..=n, 0..3u8)
        .prop_flat_map(move |(m, n, kind)| (Just(m), prop::collection::vec(value(kind), m * n)))
}

fn permuted(data: &[f64], m: usize) -> Vec<f64> {
    data.chunks_exact(m).rev().flatten().copied().collect()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a <= b && b <= a || (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

/// Volume by the grid that the coordinates span: exponential in `m`, but
/// without any idea in common with the algorithms.
fn grid_volume(data: &[f64], m: usize, reference: &[f64]) -> f64 {
    let axes: Vec<Vec<f64>> = (0..m)
        .map(|k| {
            let mut axis: Vec<f64> = data
                .chunks_exact(m)
                .map(|p| p[k])
                .filter(|v| *v < reference[k])
                .collect();
            axis.push(reference[k]);
            axis.sort_by(f64::total_cmp);
            axis.dedup();
            axis
        })
        .collect();
    let mut cell = vec![0usize; m];
    let mut volume = 0.0;
    'cells: loop {
        if (0..m).all(|k| cell[k] + 1 < axes[k].len()) {
            let corner: Vec<f64> = (0..m).map(|k| axes[k][cell[k]]).collect();
            if data.chunks_exact(m).any(|p| weakly_dominates(p, &corner)) {
                volume += (0..m)
                    .map(|k| axes[k][cell[k] + 1] - corner[k])
                    .product::<f64>();
            }
        }
        for k in 0..m {
            cell[k] += 1;
            if cell[k] + 1 < axes[k].len() {
                continue 'cells;
            }
            cell[k] = 0;
        }
        return volume;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mask_is_the_definition((m, data) in sets(8, 30)) {
        let points = Points::new(&data, m).unwrap();
        let n = points.len();
        let rows: Vec<&[f64]> = points.rows().collect();
        let all: Vec<bool> = (0..n).map(|i| !rows.iter().any(|q| dominates(q, rows[i]))).collect();
        prop_assert_eq!(&non_dominated_mask(points, Duplicates::KeepAll), &all);
        let first: Vec<bool> = (0..n).map(|i| all[i] && !rows[..i].contains(&rows[i])).collect();
        prop_assert_eq!(&non_dominated_mask(points, Duplicates::KeepFirst), &first);
        let indices: Vec<usize> = (0..n).filter(|&i| first[i]).collect();
        prop_assert_eq!(&non_dominated(points), &indices);
        let mut front = Front::new(m);
        for row in &rows {
            front.insert(row);
        }
        prop_assert_eq!(front.ids(), &indices[..]);
        let at_once = Front::from_points(points);
        prop_assert_eq!(front.points(), at_once.points());
    }

    #[test]
    fn ranks_are_layers_of_non_dominated_points((m, data) in sets(8, 40)) {
        let points = Points::new(&data, m).unwrap();
        let ranks = non_dominated_sort(points);
        let mut left: Vec<usize> = (0..points.len()).collect();
        let mut rank = 0;
        while !left.is_empty() {
            let layer: Vec<usize> = left
                .iter()
                .copied()
                .filter(|&i| !left.iter().any(|&j| dominates(points.row(j), points.row(i))))
                .collect();
            for &i in &layer {
                prop_assert_eq!(ranks[i], rank);
            }
            left.retain(|i| !layer.contains(i));
            rank += 1;
        }
    }

    #[test]
    fn hypervolume_is_that_of_the_grid((m, data) in sets(5, 7)) {
        let reference = vec![0.9; m];
        let points = Points::new(&data, m).unwrap();
        let expected = grid_volume(&data, m, &reference);
        let found = hypervolume(points, &reference);
        prop_assert!(close(found, expected, 1e-12), "{found} instead of {expected}");
        let boxes = BoxDecomposition::from_points(points, &reference).unwrap();
        prop_assert!(close(boxes.hypervolume(), expected, 1e-12));
    }

    #[test]
    fn hypervolume_does_not_depend_on_the_order((m, data) in sets(8, 20)) {
        let reference = vec![0.95; m];
        let there = hypervolume(Points::new(&data, m).unwrap(), &reference);
        let back = permuted(&data, m);
        let again = hypervolume(Points::new(&back, m).unwrap(), &reference);
        prop_assert!(close(there, again, 1e-12), "{there} and {again}");
        // Nor on the order of the objectives.
        let turned: Vec<f64> = data.chunks_exact(m).flat_map(|p| p.iter().rev()).copied().collect();
        let turned = hypervolume(Points::new(&turned, m).unwrap(), &reference);
        prop_assert!(close(there, turned, 1e-12), "{there} and {turned}");
    }

    #[test]
    fn hypervolume_grows_with_points((m, mut data) in sets(7, 12), extra in prop::collection::vec(0.0..1.2f64, 7)) {
        let reference = vec![1.0; m];
        let before = hypervolume(Points::new(&data, m).unwrap(), &reference);
        data.extend(&extra[..m]);
        let after = hypervolume(Points::new(&data, m).unwrap(), &reference);
        prop_assert!(after >= before * (1.0 - 1e-13));
        let alone = hypervolume(Points::new(&extra[..m], m).unwrap(), &reference);
        prop_assert!(after <= (before + alone) * (1.0 + 1e-13));
    }

    #[test]
    fn hypervolume_scales_exactly_with_powers_of_two((m, data) in sets(7, 12), powers in prop::collection::vec(-60..60i32, 7)) {
        // Multiples of 2⁻²⁰, so that nothing is rounded before the volume.
        let data: Vec<f64> = data.iter().map(|v| (v.min(1.0) * 1_048_576.0).floor() / 1_048_576.0).collect();
        let factor = |k: usize| 2f64.powi(powers[k % m]);
        let scaled: Vec<f64> = data.iter().enumerate().map(|(i, v)| v * factor(i)).collect();
        let reference = vec![0.75; m];
        let scaled_reference: Vec<f64> = (0..m).map(|k| 0.75 * factor(k)).collect();
        let total: f64 = (0..m).map(factor).product();
        let plain = hypervolume(Points::new(&data, m).unwrap(), &reference);
        let found = hypervolume(Points::new(&scaled, m).unwrap(), &scaled_reference);
        prop_assert!(close(found, plain * total, 0.0), "{found} and {}", plain * total);
    }

    #[test]
    fn one_more_constant_objective_changes_nothing((m, data) in sets(7, 15)) {
        let volume = hypervolume(Points::new(&data, m).unwrap(), &vec![0.9; m]);
        for at in [0, m] {
            let mut wide = Vec::new();
            for p in data.chunks_exact(m) {
                let mut p = p.to_vec();
                p.insert(at, 0.25);
                wide.extend(p);
            }
            let mut reference = vec![0.9; m];
            reference.insert(at, 0.75);
            let found = hypervolume(Points::new(&wide, m + 1).unwrap(), &reference);
            prop_assert!(close(found, 0.5 * volume, 1e-12), "{found} and {}", 0.5 * volume);
        }
    }

    #[test]
    fn hypervolume_is_modular((m, data) in sets(6, 8)) {
        prop_assume!(m >= 2);
        // What two regions share is dominated by the componentwise maxima.
        let reference = vec![2.0; m];
        let mut left = data.clone();
        let mut right = data;
        left.chunks_exact_mut(m).for_each(|p| p[0] = 1.0 + p[0].min(1.0) / 2.0);
        right.chunks_exact_mut(m).for_each(|p| p[1] = 1.0 + p[1].min(1.0) / 2.0);
        let both: Vec<f64> = left.iter().chain(&right).copied().collect();
        let shared: Vec<f64> = left
            .chunks_exact(m)
            .flat_map(|a| right.chunks_exact(m).map(move |b| (a, b)))
            .flat_map(|(a, b)| a.iter().zip(b).map(|(x, y)| x.max(*y)).collect::<Vec<_>>())
            .collect();
        let volume = |set: &[f64]| hypervolume(Points::new(set, m).unwrap(), &reference);
        let sum = volume(&both) + volume(&shared);
        let expected = volume(&left) + volume(&right);
        prop_assert!(close(sum, expected, 1e-12), "{sum} and {expected}");
    }

    #[test]
    fn indicators_respect_dominance((m, data) in sets(4, 20), gain in 0.0..1.0f64) {
        prop_assume!(!data.is_empty() && data.iter().all(|v| *v <= 1.0));
        let better: Vec<f64> = data.iter().map(|v| v - gain).collect();
        let reference: Vec<f64> = (0..m).map(|k| if k == 0 { 0.5 } else { 0.0 }).collect();
        let reference = Points::new(&reference, m).unwrap();
        let (points, better) = (Points::new(&data, m).unwrap(), Points::new(&better, m).unwrap());
        prop_assert!(igd_plus(better, reference) <= igd_plus(points, reference));
        prop_assert!(additive_epsilon(better, reference) <= additive_epsilon(points, reference) - gain + 1e-12);
    }

    #[test]
    fn contributions_are_differences_of_hypervolumes((m, data) in sets(7, 14)) {
        let reference = vec![0.9; m];
        let points = Points::new(&data, m).unwrap();
        let total = hypervolume(points, &reference);
        let found = contributions(points, &reference);
        for i in 0..points.len() {
            let mut others = data.clone();
            others.drain(i * m..(i + 1) * m);
            let others = Points::new(&others, m).unwrap();
            let expected = total - hypervolume(others, &reference);
            prop_assert!((found[i] - expected).abs() <= 1e-13, "{} instead of {expected}", found[i]);
            let covered = others.rows().any(|a| weakly_dominates(a, points.row(i)));
            prop_assert!(!covered || found[i] <= 0.0);
            let improvement = hypervolume_improvement(others, points.row(i), &reference);
            prop_assert!((improvement - expected).abs() <= 1e-13);
        }
    }

    #[test]
    fn nothing_panics_on_any_float(m in 1..7usize, data in prop::collection::vec(prop_oneof![
        any::<f64>(), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e300), Just(-1e300), -1.0..1.0f64
    ], 0..60), bound in prop_oneof![any::<f64>(), Just(f64::INFINITY), Just(1.0)]) {
        let data: Vec<f64> = data.into_iter().filter(|v| !v.is_nan()).collect();
        let data = &data[..data.len() / m * m];
        let points = Points::new(data, m).unwrap();
        let reference = vec![bound; m];
        let volume = hypervolume(points, &reference);
        prop_assert!(volume >= 0.0 || bound.is_nan(), "{volume}");
        for c in contributions(points, &reference) {
            prop_assert!(c >= 0.0 || bound.is_nan(), "{c}");
        }
        let boxes = BoxDecomposition::from_points(points, &reference);
        prop_assert_eq!(boxes.is_err(), bound.is_nan());
        non_dominated_sort(points);
        if let Ok(r) = warmfront_pareto::reference::infer(points) {
            prop_assert!(r.iter().all(|r| r.is_finite()));
        }
    }

    #[test]
    fn indicators_are_their_definitions(
        m in 1..5usize,
        a in prop::collection::vec(-1.0..1.0f64, 4..80),
        r in prop::collection::vec(-1.0..1.0f64, 4..80),
    ) {
        let (a, r) = (&a[..a.len() / m * m], &r[..r.len() / m * m]);
        let (a, r) = (Points::new(a, m).unwrap(), Points::new(r, m).unwrap());
        let differences = |q: &[f64], p: &[f64]| -> Vec<f64> { p.iter().zip(q).map(|(p, q)| p - q).collect() };
        let nearest = |q: &[f64], of: &dyn Fn(&[f64]) -> f64| {
            a.rows().map(|p| of(&differences(q, p))).fold(f64::INFINITY, f64::min)
        };
        let mean = |of: &dyn Fn(&[f64]) -> f64| r.rows().map(|q| nearest(q, of)).sum::<f64>() / r.len() as f64;
        let norm = |d: &[f64]| d.iter().map(|d| d * d).sum::<f64>().sqrt();
        let excess = |d: &[f64]| d.iter().map(|d| d.max(0.0).powi(2)).sum::<f64>().sqrt();
        prop_assert!(close(igd(a, r), mean(&norm), 1e-13));
        prop_assert!(close(igd_plus(a, r), mean(&excess), 1e-13));
        let most = |d: &[f64]| d.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let epsilon = r.rows().map(|q| nearest(q, &most)).fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(close(additive_epsilon(a, r), epsilon, 0.0));
    }
}
