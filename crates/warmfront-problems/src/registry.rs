//! Standard problems by name.

use crate::branin_currin::{branin, branin_currin};
use crate::dtlz::{dtlz1, dtlz2, dtlz3, dtlz5, dtlz7};
use crate::engineering::{car_side_impact, vehicle_safety};
use crate::hartmann::{hartmann3, hartmann6};
use crate::multi_fidelity::{MfHartmann, MfHartmannKind, MfZdt, MomfBraninCurrin, MomfPark};
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

const fn fixed(
    name: &'static str,
    dim: usize,
    objectives: usize,
    make: fn() -> Synthetic,
) -> (&'static str, Maker) {
    let maker = Maker::Fixed {
        dim,
        objectives,
        make,
    };
    (name, maker)
}

const PROBLEMS: [(&str, Maker); 31] = [
    fixed("branin", 2, 1, branin),
    fixed("branin_currin", 2, 2, branin_currin),
    fixed("car_side_impact", 7, 4, car_side_impact),
    ("dtlz1", Maker::AnySize(dtlz1)),
    ("dtlz2", Maker::AnySize(dtlz2)),
    ("dtlz3", Maker::AnySize(dtlz3)),
    ("dtlz5", Maker::AnySize(dtlz5)),
    ("dtlz7", Maker::AnySize(dtlz7)),
    fixed("hartmann3", 3, 1, hartmann3),
    fixed("hartmann6", 6, 1, hartmann6),
    fixed("mf_hartmann3_bad", 3, 1, || {
        mf_hartmann(3, MfHartmannKind::Bad)
    }),
    fixed("mf_hartmann3_good", 3, 1, || {
        mf_hartmann(3, MfHartmannKind::Good)
    }),
    fixed("mf_hartmann3_moderate", 3, 1, || {
        mf_hartmann(3, MfHartmannKind::Moderate)
    }),
    fixed("mf_hartmann3_plain", 3, 1, || {
        mf_hartmann(3, MfHartmannKind::Plain)
    }),
    fixed("mf_hartmann3_terrible", 3, 1, || {
        mf_hartmann(3, MfHartmannKind::Terrible)
    }),
    fixed("mf_hartmann6_bad", 6, 1, || {
        mf_hartmann(6, MfHartmannKind::Bad)
    }),
    fixed("mf_hartmann6_good", 6, 1, || {
        mf_hartmann(6, MfHartmannKind::Good)
    }),
    fixed("mf_hartmann6_moderate", 6, 1, || {
        mf_hartmann(6, MfHartmannKind::Moderate)
    }),
    fixed("mf_hartmann6_plain", 6, 1, || {
        mf_hartmann(6, MfHartmannKind::Plain)
    }),
    fixed("mf_hartmann6_terrible", 6, 1, || {
        mf_hartmann(6, MfHartmannKind::Terrible)
    }),
    (
        "mf_zdt1",
        Maker::AnyDim(|dim| MfZdt::zdt1(dim).into_synthetic()),
    ),
    (
        "mf_zdt6",
        Maker::AnyDim(|dim| MfZdt::zdt6(dim).into_synthetic()),
    ),
    fixed("momf_branin_currin", 2, 2, || {
        MomfBraninCurrin::new().into_synthetic()
    }),
    fixed("momf_branin_currin_inverted", 2, 2, || {
        MomfBraninCurrin::inverted().into_synthetic()
    }),
    fixed("momf_park", 4, 2, || MomfPark::new().into_synthetic()),
    fixed("momf_park_inverted", 4, 2, || {
        MomfPark::inverted().into_synthetic()
    }),
    fixed("penicillin", 7, 3, penicillin),
    fixed("vehicle_safety", 5, 3, vehicle_safety),
    ("zdt1", Maker::AnyDim(zdt1)),
    ("zdt2", Maker::AnyDim(zdt2)),
    ("zdt3", Maker::AnyDim(zdt3)),
];

fn mf_hartmann(dim: usize, kind: MfHartmannKind) -> Synthetic {
    MfHartmann::new(dim, kind).into_synthetic()
}

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
            "no problem is named `Branin Currin`, close names: branin_currin, momf_branin_currin, branin",
        );
    }
}
