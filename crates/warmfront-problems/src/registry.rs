//! Standard problems by name.

use crate::branin_currin::{branin, branin_currin};
use crate::dtlz::{dtlz1, dtlz2, dtlz3, dtlz5, dtlz7};
use crate::engineering::{car_side_impact, vehicle_safety};
use crate::hartmann::{hartmann3, hartmann6};
use crate::penicillin::penicillin;
use crate::synthetic::Synthetic;
use crate::zdt::{zdt1, zdt2, zdt3};
use crate::{Problem, ProblemError};

enum Maker {
    Fixed {
        dim: usize,
        objectives: usize,
        make: fn() -> Synthetic,
    },
    AnyDim(fn(usize) -> Synthetic),
    AnySize(fn(usize, usize) -> Synthetic),
}

const PROBLEMS: [(&str, Maker); 15] = [
    (
        "branin",
        Maker::Fixed {
            dim: 2,
            objectives: 1,
            make: branin,
        },
    ),
    (
        "branin_currin",
        Maker::Fixed {
            dim: 2,
            objectives: 2,
            make: branin_currin,
        },
    ),
    (
        "car_side_impact",
        Maker::Fixed {
            dim: 7,
            objectives: 4,
            make: car_side_impact,
        },
    ),
    ("dtlz1", Maker::AnySize(dtlz1)),
    ("dtlz2", Maker::AnySize(dtlz2)),
    ("dtlz3", Maker::AnySize(dtlz3)),
    ("dtlz5", Maker::AnySize(dtlz5)),
    ("dtlz7", Maker::AnySize(dtlz7)),
    (
        "hartmann3",
        Maker::Fixed {
            dim: 3,
            objectives: 1,
            make: hartmann3,
        },
    ),
    (
        "hartmann6",
        Maker::Fixed {
            dim: 6,
            objectives: 1,
            make: hartmann6,
        },
    ),
    (
        "penicillin",
        Maker::Fixed {
            dim: 7,
            objectives: 3,
            make: penicillin,
        },
    ),
    (
        "vehicle_safety",
        Maker::Fixed {
            dim: 5,
            objectives: 3,
            make: vehicle_safety,
        },
    ),
    ("zdt1", Maker::AnyDim(zdt1)),
    ("zdt2", Maker::AnyDim(zdt2)),
    ("zdt3", Maker::AnyDim(zdt3)),
];

/// The names of the standard problems, in alphabetical order.
pub fn problem_names() -> impl Iterator<Item = &'static str> {
    PROBLEMS.iter().map(|(name, _)| *name)
}

/// The standard problem of this name with `dim` inputs and `objectives` objectives.
///
/// Hyphens count as underscores and capitals do not matter.
///
/// # Errors
/// If there is no such problem, naming those with a similar name, or it does not come in this size.
///
/// ```
/// use warmfront_problems::{Problem, problem_by_name};
///
/// assert_eq!(problem_by_name("DTLZ2", 6, 3)?.space().dim(), 6);
/// let error = problem_by_name("dtzl2", 6, 3).err().expect("a typing error");
/// assert!(error.to_string().contains("dtlz2"));
/// # Ok::<(), warmfront_problems::ProblemError>(())
/// ```
pub fn problem_by_name(
    name: &str,
    dim: usize,
    objectives: usize,
) -> Result<Box<dyn Problem>, ProblemError> {
    let asked = name.to_lowercase().replace('-', "_");
    let Some((name, maker)) = PROBLEMS.iter().find(|(known, _)| *known == asked) else {
        return Err(ProblemError::UnknownProblem {
            name: name.to_owned(),
            close: close(&asked),
        });
    };
    let wrong_size = |expected| ProblemError::Size {
        name,
        dim,
        objectives,
        expected,
    };
    match *maker {
        Maker::Fixed {
            dim: d,
            objectives: m,
            make,
        } => {
            if (dim, objectives) != (d, m) {
                return Err(ProblemError::FixedSize {
                    name,
                    dim,
                    objectives,
                    d,
                    m,
                });
            }
            Ok(Box::new(make()))
        }
        Maker::AnyDim(make) => {
            if dim < 2 || objectives != 2 {
                return Err(wrong_size(
                    "it needs at least 2 inputs and exactly 2 objectives",
                ));
            }
            Ok(Box::new(make(dim)))
        }
        Maker::AnySize(make) => {
            if objectives < 2 || dim <= objectives {
                return Err(wrong_size(
                    "it needs more inputs than objectives and 2 objectives",
                ));
            }
            Ok(Box::new(make(dim, objectives)))
        }
    }
}

/// The three names with the fewest edits from `asked`, alphabetical among equals.
fn close(asked: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = problem_names().collect();
    names.sort_by_key(|name| edits(asked, name));
    names.truncate(3);
    names
}

/// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_listed_in_order() {
        let names: Vec<_> = problem_names().collect();
        assert!(names.is_sorted());
        for (name, maker) in &PROBLEMS {
            let (d, m) = match maker {
                Maker::Fixed {
                    dim, objectives, ..
                } => (*dim, *objectives),
                Maker::AnyDim(_) => (5, 2),
                Maker::AnySize(_) => (5, 3),
            };
            let problem = problem_by_name(name, d, m).expect("its own size");
            assert_eq!(
                (problem.space().dim(), problem.objectives().len()),
                (d, m),
                "{name}"
            );
            assert!(problem_by_name(name, 1, 1).is_err(), "{name}");
        }
    }

    #[test]
    fn unknown_names_list_the_closest() {
        let check = |asked: &str, message: &str| {
            let error = problem_by_name(asked, 2, 2).err().expect("unknown");
            assert_eq!(error.to_string(), message);
        };
        check(
            "hartman6",
            "no problem is named `hartman6`, close names: hartmann6, hartmann3, branin",
        );
        check(
            "Branin Currin",
            "no problem is named `Branin Currin`, close names: branin_currin, branin, penicillin",
        );
    }
}
