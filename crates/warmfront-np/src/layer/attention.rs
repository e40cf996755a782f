//! Attention of tokens to the history, and of candidates to themselves.
//!
//! Tokens are the history's, then the candidates'. A candidate sees all of the history and itself, so
//! that its row of scores is one column wider than the history: the last one is its own key. Products
//! are over the history only, `O((n + N)·n)`, and the own key is handled row by row.

use warmfront_linalg::single::{
    Visible, add_product, add_scaled_rows, product, row_dots, scaled_rows, softmax_rows,
    softmax_rows_backward, view, view_mut,
};

/// Rows of scores that are held at once where no backward pass follows.
const CHUNK: usize = 128;
/// Rows of scores are a multiple of this long, so that no vector is cut.
const LANES: usize = 16;

/// Which tokens there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// All tokens.
    pub(crate) rows: usize,
    /// The first token whose output somebody needs.
    pub(crate) first: usize,
    /// The first token that is a candidate.
    pub(crate) queries: usize,
    pub(crate) width: usize,
    pub(crate) heads: usize,
    /// Whether a token of the history sees only itself and those before.
    pub(crate) causal: bool,
}

/// Keys and values of the history: `len` rows, `stride` apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) stride: usize,
    /// Where in a row the keys begin, and the values.
    pub(crate) keys: usize,
    pub(crate) values: usize,
    pub(crate) len: usize,
}

impl Shape {
    /// The keys and values of the history among the tokens.
    pub(crate) fn own_keys<'a>(&self, projected: &'a [f32]) -> Keys<'a> {
        Keys {
            data: projected,
            stride: 3 * self.width,
            keys: self.width,
            values: 2 * self.width,
            len: self.queries,
        }
    }

    /// The tokens that are needed: candidates, then those of the history.
    fn segments(&self) -> [Segment; 2] {
        [
            Segment {
                from: self.queries.max(self.first),
                to: self.rows,
                own: true,
            },
            Segment {
                from: self.first.min(self.queries),
                to: self.queries,
                own: false,
            },
        ]
    }

    fn scale(&self) -> f32 {
        1.0 / ((self.width / self.heads) as f32).sqrt()
    }
}

/// Tokens of one kind.
#[derive(Debug, Clone, Copy)]
struct Segment {
    from: usize,
    to: usize,
    /// Whether they see their own key besides the history.
    own: bool,
}

impl Segment {
    fn visible(&self, shape: &Shape, keys: usize) -> Visible {
        if self.own {
            Visible::Same(keys + 1)
        } else if shape.causal {
            Visible::Growing(self.from + 1)
        } else {
            Visible::Same(keys)
        }
    }

    fn chunks(self, size: usize) -> impl Iterator<Item = Self> {
        (self.from..self.to).step_by(size).map(move |from| Self {
            from,
            to: self.to.min(from + size),
            own: self.own,
        })
    }
}

/// Length of a row of scores.
fn row(keys: usize) -> usize {
    (keys + 1).next_multiple_of(LANES)
}

/// Writes what each token from `shape.first` on attends to into `out` (`rows×width`); with `keep`,
/// `probabilities` holds all heads' afterwards.
pub(crate) fn forward(
    shape: &Shape,
    projected: &[f32],
    keys: &Keys<'_>,
    keep: bool,
    probabilities: &mut Vec<f32>,
    out: &mut [f32],
) {
    let width = row(keys.len);
    let held = if keep {
        shape.heads * shape.rows
    } else {
        CHUNK.min(shape.rows)
    };
    probabilities.resize(held * width, 0.0);
    for head in 0..shape.heads {
        for segment in shape.segments() {
            let size = if keep { shape.rows } else { CHUNK };
            for part in segment.chunks(size.max(1)) {
                let at = if keep {
                    head * shape.rows + part.from
                } else {
                    0
                };
                let scores = &mut probabilities[at * width..][..(part.to - part.from) * width];
                attend(shape, head, part, projected, keys, scores, out);
            }
        }
    }
}

