//! Functions of one to eight inputs, for a policy that serves any such space.

use rand::{Rng, RngExt};
use warmfront_math::distribution::open_uniform;

use super::prior::GpPrior;
use crate::nap::analytic::Function;
use crate::nap::families::function_table;
use crate::nap::task::Table;

/// Coordinates of every task; those beyond its own are zero.
pub const INPUTS: usize = 8;

/// Part of the functions that are formulas.
const FORMULAS: f64 = 0.3;

/// A function of one to eight inputs at uniform points, with noise of at most this standard deviation.
pub fn table(rows: usize, noise: f64, rng: &mut dyn Rng) -> Table {
    let dim = rng.random_range(1..=INPUTS as u64) as usize;
    let noise = noise * open_uniform(rng);
    table_of(dim, rows, noise, rng)
}

/// A function of this many inputs.
///
/// # Panics
/// If there are more than [`INPUTS`].
pub fn table_of(dim: usize, rows: usize, noise: f64, rng: &mut dyn Rng) -> Table {
    // The formulas are meant for two inputs and more.
    let table = if dim > 1 && rng.random_bool(FORMULAS) {
        function_table(&Function::any(dim, rng), rows, rng)
    } else {
        GpPrior::new(dim).table(rows, noise, rng)
    };
    padded(table)
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
