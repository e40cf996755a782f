//! Colours and dashes of methods.

use crate::profile::base_name;

/// Colour and dash of a method, the same in every plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// From the Okabe-Ito set, which readers with any colour vision can tell apart.
    pub color: &'static str,
    /// As in `stroke-dasharray`: the second way to tell lines apart.
    pub dash: &'static str,
    /// Drawn thicker and last.
    pub emphasis: bool,
}

/// The style of a method; unknown ones take what is left over by position.
#[must_use]
pub fn style(method: &str, position: usize) -> Style {
    let plain = |color, dash| Style {
        color,
        dash,
        emphasis: false,
    };
    match base_name(method) {
        "smog" | "primo" | "pmto-improved" | "nap" => Style {
            color: "#d55e00",
            dash: "",
            emphasis: true,
        },
        "random" => plain("#8c8c8c", "2 3"),
        "sobol" => plain("#8c8c8c", "7 3"),
        "ind-gp" => plain("#56b4e9", "7 3"),
        "mo-gp" | "smog-no-meta" => plain("#0072b2", ""),
        "ind-scaml" => plain("#009e73", ""),
        "ind-rgpe" => plain("#cc79a7", "7 3"),
        "ind-ablr" => plain("#e69f00", ""),
        "smog-rho0" => plain("#009e73", "7 3"),
        "smog-shared-weights" => plain("#cc79a7", ""),
        "random-prior" => plain("#8c8c8c", "7 3"),
        "moasha" => plain("#cc79a7", "2 3"),
        "moasha-prior" => plain("#cc79a7", ""),
        "mo-priorband" => plain("#e69f00", ""),
        "pibo-rw" => plain("#009e73", ""),
        "bo-rw-proper" => plain("#56b4e9", "7 3"),
        "nehvi-bo" => plain("#0072b2", ""),
        "parego" => plain("#0072b2", "7 3"),
        "primo-paper" => plain("#d55e00", "2 3"),
        "primo-as-run" => plain("#d55e00", "7 3"),
        "primo-no-prior" => plain("#0072b2", "2 3"),
        "st" => plain("#56b4e9", ""),
        "mt" => plain("#56b4e9", "7 3"),
        "self" => plain("#cc79a7", ""),
        "pt-me" => plain("#8c8c8c", ""),
        "revi" => plain("#cc79a7", "7 3"),
        "pmto-ft" => plain("#0072b2", ""),
        "pmto-rt" => plain("#009e73", "7 3"),
        "pmto" => plain("#009e73", ""),
        "pmto-high" => plain("#e69f00", "7 3"),
        "pmto-hybrid" => plain("#e69f00", ""),
        "smog-equal-init" => plain("#e69f00", "9 3 2 3"),
        _ => {
            const COLORS: [&str; 5] = ["#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
            const DASHES: [&str; 3] = ["", "7 3", "2 3"];
            plain(
                COLORS[position % COLORS.len()],
                DASHES[position / COLORS.len() % DASHES.len()],
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_one_experiment_look_different() {
        let smog = [
            "random",
            "sobol",
            "ind-gp",
            "mo-gp",
            "ind-scaml",
            "ind-rgpe",
            "ind-ablr",
            "smog",
        ];
        check(&smog);
        check(&crate::primo::page::SHOWN);
        check(&crate::pmto::traces::SHOWN);
    }

    fn check(names: &[&str]) {
        let styles: Vec<Style> = names.iter().map(|n| style(n, 0)).collect();
        for (i, a) in styles.iter().enumerate() {
            assert!(
                styles[..i]
                    .iter()
                    .all(|b| (a.color, a.dash) != (b.color, b.dash))
            );
        }
    }
}
