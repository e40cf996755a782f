//! Algebraic properties of the factorisations on random matrices.

use proptest::prelude::*;
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, dot, exp_in_place, gram, matmul};

fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Mat<f64>> {
    proptest::collection::vec(-1.0..1.0_f64, rows * columns)
        .prop_map(move |v| Mat::from_fn(rows, columns, |i, j| v[j * rows + i]))
}

fn sized() -> impl Strategy<Value = Mat<f64>> {
    (1_usize..20).prop_flat_map(|n| matrix(n + 2, n))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn factor_times_its_transpose_is_the_matrix(a in sized()) {
        let g = gram(a.as_ref());
        let factor = JitteredCholesky::factorize(g.as_ref(), JitterPolicy::default()).unwrap();
        let back = factor.reconstruct();
        for i in 0..g.nrows() {
            for j in 0..g.nrows() {
                let expected = g[(i, j)] + if i == j { factor.jitter() } else { 0.0 };
                prop_assert!((back[(i, j)] - expected).abs() < 1e-11);
            }
        }
    }

    #[test]
    fn inverse_times_the_matrix_is_the_identity(a in sized()) {
        let mut g = gram(a.as_ref());
        let n = g.nrows();
        for i in 0..n {
            g[(i, i)] += 1.0;
        }
        let factor = JitteredCholesky::factorize(g.as_ref(), JitterPolicy::NONE).unwrap();
        let product = matmul(factor.inverse().as_ref(), g.as_ref());
        for i in 0..n {
            for j in 0..n {
                let expected = f64::from(u8::from(i == j));
                prop_assert!((product[(i, j)] - expected).abs() < 1e-11);
            }
        }
    }

    #[test]
    fn exponential_turns_sums_into_products(x in -300.0..300.0_f64, y in -300.0..300.0_f64) {
        let mut v = [x, y, x + y];
        exp_in_place(&mut v);
        prop_assert!((v[0] * v[1] / v[2] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn dot_is_the_sum_of_products(v in proptest::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64), 0..100)) {
        let naive: f64 = v.iter().map(|(a, b)| a * b).sum();
        let size: f64 = v.iter().map(|(a, b)| (a * b).abs()).sum();
        let (a, b): (Vec<f64>, Vec<f64>) = v.into_iter().unzip();
        prop_assert!((dot(&a, &b) - naive).abs() <= 1e-13 * size);
    }
}
