//! All ratios in one drawing.

use super::{Line, State};
use crate::report::svg::{Anchor, Drawing, Stroke};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 330.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 40.0;
const STEP: f64 = 17.0;
const TEXT: f64 = 11.0;
const MET: &str = "#0072b2";
const MISSED: &str = "#d55e00";
const SHOWN: &str = "#8c8c8c";

/// One dot for each ratio on a logarithmic scale, a line from the least to the most of the rounds, and a
/// stroke at the goal.
pub(super) fn ratios(lines: &[Line]) -> Drawing {
    let drawn: Vec<(&Line, [f64; 3])> = lines
        .iter()
        .filter_map(|l| Some((l, [l.least?, l.ratio?, l.most?])))
        .filter(|(_, ratios)| ratios.iter().all(|r| r.is_finite() && *r > 0.0))
        .collect();
    let groups = drawn
        .iter()
        .zip(std::iter::once(None).chain(drawn.iter().map(Some)))
        .filter(|(now, before)| before.is_none_or(|before| before.0.group != now.0.group))
        .count();
    let height = TOP + STEP * (drawn.len() + 2 * groups) as f64 + 20.0;
    let title = "Time of other libraries divided by ours";
    let mut drawing = Drawing::new(WIDTH, height, title);
    let all = || {
        drawn
            .iter()
            .flat_map(|(l, r)| r.iter().copied().chain(l.goal_ratio))
    };
    let low = all().fold(1.0, f64::min).log10().floor();
    let high = all().fold(10.0, f64::max).log10().ceil();
    let place = |ratio: f64| LEFT + (ratio.log10() - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    if drawn.is_empty() {
        let middle = (WIDTH / 2.0, TOP);
        drawing.text(middle, Anchor::Middle, TEXT, 400, "nothing measured");
        return drawing;
    }
    for exponent in low as i32..=high as i32 {
        let x = place(10f64.powi(exponent));
        let stroke = Stroke {
            color: "currentColor",
            width: if exponent == 0 { 1.5 } else { 1.0 },
            dash: "",
            opacity: if exponent == 0 { 0.6 } else { 0.15 },
        };
        drawing.line((x, TOP - 6.0), (x, height - 12.0), stroke);
        let label = format!("{}×", 10f64.powi(exponent));
        drawing.text((x, TOP - 14.0), Anchor::Middle, TEXT, 400, &label);
    }
    let (mut y, mut group) = (TOP, "");
    for (line, [least, ratio, most]) in drawn {
        if line.group != group {
            group = &line.group;
            y += 2.0 * STEP;
            drawing.text((10.0, y - 4.0), Anchor::Start, TEXT + 1.0, 700, group);
        }
        let color = match line.state {
            State::Met => MET,
            State::NotMet | State::Worse | State::Failed => MISSED,
            State::Missing | State::Stale | State::Unchecked | State::Shown => SHOWN,
        };
        let middle = y + STEP / 2.0;
        let name = format!("{}, {}", line.what, line.peer);
        drawing.text((LEFT - 12.0, middle + 4.0), Anchor::End, TEXT, 400, &name);
        let from = (place(least), middle);
        drawing.line(from, (place(most), middle), Stroke::solid(color, 2.0));
        if let Some(goal) = line.goal_ratio {
            let x = place(goal);
            let stroke = Stroke::solid("currentColor", 1.5);
            drawing.line((x, middle - 6.0), (x, middle + 6.0), stroke);
        }
        let tip = format!("{name}: {ratio:.2}× ({least:.2}–{most:.2})");
        drawing.dot((place(ratio), middle), 4.0, color, &tip);
        y += STEP;
    }
    drawing
}