fn attend(
    shape: &Shape,
    head: usize,
    part: Segment,
    projected: &[f32],
    keys: &Keys<'_>,
    scores: &mut [f32],
    out: &mut [f32],
) {
    let (size, stride, width) = (shape.width / shape.heads, 3 * shape.width, row(keys.len));
    let (rows, n) = (part.to - part.from, keys.len);
    let at = head * size;
    let tokens = &projected[part.from * stride..];
    let query = &tokens[at..];
    let key = &keys.data[(keys.keys + at).min(keys.data.len())..];
    let value = &keys.data[(keys.values + at).min(keys.data.len())..];
    product(
        view_mut(scores, rows, n, width),
        view(query, rows, size, stride),
        view(key, n, size, keys.stride).transpose(),
    );
    if part.own {
        let own = &tokens[shape.width + at..];
        row_dots(
            rows,
            size,
            query,
            stride,
            own,
            stride,
            &mut scores[n..],
            width,
        );
    }
    softmax_rows(scores, width, part.visible(shape, n), shape.scale());
    let out = &mut out[part.from * shape.width + at..];
    product(
        view_mut(out, rows, size, shape.width),
        view(scores, rows, n, width),
        view(value, n, size, keys.stride),
    );
    if part.own {
        let own = &tokens[2 * shape.width + at..];
        add_scaled_rows(
            rows,
            size,
            &scores[n..],
            width,
            own,
            stride,
            out,
            shape.width,
        );
    }
}

/// Writes the gradient by queries, keys and values (`rows×3·width`), given that by the output of
/// [`forward`]. Keys that are not the tokens' own (`!own`) get none.
pub(crate) fn backward(
    shape: &Shape,
    projected: &[f32],
    keys: &Keys<'_>,
    own: bool,
    probabilities: &[f32],
    d_out: &[f32],
    scratch: &mut Vec<f32>,
    d: &mut [f32],
) {
    let width = row(keys.len);
    scratch.resize(shape.rows * width, 0.0);
    for token in d.chunks_exact_mut(3 * shape.width).take(shape.first) {
        token[..shape.width].fill(0.0);
    }
    for head in 0..shape.heads {
        for (i, part) in shape.segments().into_iter().enumerate() {
            let rows = part.to - part.from;
            let p = &probabilities[(head * shape.rows + part.from) * width..][..rows * width];
            let scores = &mut scratch[..rows * width];
            // The first segment writes the history's gradients, also where it is empty.
            let history = own.then_some(i == 0);
            attend_backward(
                shape, head, part, projected, keys, history, p, d_out, scores, d,
            );
        }
    }
}

fn attend_backward(
    shape: &Shape,
    head: usize,
    part: Segment,
    projected: &[f32],
    keys: &Keys<'_>,
    history: Option<bool>,
    p: &[f32],
    d_out: &[f32],
    scores: &mut [f32],
    d: &mut [f32],
) {
    let (size, stride, width) = (shape.width / shape.heads, 3 * shape.width, row(keys.len));
    let (rows, n) = (part.to - part.from, keys.len);
    let at = head * size;
    if rows > 0 {
        let tokens = &projected[part.from * stride..];
        let d_out = &d_out[part.from * shape.width + at..];
        let key = &keys.data[(keys.keys + at).min(keys.data.len())..];
        let value = &keys.data[(keys.values + at).min(keys.data.len())..];
        product(
            view_mut(scores, rows, n, width),
            view(d_out, rows, size, shape.width),
            view(value, n, size, keys.stride).transpose(),
        );
        if part.own {
            let own = &tokens[2 * shape.width + at..];
            row_dots(
                rows,
                size,
                d_out,
                shape.width,
                own,
                stride,
                &mut scores[n..],
                width,
            );
        }
        softmax_rows_backward(p, scores, width, part.visible(shape, n), shape.scale());
        let d = &mut d[part.from * stride..];
        product(
            view_mut(&mut d[at..], rows, size, stride),
            view(scores, rows, n, width),
            view(key, n, size, keys.stride),
        );
        if part.own {
            let (d_score, probability) = (&scores[n..], &p[n..]);
            let own = &tokens[shape.width + at..];
            add_scaled_rows(
                rows,
                size,
                d_score,
                width,
                own,
                stride,
                &mut d[at..],
                stride,
            );
            let d_key = &mut d[shape.width + at..];
            scaled_rows(
                rows,
                size,
                d_score,
                width,
                &tokens[at..],
                stride,
                d_key,
                stride,
            );
            let d_value = &mut d[2 * shape.width + at..];
            scaled_rows(
                rows,
                size,
                probability,
                width,
                d_out,
                shape.width,
                d_value,
                stride,
            );
        }
    }
    let Some(replace) = history else { return };
    if n == 0 {
        return;
    }
    let multiply = if replace { product } else { add_product };
    let query = &projected[(part.from * stride + at).min(projected.len())..];
    multiply(
        view_mut(&mut d[shape.width + at..], n, size, stride),
        view(scores, rows, n, width).transpose(),
        view(query, rows, size, stride),
    );
    let d_out = &d_out[(part.from * shape.width + at).min(d_out.len())..];
    multiply(
        view_mut(&mut d[2 * shape.width + at..], n, size, stride),
        view(p, rows, n, width).transpose(),
        view(d_out, rows, size, shape.width),
    );
}
