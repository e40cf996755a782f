//! Functions of one to eight inputs, for a policy that serves any such space.

use rand::{Rng, RngExt};
use warmfront_math::distribution::{open_uniform, standard_normal};

use super::prior::{GpPrior, Path};
use crate::nap::analytic::Function;
use crate::nap::task::Table;

/// Coordinates of every task; those beyond its own are zero.
pub const INPUTS: usize = 8;

/// Part of the functions that are formulas.
const FORMULAS: f64 = 0.3;

/// Part of the tasks whose points are those of a search.
const SEARCHED: f64 = 0.7;

/// Cosines of a function; two hundred points need no more.
const FEATURES: usize = 200;

/// Points drawn around one centre, at most.
const CLUSTER: u64 = 16;

/// Smallest and largest distance from a centre, by coordinate.
const REACH: (f64, f64) = (0.002, 0.3);

/// A function of one to eight inputs, with noise of at most this standard deviation.
///
/// Its points are uniform, or in part those of a search that comes back to where it was good: a policy that
/// has learned from uniform points alone takes the differences among neighbours for noise, and then asks for
/// points beside its best for ever.
pub fn table(rows: usize, noise: f64, rng: &mut dyn Rng) -> Table {
    let dim = rng.random_range(1..=INPUTS as u64) as usize;
    // Half of the functions are all but free of noise: then small differences tell something.
    let noise = if rng.random_bool(0.5) {
        noise * open_uniform(rng)
    } else {
        0.0
    };
    let searched = rng.random_bool(SEARCHED);
    drawn(dim, rows, noise, searched, rng)
}

/// A function of this many inputs at uniform points.
///
/// # Panics
/// If there are more than [`INPUTS`].
pub fn table_of(dim: usize, rows: usize, noise: f64, rng: &mut dyn Rng) -> Table {
    drawn(dim, rows, noise, false, rng)
}

/// The cost at a point.
type BoxedFunction = Box<dyn Fn(&[f64]) -> f64>;

fn drawn(dim: usize, rows: usize, noise: f64, searched: bool, rng: &mut dyn Rng) -> Table {
    // The formulas are meant for two inputs and more.
    let (name, function): (String, BoxedFunction) = if dim > 1 && rng.random_bool(FORMULAS) {
        let function = Function::any(dim, rng);
        (function.name(), Box::new(move |u| function.at(u)))
    } else {
        let kernel = GpPrior::new(dim).kernel(rng);
        let path = Path::draw(&kernel, FEATURES, rng);
        ("gp".into(), Box::new(move |u| path.at(u)))
    };
    let mut table = Table {
        name,
        dim,
        x: Vec::with_capacity(rows * dim),
        costs: Vec::with_capacity(rows),
    };
    let uniform = if searched {
        rows as f64 * (0.2 + 0.5 * open_uniform(rng))
    } else {
        rows as f64
    };
    for _ in 0..uniform as usize {
        let point: Vec<f64> = (0..dim).map(|_| open_uniform(rng)).collect();
        push(&mut table, &point, &*function);
    }
    while table.len() < rows {
        cluster(&mut table, rows, &*function, rng);
    }
    for cost in &mut table.costs {
        *cost += noise * standard_normal(rng);
    }
    padded(table)
}

fn push(table: &mut Table, point: &[f64], function: &dyn Fn(&[f64]) -> f64) {
    table.x.extend_from_slice(point);
    table.costs.push(function(point));
}

/// Some points around one that is good so far, of at most `rows` in all.
fn cluster(table: &mut Table, rows: usize, function: &dyn Fn(&[f64]) -> f64, rng: &mut dyn Rng) {
    // Mostly the best, now and then one that is only among the better ones.
    let contest = if rng.random_bool(0.6) { table.len() } else { 4 };
    let centre = (0..contest)
        .map(|i| match contest == table.len() {
            true => i,
            false => rng.random_range(0..table.len() as u64) as usize,
        })
        .min_by(|&a, &b| table.costs[a].total_cmp(&table.costs[b]));
    let centre = match centre {
        Some(row) => table.row(row).to_vec(),
        None => (0..table.dim).map(|_| open_uniform(rng)).collect(),
    };
    let reach = REACH.0 * (REACH.1 / REACH.0).powf(open_uniform(rng));
    for _ in 0..rng.random_range(1..=CLUSTER) {
        if table.len() == rows {
            break;
        }
        let near = |c: &f64| (c + reach * standard_normal(rng)).clamp(0.0, 1.0);
        let point: Vec<f64> = centre.iter().map(near).collect();
        push(table, &point, function);
    }
}

fn padded(table: Table) -> Table {
    assert!(
        table.dim <= INPUTS,
        "a table of {} coordinates, at most {INPUTS} are there",
        table.dim
    );
    let mut x = Vec::with_capacity(table.len() * INPUTS);
    for row in table.x.chunks_exact(table.dim) {
        x.extend_from_slice(row);
        x.resize(x.len() + INPUTS - table.dim, 0.0);
    }
    Table {
        dim: INPUTS,
        x,
        ..table
    }
}

#[cfg(test)]
mod tests {
    use warmfront_core::{Purpose, Seed};

    use super::*;

    #[test]
    fn coordinates_beyond_are_zero_and_all_dimensions_occur() {
        let mut rng = Seed(1).stream(Purpose::Init, 0);
        let mut seen = [false; INPUTS + 1];
        for _ in 0..100 {
            let table = table(12, 0.1, &mut rng);
            assert_eq!(
                (table.dim, table.len(), table.x.len()),
                (INPUTS, 12, 12 * INPUTS)
            );
            let own = table.row(0).iter().take_while(|v| **v > 0.0).count();
            seen[own] = true;
            for row in 0..table.len() {
                assert!(table.row(row)[own..].iter().all(|v| v.to_bits() == 0));
            }
        }
        assert_eq!(
            seen,
            [false, true, true, true, true, true, true, true, true]
        );
    }
}
