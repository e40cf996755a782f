//! Names that were meant.

/// `; did you mean …?` with the nearest name, or the list of all names.
pub(crate) fn suggestion(name: &str, all: &[&str]) -> String {
    let nearest = all
        .iter()
        .min_by_key(|candidate| edit_distance(name, candidate));
    match nearest {
        Some(nearest) if edit_distance(name, nearest) <= name.len().max(3) / 2 => {
            format!("; did you mean `{nearest}`?")
        }
        _ => format!("; there are: {}", all.join(", ")),
    }
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name() {
        let check = |a: &str, b: &str, d| assert_eq!(edit_distance(a, b), d, "{a} {b}");
        check("kitten", "sitting", 3);
        check("", "abc", 3);
        check("smog", "smog", 0);
        assert_eq!(
            suggestion("hartman-2", &["terrain", "hartmann-2"]),
            "; did you mean `hartmann-2`?"
        );
        assert_eq!(suggestion("zzzzzz", &["ab", "cd"]), "; there are: ab, cd");
    }
}
