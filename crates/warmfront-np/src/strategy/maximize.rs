//! Finding the candidate with the largest utility.

use std::borrow::Cow;
use std::collections::HashSet;

use rand::{Rng, RngExt};
use warmfront_core::{SearchSpace, UnitPoint};
use warmfront_math::sobol::Sobol;
use warmfront_math::special::ndtri;

use super::scorer::Scorer;
use super::{ATTEMPTS, MaximizeConfig};

/// Discrete spaces with at most this many configurations are searched as tables are.
const ENUMERABLE: u64 = 4096;

/// Points closer than this in every coordinate are the same point to a network of single precision.
const SAME: f64 = 1e-6;

/// Standard deviations of perturbations, drawn log-uniformly in between.
const PERTURBATION: (f64, f64) = (0.003, 0.2);

/// Chance that a perturbation draws a discrete parameter anew.
const REDRAW: f64 = 0.3;

/// Points that pass a screening.
const SHORTLIST: usize = 64;

/// Starts are at least this far apart.
const APART: f64 = 0.03;

/// First step uphill; the last is a tenth of it.
const STEP: f64 = 0.05;

/// Decay of the two averages of Adam, shorter than in training: there are few steps.
const DECAY: (f64, f64) = (0.8, 0.95);

/// Alternations between discrete and real coordinates.
const ROUNDS: usize = 4;

/// All configurations of a space that is searched point by point.
pub(super) fn finite(space: &SearchSpace) -> Option<Cow<'_, [UnitPoint]>> {
    match space.table() {
        Some(rows) => Some(rows.into()),
        None => space.enumerate(ENUMERABLE).map(Cow::from),
    }
}

/// One search and everything it needs to know.
pub(super) struct Search<'a> {
    pub(super) scorer: Scorer<'a>,
    pub(super) space: &'a SearchSpace,
    pub(super) config: &'a MaximizeConfig,
    /// What was evaluated or is pending.
    pub(super) taken: &'a HashSet<UnitPoint>,
    /// The best evaluations.
    pub(super) best: Vec<&'a UnitPoint>,
}

/// A point and its utility.
type Scored = (UnitPoint, f32);

