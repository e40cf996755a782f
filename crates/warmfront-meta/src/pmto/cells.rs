//! A centroidal Voronoi tessellation of the task box, and which of its cells are neighbours.

use rand::{Rng, RngExt};

/// Sampled tasks for each cell: k-means runs on them.
const SAMPLES_PER_CELL: usize = 10;
/// Samples for each cell that look for neighbours.
const WITNESSES_PER_CELL: usize = 100;
/// Passes of k-means.
const PASSES: usize = 50;

/// Centroids of cells and their neighbours.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    centroids: Vec<Vec<f64>>,
    neighbours: Vec<Vec<usize>>,
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn nearest(centroids: &[Vec<f64>], at: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (i, centroid) in centroids.iter().enumerate() {
        let distance = squared(centroid, at);
        if distance < best.1 {
            best = (i, distance);
        }
    }
    best
}

impl Cells {
    /// `count` cells of the unit box of `dim` coordinates (one cell without coordinates).
    ///
    /// Two cells count as neighbours if they are the nearest and second nearest of a sample: the
    /// Delaunay graph without the edges whose common face is too small to be found. The exact
    /// graph of hundreds of centroids in five dimensions has most of its edges of that kind.
    pub(super) fn new(count: usize, dim: usize, rng: &mut dyn Rng) -> Self {
        let count = if dim == 0 { 1 } else { count };
        let uniform = |rng: &mut dyn Rng| -> Vec<f64> { (0..dim).map(|_| rng.random()).collect() };
        let samples: Vec<Vec<f64>> = (0..SAMPLES_PER_CELL * count)
            .map(|_| uniform(rng))
            .collect();
        let centroids = k_means(&samples, count, rng);
        let mut neighbours = vec![Vec::new(); count];
        for _ in 0..WITNESSES_PER_CELL * count {
            let at = uniform(rng);
            let (mut first, mut second) = ((0, f64::INFINITY), (0, f64::INFINITY));
            for (i, centroid) in centroids.iter().enumerate() {
                let distance = squared(centroid, &at);
                if distance < first.1 {
                    second = first;
                    first = (i, distance);
                } else if distance < second.1 {
                    second = (i, distance);
                }
            }
            if second.1.is_finite() {
                neighbours[first.0].push(second.0);
                neighbours[second.0].push(first.0);
            }
        }
        for own in &mut neighbours {
            own.sort_unstable();
            own.dedup();
        }
        Self {
            centroids,
            neighbours,
        }
    }

    pub(super) fn centroids(&self) -> &[Vec<f64>] {
        &self.centroids
    }

    /// The cell of a task.
    pub(super) fn of(&self, task: &[f64]) -> usize {
        nearest(&self.centroids, task).0
    }

    /// The neighbours of a cell, without itself.
    pub(super) fn neighbours(&self, cell: usize) -> &[usize] {
        &self.neighbours[cell]
    }
}

/// Centroids of `count ≤ samples.len()` clusters, started by k-means++.
fn k_means(samples: &[Vec<f64>], count: usize, rng: &mut dyn Rng) -> Vec<Vec<f64>> {
    let first = rng.random_range(0..samples.len() as u64) as usize;
    let mut centroids = vec![samples[first].clone()];
    let mut distances: Vec<f64> = samples
        .iter()
        .map(|s| squared(s, &samples[first]))
        .collect();
    while centroids.len() < count {
        let total: f64 = distances.iter().sum();
        let mut left = rng.random::<f64>() * total;
        let chosen = distances.iter().position(|d| {
            left -= d;
            left < 0.0
        });
        let next = samples[chosen.unwrap_or(samples.len() - 1)].clone();
        for (distance, sample) in distances.iter_mut().zip(samples) {
            *distance = distance.min(squared(sample, &next));
        }
        centroids.push(next);
    }
    let mut of = vec![usize::MAX; samples.len()];
    for _ in 0..PASSES {
        let mut moved = false;
        let mut sums = vec![vec![0.0; samples[0].len()]; count];
        let mut sizes = vec![0_usize; count];
        for (sample, own) in samples.iter().zip(&mut of) {
            let cell = nearest(&centroids, sample).0;
            moved |= *own != cell;
            *own = cell;
            sizes[cell] += 1;
            for (sum, value) in sums[cell].iter_mut().zip(sample) {
                *sum += value;
            }
        }
        if !moved {
            break;
        }
        for ((centroid, sum), size) in centroids.iter_mut().zip(sums).zip(sizes) {
            // A cluster that lost all its samples stays where it is.
            if size > 0 {
                *centroid = sum.into_iter().map(|s| s / size as f64).collect();
            }
        }
    }
    centroids
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn cells_are_even_and_neighbours_of_each_other() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let cells = Cells::new(12, 2, &mut rng);
        let mut sizes = [0; 12];
        for _ in 0..6000 {
            sizes[cells.of(&[rng.random(), rng.random()])] += 1;
        }
        assert!(sizes.iter().all(|n| (150..1200).contains(n)), "{sizes:?}");
        for cell in 0..12 {
            let own = cells.neighbours(cell);
            assert!(!own.is_empty() && !own.contains(&cell));
            assert!(own.iter().all(|&o| cells.neighbours(o).contains(&cell)));
            assert_eq!(cells.of(&cells.centroids()[cell]), cell);
        }
        // A planar graph has fewer than three edges a node.
        let edges: usize = (0..12).map(|c| cells.neighbours(c).len()).sum();
        assert!(edges / 2 < 3 * 12, "{edges}");
    }

    #[test]
    fn on_a_line_neighbours_are_next_to_each_other() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let cells = Cells::new(6, 1, &mut rng);
        let mut order: Vec<usize> = (0..6).collect();
        order.sort_by(|&a, &b| cells.centroids()[a][0].total_cmp(&cells.centroids()[b][0]));
        for (place, &cell) in order.iter().enumerate() {
            let mut expected = Vec::new();
            if place > 0 {
                expected.push(order[place - 1]);
            }
            expected.extend(order.get(place + 1));
            expected.sort_unstable();
            assert_eq!(cells.neighbours(cell), expected);
        }
    }

    #[test]
    fn a_box_of_one_point_is_one_cell() {
        let cells = Cells::new(50, 0, &mut ChaCha8Rng::seed_from_u64(3));
        assert_eq!(cells.centroids().len(), 1);
        assert!(cells.of(&[]) == 0 && cells.neighbours(0).is_empty());
    }
}
