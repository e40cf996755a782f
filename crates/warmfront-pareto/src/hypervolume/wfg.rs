//! Five and more objectives: slices along the last objective and limited sets.

use super::four::Four;

/// Rows of one recursion level: `width` coordinates each.
#[derive(Debug, Clone, Default)]
struct Level {
    /// Non-dominated rows seen so far, in decreasing order of the last of
    /// their coordinates.
    archive: Vec<f64>,
    /// The archive limited to one point.
    limited: Vec<f64>,
}

/// Working memory of the recursion, one level for each dimension.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wfg {
    levels: Vec<Level>,
    four: Four,
    limited: Vec<f64>,
    others: Vec<f64>,
}

impl Wfg {
    /// Volume that `rows` of `m ≥ 4` coordinates dominate above the origin.
    ///
    /// The rows are in decreasing order of the last coordinate; all
    /// coordinates are positive and finite.
    ///
    /// A point with last coordinate `w` adds `w` times the volume that it adds
    /// to the points before it in the other coordinates, because all of these
    /// reach at least as far. That volume is its own box less the volume of
    /// the points before it *limited* to the box, which is the same problem in
    /// one dimension less. (While, Bradstreet, Barone 2012, with slicing.)
    pub(super) fn volume(&mut self, rows: &[f64], m: usize) -> f64 {
        let levels = levels_for(&mut self.levels, m);
        recurse(levels, &mut self.four, rows, m, 1)
    }

    /// For each of `rows` (as in [`Self::volume`]) the volume that it alone
    /// dominates, passed to `give` with its index.
    pub(crate) fn contributions(
        &mut self,
        rows: &[f64],
        m: usize,
        mut give: impl FnMut(usize, f64),
    ) {
        let levels = levels_for(&mut self.levels, m);
        self.others.clear();
        self.others.extend(rows.iter().skip(m));
        for (i, row) in rows.chunks_exact(m).enumerate() {
            if i > 0 {
                // All rows but the i-th: its predecessor takes its place.
                self.others[(i - 1) * m..i * m].copy_from_slice(&rows[(i - 1) * m..i * m]);
            }
            let volume = match limit(&self.others, row, &mut self.limited) {
                None => 0.0,
                Some(ties) => {
                    let own: f64 = row.iter().product();
                    let lost = recurse(levels, &mut self.four, &self.limited, m, ties);
                    (own - lost).max(0.0)
                }
            };
            give(i, volume);
        }
    }
}

/// The levels of a problem in `m` dimensions: one for each above four.
fn levels_for(levels: &mut Vec<Level>, m: usize) -> &mut [Level] {
    let count = m.saturating_sub(4);
    if levels.len() < count {
        levels.resize_with(count, Level::default);
    }
    &mut levels[..count]
}

/// Volume of `rows` of `m` coordinates, of which the first `ties` have the
/// same last coordinate and do not dominate each other.
fn recurse(levels: &mut [Level], four: &mut Four, rows: &[f64], m: usize, ties: usize) -> f64 {
    let Some((level, below)) = levels.split_last_mut() else {
        return four.volume(rows.as_chunks::<4>().0, ties);
    };
    let width = m - 1;
    if rows.len() <= 2 * m {
        return few(rows, m);
    }
    level.archive.clear();
    let mut volume = 0.0;
    let mut start = 0;
    if ties > 1 {
        // Points of one height need no limited sets: together they are a
        // problem of one dimension less.
        for row in rows[..ties * m].chunks_exact(m) {
            insert(&mut level.archive, &row[..width]);
        }
        let top = level.archive[width - 1];
        let equal = level
            .archive
            .chunks_exact(width)
            .take_while(|r| r[width - 1] >= top)
            .count();
        volume += rows[m - 1] * recurse(below, four, &level.archive, width, equal);
        start = ties;
    }
    for row in rows[start * m..].chunks_exact(m) {
        let (point, height) = (&row[..width], row[width]);
        let Some(ties) = limit(&level.archive, point, &mut level.limited) else {
            continue;
        };
        let own: f64 = point.iter().product();
        let lost = if ties == 0 && level.limited.is_empty() {
            0.0
        } else {
            recurse(below, four, &level.limited, width, ties)
        };
        volume += height * (own - lost);
        insert_and_prune(&mut level.archive, point);
    }
    volume
}

/// Volume of at most two rows.
fn few(rows: &[f64], m: usize) -> f64 {
    let mut rows = rows.chunks_exact(m);
    let Some(a) = rows.next() else { return 0.0 };
    let own: f64 = a.iter().product();
    let Some(b) = rows.next() else { return own };
    let shared: f64 = a.iter().zip(b).map(|(a, b)| a.min(*b)).product();
    own + (b.iter().product::<f64>() - shared)
}

