//! The textbook functions of the comparison, with their gradients.

pub(super) type Function = fn(&[f64], &mut [f64]) -> f64;

pub(super) fn by_name(name: &str) -> Function {
    match name {
        "rosenbrock" => rosenbrock,
        "beale" => beale,
        "powell_singular" => powell_singular,
        "wood" => wood,
        "quadratic" => quadratic,
        "styblinski_tang" => styblinski_tang,
        "brown" => brown,
        "dixon_price" => dixon_price,
        "hs3" => hs3,
        "hs4" => hs4,
        "hs5" => hs5,
        "hs45" => hs45,
        "hs110" => hs110,
        _ => panic!("no function {name}"),
    }
}

fn rosenbrock(x: &[f64], g: &mut [f64]) -> f64 {
    g.fill(0.0);
    let mut f = 0.0;
    for i in 0..x.len() - 1 {
        let (t, u) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
        f += 100.0 * t * t + u * u;
        g[i] += -400.0 * x[i] * t - 2.0 * u;
        g[i + 1] += 200.0 * t;
    }
    f
}

fn beale(x: &[f64], g: &mut [f64]) -> f64 {
    g.fill(0.0);
    let mut f = 0.0;
    for (i, e) in [(1, 1.5), (2, 2.25), (3, 2.625)] {
        let r = e - x[0] * (1.0 - x[1].powi(i));
        f += r * r;
        g[0] -= 2.0 * r * (1.0 - x[1].powi(i));
        g[1] += 2.0 * r * x[0] * f64::from(i) * x[1].powi(i - 1);
    }
    f
}

fn powell_singular(x: &[f64], g: &mut [f64]) -> f64 {
    let (p, q) = (x[0] + 10.0 * x[1], x[2] - x[3]);
    let (r, s) = (x[1] - 2.0 * x[2], x[0] - x[3]);
    g[0] = 2.0 * p + 40.0 * s.powi(3);
    g[1] = 20.0 * p + 4.0 * r.powi(3);
    g[2] = 10.0 * q - 8.0 * r.powi(3);
    g[3] = -10.0 * q - 40.0 * s.powi(3);
    p * p + 5.0 * q * q + r.powi(4) + 10.0 * s.powi(4)
}

fn wood(x: &[f64], g: &mut [f64]) -> f64 {
    let (t, u) = (x[1] - x[0] * x[0], x[3] - x[2] * x[2]);
    let (p, q) = (x[1] - 1.0, x[3] - 1.0);
    g[0] = -400.0 * x[0] * t - 2.0 * (1.0 - x[0]);
    g[1] = 200.0 * t + 20.2 * p + 19.8 * q;
    g[2] = -360.0 * x[2] * u - 2.0 * (1.0 - x[2]);
    g[3] = 180.0 * u + 20.2 * q + 19.8 * p;
    100.0 * t * t
        + (1.0 - x[0]).powi(2)
        + 90.0 * u * u
        + (1.0 - x[2]).powi(2)
        + 10.1 * (p * p + q * q)
        + 19.8 * p * q
}

fn quadratic(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len() as f64;
    let sum: f64 = x.iter().sum();
    let mut f = 0.5 * sum * sum / n;
    for i in 0..x.len() {
        let k = (i + 1) as f64;
        let r = x[i] - k / 5.0;
        f += k * r * r;
        g[i] = 2.0 * k * r + sum / n;
    }
    f
}

fn styblinski_tang(x: &[f64], g: &mut [f64]) -> f64 {
    let mut f = 0.0;
    for i in 0..x.len() {
        f += 0.5 * (x[i].powi(4) - 16.0 * x[i] * x[i] + 5.0 * x[i]);
        g[i] = 0.5 * (4.0 * x[i].powi(3) - 32.0 * x[i] + 5.0);
    }
    f
}

fn brown(x: &[f64], g: &mut [f64]) -> f64 {
    let (p, q, r) = (x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0);
    g[0] = 2.0 * p + 2.0 * r * x[1];
    g[1] = 2.0 * q + 2.0 * r * x[0];
    p * p + q * q + r * r
}

fn dixon_price(x: &[f64], g: &mut [f64]) -> f64 {
    g.fill(0.0);
    let mut f = (x[0] - 1.0).powi(2);
    g[0] = 2.0 * (x[0] - 1.0);
    for i in 1..x.len() {
        let k = (i + 1) as f64;
        let r = 2.0 * x[i] * x[i] - x[i - 1];
        f += k * r * r;
        g[i] += 8.0 * k * r * x[i];
        g[i - 1] -= 2.0 * k * r;
    }
    f
}

fn hs3(x: &[f64], g: &mut [f64]) -> f64 {
    let d = x[1] - x[0];
    g[0] = -2e-5 * d;
    g[1] = 1.0 + 2e-5 * d;
    x[1] + 1e-5 * d * d
}

fn hs4(x: &[f64], g: &mut [f64]) -> f64 {
    g[0] = (x[0] + 1.0).powi(2);
    g[1] = 1.0;
    (x[0] + 1.0).powi(3) / 3.0 + x[1]
}

fn hs5(x: &[f64], g: &mut [f64]) -> f64 {
    let (s, d) = (x[0] + x[1], x[0] - x[1]);
    g[0] = s.cos() + 2.0 * d - 1.5;
    g[1] = s.cos() - 2.0 * d + 2.5;
    s.sin() + d * d - 1.5 * x[0] + 2.5 * x[1] + 1.0
}

fn hs45(x: &[f64], g: &mut [f64]) -> f64 {
    for i in 0..x.len() {
        let others: f64 = (0..x.len()).filter(|j| *j != i).map(|j| x[j]).product();
        g[i] = -others / 120.0;
    }
    2.0 - x.iter().product::<f64>() / 120.0
}

fn hs110(x: &[f64], g: &mut [f64]) -> f64 {
    let root = x.iter().product::<f64>().powf(0.2);
    let mut f = -root;
    for i in 0..x.len() {
        let (a, b) = ((x[i] - 2.0).ln(), (10.0 - x[i]).ln());
        f += a * a + b * b;
        g[i] = 2.0 * a / (x[i] - 2.0) - 2.0 * b / (10.0 - x[i]) - 0.2 * root / x[i];
    }
    f
}
