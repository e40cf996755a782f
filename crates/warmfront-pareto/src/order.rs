//! Sorting by a real key, in linear time for most data.

use std::cmp::Ordering;

/// Below this length a comparison sort is as fast.
const SHORT: usize = 32;
/// Moves for each item that the last pass may need.
const PATIENCE: usize = 8;

/// Items with a key that is not NaN, sorted by increasing key.
///
/// Items are thrown into as many buckets of equal width as there are items,
/// and an insertion sort repairs what is left. Keys that crowd together make
/// that slow, so it gives up after some moves in favour of a comparison sort.
#[derive(Debug, Clone)]
pub(crate) struct Sorter<P> {
    items: Vec<(f64, P)>,
    spare: Vec<(f64, P)>,
    /// Bucket of each item.
    homes: Vec<u32>,
    /// Where the next item of each bucket goes.
    starts: Vec<u32>,
}

impl<P> Default for Sorter<P> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            spare: Vec::new(),
            homes: Vec::new(),
            starts: Vec::new(),
        }
    }
}

impl<P: Copy> Sorter<P> {
    /// Sorts the items, those of equal key in the order of `tie`.
    pub(crate) fn sort(
        &mut self,
        items: impl Iterator<Item = (f64, P)>,
        tie: impl Fn(&P, &P) -> Ordering,
    ) -> &[(f64, P)] {
        self.items.clear();
        self.items.extend(items);
        let order = |a: &(f64, P), b: &(f64, P)| {
            if a.0 < b.0 {
                Ordering::Less
            } else if a.0 > b.0 {
                Ordering::Greater
            } else {
                tie(&a.1, &b.1)
            }
        };
        if self.items.len() < SHORT || !self.scatter() || !settle(&mut self.items, &order) {
            self.items.sort_unstable_by(order);
        }
        &self.items
    }

    /// Sorts by buckets; returns whether the keys have a range to do so.
    fn scatter(&mut self) -> bool {
        let n = self.items.len();
        // Lanes, for a single minimum would have to wait for itself.
        let (mut low, mut high) = ([f64::INFINITY; 4], [f64::NEG_INFINITY; 4]);
        for items in self.items.chunks(4) {
            for ((low, high), (key, _)) in low.iter_mut().zip(&mut high).zip(items) {
                *low = if *key < *low { *key } else { *low };
                *high = if *key > *high { *key } else { *high };
            }
        }
        let least = low.into_iter().fold(f64::INFINITY, f64::min);
        let most = high.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let buckets = n.next_power_of_two();
        let width = buckets as f64 / (most - least);
        // Too narrow, infinite or empty a range; `i32` counts the buckets.
        if !(width > 0.0 && width.is_finite()) || i32::try_from(buckets).is_err() {
            return false;
        }
        // Rounded operations keep the order, so that buckets are in order too.
        let last = buckets as u32 - 1;
        let bucket = |(key, _): &(f64, P)| (((key - least) * width) as i32 as u32).min(last);
        self.homes.clear();
        self.homes.extend(self.items.iter().map(bucket));
        self.starts.clear();
        self.starts.resize(buckets, 0);
        for home in &self.homes {
            self.starts[*home as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += std::mem::replace(start, sum);
        }
        self.spare.clear();
        self.spare.extend_from_slice(&self.items);
        for (item, home) in self.items.iter().zip(&self.homes) {
            let place = &mut self.starts[*home as usize];
            self.spare[*place as usize] = *item;
            *place += 1;
        }
        std::mem::swap(&mut self.items, &mut self.spare);
        true
    }
}

/// As `slice::partition_point`: how many of the first items satisfy a condition
/// that no later one does.
///
/// A bisection waits for every comparison; here three are made at a time, which
/// takes about as long as one.
#[inline]
pub(crate) fn partition_point<T>(items: &[T], first: impl Fn(&T) -> bool) -> usize {
    let mut rest = items;
    let mut count = 0;
    while rest.len() > 8 {
        let part = rest.len() / 4;
        let parts: usize = (1..4).map(|k| usize::from(first(&rest[k * part]))).sum();
        let from = parts * part;
        let to = if parts == 3 { rest.len() } else { from + part };
        count += from;
        rest = &rest[from..to];
    }
    count + rest.iter().filter(|item| first(item)).count()
}

/// Insertion sort of what is nearly in order; `false` if it is not that near.
fn settle<T: Copy>(items: &mut [T], order: &impl Fn(&T, &T) -> Ordering) -> bool {
    let mut patience = PATIENCE * items.len();
    for i in 1..items.len() {
        let item = items[i];
        let mut at = i;
        while at > 0 && order(&items[at - 1], &item).is_gt() {
            items[at] = items[at - 1];
            at -= 1;
        }
        items[at] = item;
        patience = patience.saturating_sub(i - at);
        if patience == 0 {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Many kinds of keys, each of which is sorted as by comparisons.
    #[test]
    fn any_keys_are_sorted() {
        let spread = |i: usize| ((i * 7919) % 1009) as f64;
        let kinds: [fn(f64) -> f64; 8] = [
            |x| x,
            |x| -x,
            |x| (x / 300.0).floor(),
            |x| if x > 1007.0 { 1e300 } else { x },
            |x| (-x).exp(),
            |x| if x < 500.0 { f64::INFINITY } else { x },
            |x| x * 5e-324,
            |_| 1.0,
        ];
        let mut sorter = Sorter::default();
        for (kind, key) in kinds.iter().enumerate() {
            for n in [0, 1, 2, 31, 32, 100, 1000, 5000] {
                let items: Vec<(f64, usize)> = (0..n).map(|i| (key(spread(i)), i)).collect();
                let mut expected = items.clone();
                expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let found = sorter.sort(items.into_iter(), Ord::cmp);
                assert!(
                    found.iter().map(|f| f.1).eq(expected.iter().map(|e| e.1)),
                    "kind {kind}, {n} keys"
                );
            }
        }
    }

    #[test]
    fn a_search_of_quarters_finds_what_a_bisection_finds() {
        for n in 0..100 {
            let items: Vec<u32> = (0..n).collect();
            for bound in 0..=n {
                assert_eq!(partition_point(&items, |i| *i < bound), bound as usize);
            }
        }
        let stairs = [1, 1, 1, 2, 2, 5, 5, 5, 5, 5, 5, 5, 7, 7, 7, 7, 7, 7, 9];
        for bound in 0..11 {
            let found = partition_point(&stairs, |i| *i <= bound);
            assert_eq!(found, stairs.partition_point(|i| *i <= bound));
        }
    }
}
