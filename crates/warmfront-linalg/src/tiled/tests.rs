use super::*;
use crate::{
    JitterPolicy, JitteredCholesky, LinalgError, lower_matmul, lower_matmul_square_norms,
    lower_transpose_matmul, solve_lower_in_place, solve_lower_transpose_in_place,
    symmetric_squared_distances,
};

/// One below the threshold, at it, whole tiles, and tiles with rests of some and of one row.
const SIZES: [usize; 5] = [LARGE - 1, LARGE, 3 * TILE, 4 * TILE + 1, 450];

fn wave(rows: usize, columns: usize) -> Mat<f64> {
    Mat::from_fn(rows, columns, |i, j| ((i * 13 + j * 7) as f64).sin())
}

fn positive_definite(n: usize) -> Mat<f64> {
    let x = Mat::from_fn(n, 2, |i, k| ((i * (k + 3)) as f64 * 0.377).fract());
    let mut a = symmetric_squared_distances(x.as_ref(), &[2.0, 3.0]);
    for j in 0..n {
        crate::rbf_in_place(a.col_as_slice_mut(j), 1.5);
        a[(j, j)] += 1e-2;
    }
    a
}

fn lower(n: usize) -> Mat<f64> {
    Mat::from_fn(n, n, |i, j| match i.cmp(&j) {
        // Never read.
        std::cmp::Ordering::Less => f64::NAN,
        std::cmp::Ordering::Equal => 2.0 + (i % 3) as f64,
        std::cmp::Ordering::Greater => ((i * 3 + j) as f64).sin() / n as f64,
    })
}

fn on_threads<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(run)
}

fn bits(a: MatRef<'_, f64>) -> Vec<u64> {
    a.col_iter()
        .flat_map(|c| c.iter().map(|v| v.to_bits()).collect::<Vec<_>>())
        .collect()
}

fn lower_bits(a: MatRef<'_, f64>) -> Vec<u64> {
    (0..a.ncols())
        .flat_map(|j| (j..a.nrows()).map(move |i| a[(i, j)].to_bits()))
        .collect()
}

fn assert_lower_close(a: MatRef<'_, f64>, b: MatRef<'_, f64>, tolerance: f64) {
    for j in 0..a.ncols() {
        for i in j..a.nrows() {
            let (u, v) = (a[(i, j)], b[(i, j)]);
            assert!(
                (u - v).abs() <= tolerance * v.abs().max(1.0),
                "entry {i},{j} of {}: {u} and {v}",
                a.nrows()
            );
        }
    }
}

/// Everything that runs in tiles, as bits.
fn results(n: usize) -> Vec<Vec<u64>> {
    let a = positive_definite(n);
    let factor = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default()).unwrap();
    let inverse = factor.inverse();
    let l = lower(n);
    let b = wave(n, 300);
    let mut all = vec![
        bits(a.as_ref()),
        lower_bits(factor.factor()),
        bits(inverse.as_ref()),
        lower_bits(factor.inverse_factor().as_ref()),
        bits(crate::matmul(b.transpose(), inverse.as_ref()).as_ref()),
    ];
    let mut out = b.clone();
    lower_matmul(out.as_mut(), l.as_ref(), b.as_ref());
    all.push(bits(out.as_ref()));
    lower_transpose_matmul(out.as_mut(), l.as_ref(), b.as_ref());
    all.push(bits(out.as_ref()));
    solve_lower_in_place(l.as_ref(), out.as_mut());
    solve_lower_transpose_in_place(l.as_ref(), out.as_mut());
    all.push(bits(out.as_ref()));
    let norms = lower_matmul_square_norms(l.as_ref(), b.as_ref());
    all.push(norms.iter().map(|v| v.to_bits()).collect());
    all
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    for n in SIZES {
        let one = on_threads(1, || results(n));
        for threads in [2, 5] {
            assert!(
                one == on_threads(threads, || results(n)),
                "{n} rows on {threads} threads"
            );
        }
    }
}

