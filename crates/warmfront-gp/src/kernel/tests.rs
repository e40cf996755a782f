use warmfront_linalg::{Mat, symmetric_eigen};
use warmfront_testkit::check_gradient;

use super::*;

fn points(n: usize, d: usize) -> Mat<f64> {
    Mat::from_fn(n, d, |i, j| {
        let t = ((i * 37 + j * 101 + 11) as f64 * 0.618_033_988_749_895).fract();
        if i == 1 && n > 2 { 0.25 } else { t }
    })
}

const KINDS: [KernelKind; 2] = [KernelKind::Rbf, KernelKind::Matern52];

fn correlation(kind: KernelKind, squared: f64) -> f64 {
    let c = (5.0 * squared).sqrt();
    match kind {
        KernelKind::Rbf => (-0.5 * squared).exp(),
        KernelKind::Matern52 => (1.0 + c + c * c / 3.0) * (-c).exp(),
    }
}

#[test]
fn gram_and_cross_agree_with_the_formula() {
    for kind in KINDS {
        let kernel = ArdKernel::new(kind, vec![0.3, 1.2, 0.7], 1.7);
        let (a, b) = (points(9, 3), points(4, 3));
        let (gram, cross) = (
            kernel.gram(a.as_ref()),
            kernel.cross(a.as_ref(), b.as_ref()),
        );
        let mut strided = Mat::<f64>::zeros(4, 9);
        kernel.cross_into(
            &kernel.scale(a.as_ref()),
            &kernel.scale(b.as_ref()),
            strided.as_mut().transpose_mut(),
        );
        let mut column = vec![0.0; 9];
        let mut point = [0.0; 3];
        for j in 0..4 {
            kernel.scale_point(&[b[(j, 0)], b[(j, 1)], b[(j, 2)]], &mut point);
            kernel.column_into(&kernel.scale(a.as_ref()), &point, &mut column);
            for i in 0..9 {
                let r2: f64 = (0..3)
                    .map(|k| ((a[(i, k)] - b[(j, k)]) / kernel.lengthscales()[k]).powi(2))
                    .sum();
                let expected = 1.7 * correlation(kind, r2);
                assert!((cross[(i, j)] - expected).abs() < 1e-14);
                assert!((strided[(j, i)] - expected).abs() < 1e-14);
                assert!((column[i] - expected).abs() < 1e-14);
                assert!((gram[(i, i)] - 1.7).abs() < 1e-15);
                assert!((gram[(i, j)] - gram[(j, i)]).abs() < 1e-300);
            }
        }
    }
}

#[test]
fn hyperparameter_gradients_agree_with_differences() {
    for kind in KINDS {
        let x = points(7, 2);
        let weights = Mat::from_fn(7, 7, |i, j| ((i + j) as f64).sin() + (i * j) as f64 * 0.1);
        let at = |log: &[f64]| {
            let kernel = ArdKernel::new(kind, vec![log[0].exp(), log[1].exp()], log[2].exp());
            let k = kernel.gram(x.as_ref());
            let mut sum = 0.0;
            for i in 0..7 {
                for j in 0..7 {
                    sum += weights[(i, j)] * k[(i, j)];
                }
            }
            sum
        };
        let log: [f64; 3] = [-0.4, 0.3, 0.2];
        let kernel = ArdKernel::new(kind, vec![log[0].exp(), log[1].exp()], log[2].exp());
        let mut gram = KernelGram::new(kind, 7, 2);
        gram.update(&kernel, x.as_ref());
        let mut gradient = vec![0.0; 2];
        gram.add_lengthscale_gradient(weights.as_ref(), &mut gradient);
        gradient.push(gram.inner_product(weights.as_ref()));
        check_gradient(at, &gradient, &log, 1e-8);
    }
}

#[test]
fn input_gradients_agree_with_differences_also_at_a_data_point() {
    for kind in KINDS {
        let kernel = ArdKernel::new(kind, vec![0.4, 0.9], 1.3);
        let data = points(6, 2);
        let weights = [1.0, -2.0, 0.5, 0.3, -0.7, 2.0];
        let at = |x: &[f64]| {
            let query = Mat::from_fn(1, 2, |_, k| x[k]);
            let k = kernel.cross(data.as_ref(), query.as_ref());
            (0..6).map(|i| weights[i] * k[(i, 0)]).sum::<f64>()
        };
        for x in [[0.3, 0.8], [data[(3, 0)], data[(3, 1)]]] {
            let mut scaled = [0.0; 2];
            kernel.scale_point(&x, &mut scaled);
            let mut gradient = [0.0; 2];
            kernel.add_input_gradient(
                &kernel.scale(data.as_ref()),
                &scaled,
                &mut weights.to_vec(),
                &mut gradient,
            );
            check_gradient(at, &gradient, &x, 1e-5);
        }
    }
}

#[test]
fn gram_matrices_are_positive_semidefinite() {
    for kind in KINDS {
        for l in [0.01, 0.3, 30.0] {
            let kernel = ArdKernel::new(kind, vec![l; 3], 1.0);
            let eigen = symmetric_eigen(kernel.gram(points(30, 3).as_ref()).as_ref()).unwrap();
            assert!(eigen.values[0] > -1e-13, "{}", eigen.values[0]);
        }
    }
}
