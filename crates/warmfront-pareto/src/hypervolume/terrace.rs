//! A staircase whose points are known beforehand.

/// Most points of a [`Terrace`].
const ROOM: usize = 62;

/// The area that points dominate in the plane, larger is better, where all of
/// them are known in decreasing order of the first coordinate before any is
/// added. Which of them are steps is then a single word.
#[derive(Debug, Clone)]
pub(super) struct Terrace {
    /// Places 1 to [`ROOM`]; there is an end without height before them, and
    /// one without width behind.
    points: [[f64; 2]; 64],
    used: usize,
    steps: u64,
}

impl Default for Terrace {
    fn default() -> Self {
        Self {
            points: [[0.0; 2]; 64],
            used: 0,
            steps: 0,
        }
    }
}

impl Terrace {
    /// Forgets all points.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// Makes the next point known, and returns its place if there is room.
    #[inline(always)]
    pub(super) fn push(&mut self, point: [f64; 2]) -> u8 {
        self.used += 1;
        self.points[self.used & 63] = point;
        self.used as u8
    }

    /// Ends the list of points, none of which is added yet; returns whether
    /// there was room for all.
    #[inline(always)]
    pub(super) fn start(&mut self) -> bool {
        let end = (self.used + 1) & 63;
        self.points[0] = [0.0; 2];
        self.points[end] = [0.0, f64::INFINITY];
        self.steps = 1 | 1 << end;
        self.used <= ROOM
    }

    /// Adds the point of some place and returns the area that it adds.
    #[inline(always)]
    pub(super) fn add(&mut self, place: u8) -> f64 {
        let [x, y] = self.points[usize::from(place & 63)];
        let bit = 1u64 << (place & 63);
        let before = self.steps & (bit - 1);
        let mut floor = self.points[(63 - before.leading_zeros() as usize) & 63][1];
        if floor >= y {
            return 0.0;
        }
        let mut after = self.steps & !(bit | (bit - 1));
        let mut right = x;
        let mut area = 0.0;
        loop {
            let step = self.points[after.trailing_zeros() as usize & 63];
            area += (right - step[0]) * (y - floor);
            if step[1] > y {
                break;
            }
            after &= after - 1;
            [right, floor] = step;
        }
        self.steps = before | bit | after;
        area
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypervolume::{Stairs, tests::front};

    #[test]
    fn areas_are_those_of_stairs() {
        for (n, levels) in [(1, 0), (20, 0), (62, 0), (62, 5), (63, 0)] {
            let mut points: Vec<[f64; 2]> = front(2, n, levels, false).as_chunks::<2>().0.to_vec();
            points.retain(|p| p[0] > 0.0 && p[1] > 0.0);
            let mut order: Vec<usize> = (0..points.len()).collect();
            order.sort_by(|a, b| points[*b][0].total_cmp(&points[*a][0]));
            let mut terrace = Terrace::default();
            terrace.clear();
            let mut places = vec![0; points.len()];
            for i in order {
                places[i] = terrace.push(points[i]);
            }
            assert_eq!(terrace.start(), points.len() <= 62);
            if points.len() > 62 {
                continue;
            }
            let mut stairs = Stairs::default();
            stairs.clear();
            for (point, place) in points.iter().zip(places) {
                let expected = stairs.add(point[0], point[1]);
                assert!((terrace.add(place) - expected).abs() < 1e-15);
            }
        }
    }
}
