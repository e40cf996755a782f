//! Ranks of successive non-dominated fronts.

mod many;

use crate::Points;
use crate::front::{CostStairs, compare, compare_rows, same};
use crate::order::{Sorter, partition_point};

/// From this many points on, sets of bits are faster than comparisons; beyond
/// the second number they would take too much memory.
const BITS: std::ops::RangeInclusive<usize> = 256..=65_536;

/// Rank of every point: 0 for the non-dominated ones, 1 for those that are
/// non-dominated once the former are taken away, and so on.
///
/// Equal points have equal ranks. Takes O(n log n) time for two objectives and
/// O(n log² n) for three; beyond, points are taken in lexicographic order and
/// placed by bisection over the fronts found so far, where the points that
/// dominate one are a set of bits.
///
/// # References
///
/// X. Zhang, Y. Tian, R. Cheng, Y. Jin (2015), *An efficient approach to
/// nondominated sorting for evolutionary multiobjective optimization*, IEEE
/// TEVC 19 (ENS-BS).
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{Points, non_dominated_sort};
///
/// let points = Points::new(&[2.0, 2.0, 1.0, 1.0, 0.0, 3.0], 2)?;
/// assert_eq!(non_dominated_sort(points), [1, 0, 0]);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
pub fn non_dominated_sort(points: Points<'_>) -> Vec<usize> {
    match points.objectives() {
        1 => ranks_one(points),
        2 => ranks_two(points),
        3 => ranks_three(points),
        _ if BITS.contains(&points.len()) => many::ranks(points),
        4 => ranks_many::<4>(points),
        5 => ranks_many::<5>(points),
        6 => ranks_many::<6>(points),
        _ => ranks_any(points),
    }
}

/// The points in lexicographic order.
fn lexicographic<const M: usize>(points: Points<'_>) -> Vec<([f64; M], usize)> {
    let rows = points.as_slice().as_chunks::<M>().0;
    let mut sorter = Sorter::default();
    let order = sorter.sort(
        rows.iter().map(|p| p[0]).zip(0..),
        |a: &usize, b: &usize| compare_rows(&rows[*a], &rows[*b]),
    );
    order.iter().map(|&(_, i)| (rows[i], i)).collect()
}

fn ranks_one(points: Points<'_>) -> Vec<usize> {
    let mut sorter = Sorter::default();
    let items = points.as_slice().iter().copied().zip(0..);
    let mut ranks = vec![0; points.len()];
    let (mut rank, mut last) = (0, None);
    for &(value, i) in sorter.sort(items, |_, _| std::cmp::Ordering::Equal) {
        rank += usize::from(last.is_some_and(|last| last < value));
        last = Some(value);
        ranks[i] = rank;
    }
    ranks
}

/// Places the points in lexicographic order: each into the first front that
/// does not dominate it. A front dominates whatever is dominated by the front
/// after it, so that bisection finds the place.
fn place<const M: usize, F>(
    points: Points<'_>,
    covers: impl Fn(&F, &[f64; M]) -> bool,
    insert: impl Fn(&mut F, &[f64; M]),
) -> Vec<usize>
where
    F: Default,
{
    let mut ranks = vec![0; points.len()];
    let mut fronts: Vec<F> = Vec::new();
    let mut last: Option<([f64; M], usize)> = None;
    for (p, i) in lexicographic::<M>(points) {
        if let Some((q, rank)) = last
            && same(&q, &p)
        {
            ranks[i] = rank;
            continue;
        }
        let rank = fronts.partition_point(|front| covers(front, &p));
        if rank == fronts.len() {
            fronts.push(F::default());
        }
        insert(&mut fronts[rank], &p);
        ranks[i] = rank;
        last = Some((p, rank));
    }
    ranks
}

fn ranks_two(points: Points<'_>) -> Vec<usize> {
    let rows = points.as_slice().as_chunks::<2>().0;
    let mut sorter = Sorter::default();
    let items = (0..).zip(rows).map(|(i, p)| (p[0], (p[1], i)));
    let order = sorter.sort(items, |a: &(f64, usize), b| compare(a.0, b.0));
    let mut ranks = vec![0; rows.len()];
    // Of each front only the smallest second cost matters.
    let mut least: Vec<f64> = Vec::new();
    let mut last = ([f64::NAN; 2], 0);
    for &(x, (y, i)) in order {
        let rank = if same(&last.0, &[x, y]) {
            last.1
        } else {
            let rank = partition_point(&least, |l| *l <= y);
            if rank == least.len() {
                least.push(y);
            }
            least[rank] = y;
            rank
        };
        ranks[i] = rank;
        last = ([x, y], rank);
    }
    ranks
}

fn ranks_three(points: Points<'_>) -> Vec<usize> {
    place::<3, CostStairs>(
        points,
        |stairs, p| stairs.covers(p[1], p[2]),
        |stairs, p| {
            stairs.insert(p[1], p[2]);
        },
    )
}

fn ranks_many<const M: usize>(points: Points<'_>) -> Vec<usize> {
    // The first cost needs no comparison: the order settles it. Late points
    // are the likeliest to dominate, being close in the first cost.
    place::<M, Vec<[f64; M]>>(
        points,
        |front, p| {
            front
                .iter()
                .rev()
                .any(|a| (1..M).fold(true, |c, k| c & (a[k] <= p[k])))
        },
        |front, p| front.push(*p),
    )
}

fn ranks_any(points: Points<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_unstable_by(|&a, &b| compare_rows(points.row(a), points.row(b)));
    let mut ranks = vec![0; points.len()];
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    let mut last: Option<usize> = None;
    for i in order {
        let p = points.row(i);
        if let Some(j) = last
            && same(points.row(j), p)
        {
            ranks[i] = ranks[j];
            continue;
        }
        let rank = fronts.partition_point(|front| {
            front
                .iter()
                .rev()
                .any(|&a| points.row(a)[1..].iter().zip(&p[1..]).all(|(a, p)| a <= p))
        });
        if rank == fronts.len() {
            fronts.push(Vec::new());
        }
        fronts[rank].push(i);
        ranks[i] = rank;
        last = Some(i);
    }
    ranks
}