impl Search<'_> {
    /// The best candidate found that was not visited; `None` if none is left.
    pub(super) fn run(&self, rng: &mut dyn Rng) -> Option<UnitPoint> {
        if let Some(all) = finite(self.space) {
            return self.best_of(&all);
        }
        let raw = self.raw_points(rng);
        let mut found = self.score(raw);
        let mut starts: Vec<Scored> = Vec::new();
        for candidate in &found {
            if starts.len() == self.config.restarts {
                break;
            }
            let apart = |start: &Scored| start.0.distance(&candidate.0) > APART;
            if candidate.1.is_finite() && starts.iter().all(apart) {
                starts.push(candidate.clone());
            }
        }
        let mut climbed = self.climb(starts);
        climbed.append(&mut found);
        climbed.sort_by(|a, b| b.1.total_cmp(&a.1));
        let new = climbed.into_iter().find(|(point, _)| !self.is_taken(point));
        if let Some((point, _)) = new {
            return Some(point);
        }
        let mut point = self.space.sample(rng);
        for _ in 0..ATTEMPTS {
            if !self.is_taken(&point) {
                break;
            }
            point = self.space.sample(rng);
        }
        // In a large discrete space a repeat is better than no answer.
        Some(point)
    }

    /// The points with their utilities, best first; those that did not pass a screening have −∞.
    fn score(&self, mut points: Vec<UnitPoint>) -> Vec<Scored> {
        let mut failed = Vec::new();
        if let Some(screened) = self.scorer.screen(&points) {
            let mut all: Vec<Scored> = points.into_iter().zip(screened).collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1));
            points = all.into_iter().map(|(point, _)| point).collect();
            failed = points.split_off(SHORTLIST.min(points.len()));
        }
        let utilities = self.scorer.utilities(&points);
        let mut found: Vec<Scored> = points.into_iter().zip(utilities).collect();
        found.extend(failed.into_iter().map(|point| (point, f32::NEG_INFINITY)));
        // Stable: among equals the first wins, here and above.
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found
    }

    fn best_of(&self, all: &[UnitPoint]) -> Option<UnitPoint> {
        let open: Vec<UnitPoint> = all
            .iter()
            .filter(|point| !self.taken.contains(*point))
            .cloned()
            .collect();
        let utilities = self.scorer.utilities(&open);
        let mut at = 0;
        for (i, utility) in utilities.iter().enumerate() {
            // The first of equals wins, and with nothing but −∞ the first of all.
            if *utility > utilities[at] {
                at = i;
            }
        }
        open.into_iter().nth(at)
    }

    fn is_taken(&self, point: &UnitPoint) -> bool {
        let same = |other: &UnitPoint| {
            let mut pairs = other.coords().iter().zip(point.coords());
            pairs.all(|(a, b)| (a - b).abs() <= SAME)
        };
        self.taken.contains(point) || self.taken.iter().any(same)
    }

    /// Scrambled Sobol points, then perturbations of the best evaluations; all canonical.
    fn raw_points(&self, rng: &mut dyn Rng) -> Vec<UnitPoint> {
        let d = self.space.dim();
        let mut sequence = Sobol::scrambled(d, rng).ok();
        let mut coords = vec![0.0; d];
        let mut points = Vec::with_capacity(self.config.raw_samples + self.config.around_best);
        for _ in 0..self.config.raw_samples {
            match &mut sequence {
                Some(sequence) => sequence.next_into(&mut coords),
                // More dimensions than the sequence is tabulated for.
                None => coords.fill_with(|| rng.random()),
            }
            points.push(self.canonical(coords.clone()));
        }
        if !self.best.is_empty() {
            let continuous = self.space.continuous();
            for k in 0..self.config.around_best {
                let centre = self.best[k % self.best.len()];
                points.push(self.canonical(self.perturb(centre, &continuous, rng)));
            }
        }
        points
    }

    fn canonical(&self, coords: Vec<f64>) -> UnitPoint {
        self.space.canonical(&UnitPoint::clamped(coords))
    }

    fn perturb(&self, centre: &UnitPoint, continuous: &[bool], rng: &mut dyn Rng) -> Vec<f64> {
        let (low, high) = (PERTURBATION.0.ln(), PERTURBATION.1.ln());
        let deviation = (low + (high - low) * rng.random::<f64>()).exp();
        let mut point = centre.coords().to_vec();
        for parameter in self.space.parameters() {
            let anew = rng.random::<f64>() < REDRAW;
            for j in parameter.coords() {
                let u: f64 = rng.random();
                if continuous[j] {
                    // Reflected at the faces, where clamping would pile points up.
                    let moved = point[j] + deviation * ndtri(u.clamp(1e-12, 1.0 - 1e-12));
                    let folded = moved.rem_euclid(2.0);
                    point[j] = folded.min(2.0 - folded);
                } else if anew {
                    point[j] = u;
                }
            }
        }
        point
    }

    /// Moves all starts uphill together; none ends lower than it began.
    fn climb(&self, mut points: Vec<Scored>) -> Vec<Scored> {
        let continuous = self.space.continuous();
        if points.is_empty() {
            return points;
        }
        if self.space.is_box() {
            self.ascend(&mut points, |_| continuous.clone());
            return points;
        }
        // What the network says between the values of discrete parameters points to good values.
        self.ascend(&mut points, |_| vec![true; continuous.len()]);
        for _ in 0..ROUNDS {
            let moved = self.step_aside(&mut points);
            if continuous.contains(&true) {
                self.ascend(&mut points, |point| self.space.active_reals(point));
            }
            if !moved {
                break;
            }
        }
        points
    }

    /// Adam on the free coordinates of every point within the cube, rounded at the end.
    fn ascend(&self, points: &mut [Scored], free: impl Fn(&UnitPoint) -> Vec<bool>) {
        if self.config.steps == 0 {
            return;
        }
        let free: Vec<Vec<bool>> = points.iter().map(|(point, _)| free(point)).collect();
        let mut x: Vec<Vec<f64>> = points.iter().map(|p| p.0.coords().to_vec()).collect();
        let mut top: Vec<(Vec<f64>, f32)> =
            x.iter().cloned().zip(points.iter().map(|p| p.1)).collect();
        let mut mean = vec![vec![0.0; self.space.dim()]; x.len()];
        let mut square = mean.clone();
        let mut power = (1.0, 1.0);
        for step in 0..self.config.steps {
            let (values, gradients) = self.scorer.gradients(&x);
            let done = step as f64 / self.config.steps as f64;
            let length = STEP * (0.1 + 0.9 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()));
            power = (power.0 * DECAY.0, power.1 * DECAY.1);
            for i in 0..x.len() {
                if values[i] > top[i].1 {
                    top[i] = (x[i].clone(), values[i]);
                }
                for j in 0..x[i].len() {
                    let g = gradients[i][j];
                    if !free[i][j] || !g.is_finite() {
                        continue;
                    }
                    mean[i][j] += (1.0 - DECAY.0) * (g - mean[i][j]);
                    square[i][j] += (1.0 - DECAY.1) * (g * g - square[i][j]);
                    let size = (square[i][j] / (1.0 - power.1)).sqrt();
                    if size > 0.0 {
                        let towards = mean[i][j] / (1.0 - power.0) / size;
                        x[i][j] = (x[i][j] + length * towards).clamp(0.0, 1.0);
                    }
                }
            }
        }
        // The last points were not scored, and those that were only before they were rounded.
        let both = x.into_iter().chain(top.into_iter().map(|top| top.0));
        let both: Vec<UnitPoint> = both.map(|coords| self.canonical(coords)).collect();
        let utilities = self.scorer.utilities(&both);
        let count = points.len();
        for (k, (point, utility)) in both.into_iter().zip(utilities).enumerate() {
            if utility > points[k % count].1 {
                points[k % count] = (point, utility);
            }
        }
    }

    /// Moves each point to the best of its neighbours that is better; whether one moved.
    fn step_aside(&self, points: &mut [Scored]) -> bool {
        let neighbours: Vec<Vec<UnitPoint>> = points
            .iter()
            .map(|(point, _)| self.space.neighbours(point))
            .collect();
        let utilities = self.scorer.utilities(&neighbours.concat());
        let mut moved = false;
        let mut at = utilities.into_iter();
        for (point, neighbours) in points.iter_mut().zip(neighbours) {
            for (neighbour, utility) in neighbours.into_iter().zip(&mut at) {
                if utility > point.1 {
                    *point = (neighbour, utility);
                    moved = true;
                }
            }
        }
        moved
    }
}
