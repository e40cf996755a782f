//! Proptest strategies for data as users bring it: constant, huge, tiny, repeated, with outliers.

use proptest::collection::vec;
use proptest::prelude::*;

/// A finite number of any size that occurs in practice, from 1e-300 to 1e300, zero included.
pub fn ugly_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0_f64,
        1 => Just(0.0),
        1 => (-300..=300_i32, prop_oneof![Just(-1.0), Just(1.0)])
            .prop_map(|(exponent, sign)| sign * 10_f64.powi(exponent)),
    ]
}

/// `n` finite outcomes: ordinary, constant, of two values, huge, tiny, with a 1e9 outlier, on a
/// large offset, or all of it at once.
pub fn ugly_column(n: usize) -> impl Strategy<Value = Vec<f64>> {
    let ordinary = move || vec(-3.0..3.0_f64, n);
    prop_oneof![
        3 => ordinary(),
        1 => ugly_number().prop_map(move |value| vec![value; n]),
        1 => (ugly_number(), ugly_number(), vec(any::<bool>(), n)).prop_map(|(a, b, which)| {
            which.into_iter().map(|first| if first { a } else { b }).collect()
        }),
        1 => ordinary().prop_map(|column| scaled(column, 1e300)),
        1 => ordinary().prop_map(|column| scaled(column, 1e-300)),
        1 => (ordinary(), any::<prop::sample::Index>()).prop_map(|(mut column, at)| {
            if !column.is_empty() {
                let at = at.index(column.len());
                column[at] = 1e9;
            }
            column
        }),
        1 => ordinary().prop_map(|column| column.into_iter().map(|y| 1e12 + y).collect()),
        1 => vec(ugly_number(), n),
    ]
}

/// An `n×d` matrix, row after row, whose columns are each ugly in their own way.
pub fn ugly_matrix(n: usize, d: usize) -> impl Strategy<Value = Vec<f64>> {
    vec(ugly_column(n), d).prop_map(move |columns| {
        (0..n)
            .flat_map(|row| columns.iter().map(move |column| column[row]))
            .collect()
    })
}

/// `n` points of the unit cube `[0, 1]^d`, row after row, with corners, duplicates and near-duplicates.
pub fn unit_points(n: usize, d: usize) -> impl Strategy<Value = Vec<f64>> {
    let coordinate =
        prop_oneof![6 => 0.0..=1.0_f64, 1 => Just(0.0), 1 => Just(0.5), 1 => Just(1.0)];
    let copy = prop_oneof![3 => Just(None), 1 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(Some)];
    (vec(coordinate, n * d), vec(copy, n)).prop_map(move |(mut points, copies)| {
        for (row, copy) in copies.into_iter().enumerate().skip(1) {
            let Some((of, nearly)) = copy else { continue };
            let of = of.index(row);
            for column in 0..d {
                let coordinate = points[of * d + column];
                let moved = if nearly {
                    (coordinate + 1e-10).min(1.0)
                } else {
                    coordinate
                };
                points[row * d + column] = moved;
            }
        }
        points
    })
}

/// The values of `inner` with one of them NaN or infinite, and where; `inner` must not be empty.
pub fn with_non_finite(
    inner: impl Strategy<Value = Vec<f64>>,
) -> impl Strategy<Value = (Vec<f64>, usize)> {
    let poison = prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)];
    (inner, any::<prop::sample::Index>(), poison).prop_map(|(mut values, at, poison)| {
        let at = at.index(values.len());
        values[at] = poison;
        (values, at)
    })
}

fn scaled(mut column: Vec<f64>, by: f64) -> Vec<f64> {
    for value in &mut column {
        *value *= by;
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn ugly_is_finite_and_of_the_right_size(column in ugly_column(7), matrix in ugly_matrix(5, 3)) {
            prop_assert_eq!(column.len(), 7);
            prop_assert_eq!(matrix.len(), 15);
            prop_assert!(column.iter().chain(&matrix).all(|value| value.is_finite()));
        }

        #[test]
        fn unit_points_lie_in_the_cube(points in unit_points(9, 2), none in unit_points(0, 3)) {
            prop_assert_eq!(points.len(), 18);
            prop_assert!(points.iter().all(|coord| (0.0..=1.0).contains(coord)));
            prop_assert!(none.is_empty());
        }

        #[test]
        fn exactly_the_named_entry_is_not_finite((values, at) in with_non_finite(ugly_column(4))) {
            let bad: Vec<_> = (0..4).filter(|&i| !values[i].is_finite()).collect();
            prop_assert_eq!(bad, vec![at]);
        }
    }
}