#[test]
fn factors_and_inverses_agree_with_the_untiled_ones() {
    for n in SIZES {
        let a = positive_definite(n);
        let mut tiled = a.clone();
        tiled_cholesky(tiled.as_mut()).unwrap();
        let mut whole = a.clone();
        untiled_cholesky(whole.as_mut()).unwrap();
        assert_lower_close(tiled.as_ref(), whole.as_ref(), 1e-12);

        let l = lower(n);
        // Above the diagonal stands what must be neither read nor written.
        let mut inverse = Mat::from_fn(n, n, |_, _| f64::NAN);
        invert_lower(inverse.as_mut(), l.as_ref());
        assert!(inverse[(0, 1)].is_nan() && inverse[(n - 2, n - 1)].is_nan());
        let mut expected = Mat::zeros(n, n);
        invert_lower_triangular(expected.as_mut(), l.as_ref(), Par::Seq);
        assert_lower_close(inverse.as_ref(), expected.as_ref(), 1e-13);
        let mut product = Mat::from_fn(n, n, |_, _| f64::NAN);
        lower_gram(product.as_mut(), inverse.as_ref());
        let whole = crate::gram(expected.as_ref());
        assert_lower_close(product.as_ref(), whole.as_ref(), 1e-13);
    }
}

#[test]
fn products_agree_with_the_definition() {
    let n = LARGE + 37;
    let l = lower(n);
    let whole = Mat::from_fn(n, n, |i, j| if i < j { 0.0 } else { l[(i, j)] });
    for p in [1, 2, PRODUCT_TILE + 3] {
        let b = wave(n, p);
        let entry = |transposed: bool, i: usize, j: usize| -> f64 {
            let at = |k| {
                if transposed {
                    whole[(k, i)]
                } else {
                    whole[(i, k)]
                }
            };
            (0..n).map(|k| at(k) * b[(k, j)]).sum()
        };
        let (mut out, mut back) = (b.clone(), b.clone());
        lower_product(out.as_mut(), l.as_ref(), b.as_ref());
        lower_transpose_product(back.as_mut(), l.as_ref(), b.as_ref());
        let mut full = b.clone();
        product(full.as_mut(), Accum::Add, whole.as_ref(), b.as_ref(), -2.0);
        let norms = lower_product_square_norms(l.as_ref(), b.as_ref());
        for j in 0..p {
            let mut norm = 0.0;
            for i in 0..n {
                let e = entry(false, i, j);
                norm += e * e;
                assert!((out[(i, j)] - e).abs() < 1e-11);
                assert!((full[(i, j)] - (b[(i, j)] - 2.0 * e)).abs() < 1e-11);
                assert!((back[(i, j)] - entry(true, i, j)).abs() < 1e-11);
            }
            assert!((norms[j] - norm).abs() < 1e-9 * norm);
        }
        lower_product(out.as_mut(), l.as_ref(), b.as_ref());
        solve_lower_in_place(l.as_ref(), out.as_mut());
        solve_lower_transpose_in_place(l.as_ref(), back.as_mut());
        for j in 0..p {
            for i in 0..n {
                assert!((out[(i, j)] - b[(i, j)]).abs() < 1e-11);
                assert!((back[(i, j)] - b[(i, j)]).abs() < 1e-11);
            }
        }
    }
}

#[test]
fn a_pivot_that_is_not_positive_is_found_in_any_tile() {
    let n = 2 * LARGE;
    for index in [0, TILE - 1, TILE, 3 * TILE + 5, n - 1] {
        let mut a = positive_definite(n);
        a[(index, index)] = -1.0;
        assert_eq!(cholesky(a.clone().as_mut()), Err(index));
        let failed = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default());
        let last = JitterPolicy::default().first * 1e6;
        let mean = (0..n).map(|i| a[(i, i)].abs()).sum::<f64>() / n as f64;
        match failed {
            Err(LinalgError::NotPositiveDefinite {
                size,
                index: at,
                jitter,
            }) => {
                assert_eq!((size, at), (n, index));
                assert!((jitter - last * mean).abs() < 1e-12 * jitter);
            }
            other => panic!("{other:?}"),
        }
        a[(index, index)] = f64::NAN;
        match JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default()) {
            Err(LinalgError::NotFinite { row, column, .. }) => {
                assert_eq!((row, column), (index, index));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn jitter_is_what_the_untiled_factorisation_needs() {
    // The unit matrix but for two points that are nearly the same, in different tiles: by 3e-7 too near.
    for n in [LARGE - 1, LARGE, 2 * LARGE + 1] {
        let mut a = Mat::<f64>::identity(n, n);
        let (i, j) = (n - 3, 5);
        a[(i, j)] = 1.0 + 3e-7;
        a[(j, i)] = a[(i, j)];
        let factor = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default()).unwrap();
        assert!(
            (factor.jitter() - 1e-6).abs() < 1e-15,
            "{}",
            factor.jitter()
        );
        assert!((factor.reconstruct()[(i, j)] - a[(i, j)]).abs() < 1e-12);
    }
}
