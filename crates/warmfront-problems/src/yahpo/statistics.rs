//! The table of smallest and largest target values, `metric,statistic,value,scenario,instance`.

use std::collections::HashMap;

use crate::ProblemError;

/// Smallest and largest value of each (instance, output) of one scenario.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statistics {
    // Looked up only, never iterated: its order is random.
    ranges: HashMap<(String, String), (f64, f64)>,
}

impl Statistics {
    pub(crate) fn read(bytes: &[u8], scenario: &str) -> Result<Self, ProblemError> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, line)| line.trim())
            != Some("metric,statistic,value,scenario,instance")
        {
            return Err(ProblemError::Statistics { line: 1 });
        }
        let mut ranges: HashMap<(String, String), (f64, f64)> = HashMap::new();
        for (index, line) in lines {
            let bad = ProblemError::Statistics { line: index + 1 };
            let cells: Vec<&str> = line.trim().split(',').collect();
            let &[metric, statistic, value, of, instance] = &cells[..] else {
                return Err(bad);
            };
            if of != scenario {
                continue;
            }
            let Ok(value) = value.parse::<f64>() else {
                return Err(bad);
            };
            let range = ranges
                .entry((instance.to_owned(), metric.to_owned()))
                .or_insert((f64::NAN, f64::NAN));
            match statistic {
                "min" => range.0 = value,
                "max" => range.1 = value,
                _ => {}
            }
        }
        Ok(Self { ranges })
    }

    /// Smallest and largest value, if both are known and finite.
    pub(crate) fn range(&self, instance: &str, output: &str) -> Option<(f64, f64)> {
        let range = self.ranges.get(&(instance.to_owned(), output.to_owned()))?;
        (range.0.is_finite() && range.1.is_finite()).then_some(*range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_scenario_are_found_and_bad_lines_named() {
        let table = "metric,statistic,value,scenario,instance\n\
                     acc,min,0.25,rpart,3\nacc,max,0.75,rpart,3\nacc,min,oops,other,3\n";
        let statistics = Statistics::read(table.as_bytes(), "rpart").expect("readable");
        assert_eq!(statistics.range("3", "acc"), Some((0.25, 0.75)));
        assert_eq!(statistics.range("4", "acc"), None);
        let line = |error| match error {
            Err(ProblemError::Statistics { line }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line(Statistics::read(table.as_bytes(), "other")), 4);
        assert_eq!(line(Statistics::read(b"", "rpart")), 1);
    }
}
