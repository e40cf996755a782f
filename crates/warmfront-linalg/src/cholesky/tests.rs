use super::*;
use crate::matmul::{gram, matmul};

fn positive_definite(n: usize) -> Mat<f64> {
    let a = Mat::from_fn(n + 3, n, |i, j| ((i * 13 + j * 7) as f64).sin());
    let mut g = gram(a.as_ref());
    for i in 0..n {
        g[(i, i)] += 0.5;
    }
    g
}

fn assert_close(a: &Mat<f64>, b: &Mat<f64>, tolerance: f64) {
    assert_eq!((a.nrows(), a.ncols()), (b.nrows(), b.ncols()));
    for i in 0..a.nrows() {
        for j in 0..a.ncols() {
            assert!(
                (a[(i, j)] - b[(i, j)]).abs() <= tolerance,
                "entry {i},{j}: {} and {}",
                a[(i, j)],
                b[(i, j)]
            );
        }
    }
}

#[test]
fn factor_inverse_solve_and_determinant() {
    for n in [0, 1, 2, 16, 63, 64, 65, 130] {
        let a = positive_definite(n);
        // The upper triangle must not be read.
        let poisoned = Mat::from_fn(n, n, |i, j| if i >= j { a[(i, j)] } else { f64::NAN });
        let factor =
            JitteredCholesky::factorize(poisoned.as_ref(), JitterPolicy::default()).unwrap();
        assert!(factor.jitter().abs() < 1e-300);
        assert_close(&factor.reconstruct(), &a, 1e-10);
        let identity = Mat::<f64>::identity(n, n);
        assert_close(
            &matmul(factor.inverse().as_ref(), a.as_ref()),
            &identity,
            1e-8,
        );
        let mut solved = a.clone();
        factor.solve_in_place(solved.as_mut());
        assert_close(&solved, &identity, 1e-8);
        let mut slice: Vec<f64> = (0..n).map(|i| a[(i, 0)]).collect();
        factor.solve_slice_in_place(&mut slice);
        for (i, v) in slice.iter().enumerate() {
            assert!((v - f64::from(u8::from(i == 0))).abs() < 1e-8);
        }
        let mut both = a.clone();
        factor.solve_lower_in_place(both.as_mut());
        factor.solve_upper_in_place(both.as_mut());
        assert_close(&both, &identity, 1e-8);
        let l_inverse = factor.inverse_factor();
        assert_close(&gram(l_inverse.as_ref()), &factor.inverse(), 1e-10);
    }
    let known = Mat::from_fn(2, 2, |i, j| if i == j { 4.0 } else { 2.0 });
    let factor = JitteredCholesky::factorize(known.as_ref(), JitterPolicy::NONE).unwrap();
    assert!((factor.log_det() - 12.0_f64.ln()).abs() < 1e-14);
}

#[test]
fn singular_matrices_climb_the_ladder_and_say_so() {
    for n in [2, 10, 70] {
        let a = Mat::from_fn(n, n, |i, j| {
            3.0 * ((i % 2) as f64 - 0.5) * ((j % 2) as f64 - 0.5)
        });
        let policy = JitterPolicy::default();
        let factor = JitteredCholesky::factorize(a.as_ref(), policy).unwrap();
        let relative = factor.jitter() / 0.75;
        assert!(
            (1e-10 - 1e-20..=1e-4 + 1e-10).contains(&relative),
            "{relative}"
        );
        let mut expected = a.clone();
        for i in 0..n {
            expected[(i, i)] += factor.jitter();
        }
        assert_close(&factor.reconstruct(), &expected, 1e-12);
    }
}

#[test]
fn indefinite_and_non_finite_matrices_are_errors() {
    let mut a = Mat::<f64>::identity(3, 3);
    a[(1, 1)] = -1.0;
    let error = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default()).unwrap_err();
    assert!(
        matches!(error, LinalgError::NotPositiveDefinite { size: 3, index: 1, jitter } if jitter > 9e-5)
    );
    a[(1, 1)] = 1.0;
    a[(2, 0)] = f64::NAN;
    let error = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default()).unwrap_err();
    assert!(
        matches!(
            error,
            LinalgError::NotFinite {
                size: 3,
                row: 2,
                column: 0,
                ..
            }
        ),
        "{error}"
    );
    a[(2, 0)] = 0.0;
    a[(2, 2)] = f64::INFINITY;
    let error = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default()).unwrap_err();
    assert!(
        matches!(
            error,
            LinalgError::NotFinite {
                row: 2,
                column: 2,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn appended_rows_equal_a_new_factorisation() {
    for (n, p) in [(0, 1), (0, 3), (1, 1), (5, 2), (63, 1), (64, 4)] {
        let a = positive_definite(n + p);
        let old = JitteredCholesky::factorize(a.as_ref().submatrix(0, 0, n, n), JitterPolicy::NONE)
            .unwrap();
        let grown = old
            .append_rows(
                a.as_ref().submatrix(n, 0, p, n),
                a.as_ref().submatrix(n, n, p, p),
                JitterPolicy::NONE,
            )
            .unwrap();
        assert_close(&grown.reconstruct(), &a, 1e-10);
    }
}

#[test]
fn appending_a_duplicate_row_adds_jitter() {
    // 4 and its root are exact, so the last pivot is exactly zero.
    let a = Mat::from_fn(2, 2, |i, j| if i == j { 4.0 } else { 0.0 });
    let old = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::NONE).unwrap();
    let (cross, corner) = (
        a.as_ref().submatrix(1, 0, 1, 2),
        a.as_ref().submatrix(1, 1, 1, 1),
    );
    assert!(old.append_rows(cross, corner, JitterPolicy::NONE).is_err());
    let grown = old
        .append_rows(cross, corner, JitterPolicy::default())
        .unwrap();
    assert_eq!(grown.dim(), 3);
    assert!(grown.jitter() > 0.0 && grown.jitter() <= 4e-4);
    let whole = grown.reconstruct();
    for i in 0..3 {
        assert!((whole[(i, i)] - 4.0 - grown.jitter()).abs() < 1e-14);
    }
    assert!((whole[(2, 1)] - 4.0).abs() < 1e-14 && whole[(2, 0)].abs() < 1e-14);
}

#[test]
fn appending_what_is_no_number_is_an_error() {
    let a = positive_definite(3);
    let old = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::NONE).unwrap();
    let cross = Mat::from_fn(1, 3, |_, j| if j == 1 { f64::NAN } else { 0.0 });
    let corner = Mat::from_fn(1, 1, |_, _| 1.0);
    let error = old
        .append_rows(cross.as_ref(), corner.as_ref(), JitterPolicy::default())
        .unwrap_err();
    assert!(matches!(error, LinalgError::NotFinite { .. }), "{error}");
}

#[test]
fn storage_is_reused_across_sizes() {
    let mut factor =
        JitteredCholesky::factorize(positive_definite(5).as_ref(), JitterPolicy::NONE).unwrap();
    for n in [5, 3, 9] {
        let a = positive_definite(n);
        factor.refactorize(a.as_ref(), JitterPolicy::NONE).unwrap();
        assert_close(&factor.reconstruct(), &a, 1e-10);
    }
    let rebuilt = JitteredCholesky::from_lower(factor.factor().to_owned(), 0.0);
    assert!((rebuilt.log_det() - factor.log_det()).abs() < 1e-14);
}