/// Puts a row at its place in the decreasing order of the last coordinate.
fn insert(archive: &mut Vec<f64>, row: &[f64]) {
    let width = row.len();
    let at = archive
        .as_slice()
        .chunks_exact(width)
        .position(|r| r[width - 1] < row[width - 1])
        .map_or(archive.len(), |i| i * width);
    let end = archive.len();
    archive.extend_from_slice(row);
    archive.copy_within(at..end, at + width);
    archive[at..at + width].copy_from_slice(row);
}

/// [`insert`], and drops the rows that the new one dominates.
fn insert_and_prune(archive: &mut Vec<f64>, row: &[f64]) {
    let width = row.len();
    let mut to = 0;
    for from in (0..archive.len()).step_by(width) {
        let dominated = archive[from..from + width]
            .iter()
            .zip(row)
            .all(|(a, p)| a <= p);
        if !dominated {
            if to < from {
                archive.copy_within(from..from + width, to);
            }
            to += width;
        }
    }
    archive.truncate(to);
    insert(archive, row);
}

/// The archive limited to the box of `point`, without dominated rows.
///
/// Returns how many of the limited rows reach the height of the point in its
/// last coordinate (they come first), or `None` if the point is dominated.
fn limit(archive: &[f64], point: &[f64], limited: &mut Vec<f64>) -> Option<usize> {
    match point.len() {
        4 => limit_fixed::<4>(archive, point, limited),
        5 => limit_fixed::<5>(archive, point, limited),
        6 => limit_fixed::<6>(archive, point, limited),
        7 => limit_fixed::<7>(archive, point, limited),
        8 => limit_fixed::<8>(archive, point, limited),
        9 => limit_fixed::<9>(archive, point, limited),
        width => limit_rows(archive, point, limited, &mut vec![0.0; width], width),
    }
}

fn limit_fixed<const W: usize>(
    archive: &[f64],
    point: &[f64],
    limited: &mut Vec<f64>,
) -> Option<usize> {
    limit_rows(
        archive,
        point.first_chunk::<W>()?,
        limited,
        &mut [0.0; W],
        W,
    )
}

#[inline(always)]
fn limit_rows(
    archive: &[f64],
    point: &[f64],
    limited: &mut Vec<f64>,
    slabs: &mut [f64],
    width: usize,
) -> Option<usize> {
    limited.clear();
    let last = width - 1;
    // A row that exceeds the box in all coordinates but one covers a slab of
    // it. The slabs are found first, for they cover most of the other rows.
    for row in archive.chunks_exact(width) {
        let (mut missing, mut at) = (0, 0);
        for k in 0..width {
            if row[k] < point[k] {
                missing += 1;
                at = k;
            }
        }
        if missing == 0 {
            return None;
        }
        if missing == 1 && row[at] > slabs[at] {
            slabs[at] = row[at];
        }
    }
    for k in 0..last {
        if slabs[k] > 0.0 {
            limited.extend_from_slice(point);
            let base = limited.len() - width;
            limited[base + k] = slabs[k];
        }
    }
    // No row outside the slabs is dominated by one, or dominates one.
    let first = limited.len();
    let mut ties = None;
    for row in archive.chunks_exact(width) {
        if !(0..width).fold(true, |c, k| c & (row[k] > slabs[k])) {
            continue;
        }
        let base = limited.len();
        if row[last] < point[last] && ties.is_none() {
            ties = Some(base / width);
        }
        for k in 0..width {
            limited.push(if row[k] < point[k] { row[k] } else { point[k] });
        }
        let (kept, new) = limited.split_at(base);
        // From here on no row is higher, so that the height need not be compared.
        // Four coordinates are summed by a sweep that skips dominated rows as cheaply as they
        // would be found here; only rows of one height must be free of them.
        let covered = (width > 4 || ties.is_none())
            && kept[first..]
                .chunks_exact(width)
                .any(|r| (0..last).fold(true, |c, k| c & (r[k] >= new[k])));
        if covered {
            limited.truncate(base);
        } else if ties.is_none() {
            drop_dominated(limited, first, width);
        }
    }
    let ties = ties.unwrap_or(limited.len() / width);
    if slabs[last] > 0.0 {
        // All rows kept are higher than this slab.
        limited.extend_from_slice(point);
        let base = limited.len() - width;
        limited[base + last] = slabs[last];
    }
    Some(ties)
}

/// Drops the rows from `first` on that the last row dominates; all of them
/// have the same last coordinate.
#[inline(always)]
fn drop_dominated(rows: &mut Vec<f64>, first: usize, width: usize) {
    let mut i = first;
    while i + width < rows.len() {
        let end = rows.len() - width;
        let dominated = (0..width - 1).fold(true, |c, k| c & (rows[i + k] <= rows[end + k]));
        if dominated {
            // The row before the last moves here, and the last into its place.
            rows.copy_within(end - width..end, i);
            rows.copy_within(end..end + width, end - width);
            rows.truncate(end);
        } else {
            i += width;
        }
    }
}
