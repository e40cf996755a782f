//! Golden values: numbers computed elsewhere, kept as JSON.

use serde_json::Value;

/// A JSON fixture, or a part of one.
///
/// The accessors panic with the path of what is missing or of another type. Numbers that JSON
/// cannot express may be given as the strings `"inf"`, `"-inf"` and `"nan"`.
#[derive(Debug, Clone)]
pub struct Golden {
    value: Value,
    path: String,
}

impl Golden {
    /// Parses a fixture, usually `include_str!("golden/….json")`.
    ///
    /// # Panics
    /// If the text is not JSON.
    #[must_use]
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(value) => Self {
                value,
                path: String::from("$"),
            },
            Err(error) => panic!("the fixture is not JSON: {error}"),
        }
    }

    /// The elements of the top-level list `cases`.
    ///
    /// # Panics
    /// If there is no such list, or it is empty: a test over no cases proves nothing.
    #[must_use]
    #[track_caller]
    pub fn cases(&self) -> Vec<Golden> {
        let cases = self.list("cases");
        assert!(!cases.is_empty(), "{}.cases is empty", self.path);
        cases
    }

    /// The elements of the list `key`.
    ///
    /// # Panics
    /// If there is no such list.
    #[must_use]
    #[track_caller]
    pub fn list(&self, key: &str) -> Vec<Golden> {
        self.get(key).elements()
    }

    /// The member `key`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn get(&self, key: &str) -> Golden {
        match self.try_get(key) {
            Some(member) => member,
            None => panic!("{} has no member `{key}`", self.path),
        }
    }

    /// The member `key`, if it is there and not null.
    #[must_use]
    pub fn try_get(&self, key: &str) -> Option<Golden> {
        let value = self
            .value
            .get(key)
            .filter(|value| !value.is_null())?
            .clone();
        Some(Self {
            value,
            path: format!("{}.{key}", self.path),
        })
    }

    /// Names and members of an object.
    ///
    /// # Panics
    /// If this is not an object.
    #[must_use]
    #[track_caller]
    pub fn members(&self) -> Vec<(String, Golden)> {
        let Value::Object(members) = &self.value else {
            panic!("{} is not an object", self.path);
        };
        let member = |(key, value): (&String, &Value)| {
            let path = format!("{}.{key}", self.path);
            (
                key.clone(),
                Self {
                    value: value.clone(),
                    path,
                },
            )
        };
        members.iter().map(member).collect()
    }

    /// The elements of this list.
    ///
    /// # Panics
    /// If this is not a list.
    #[must_use]
    #[track_caller]
    pub fn elements(&self) -> Vec<Golden> {
        let Value::Array(elements) = &self.value else {
            panic!("{} is not a list", self.path);
        };
        let element = |(index, value): (usize, &Value)| Self {
            value: value.clone(),
            path: format!("{}[{index}]", self.path),
        };
        elements.iter().enumerate().map(element).collect()
    }

    /// The number `key`.
    ///
    /// # Panics
    /// If there is no such number.
    #[must_use]
    #[track_caller]
    pub fn f64(&self, key: &str) -> f64 {
        self.get(key).number()
    }

    /// The whole number `key`.
    ///
    /// # Panics
    /// If there is no such number.
    #[must_use]
    #[track_caller]
    pub fn usize(&self, key: &str) -> usize {
        let member = self.get(key);
        match member.value.as_u64() {
            Some(number) => number as usize,
            None => panic!("{} is not a whole number", member.path),
        }
    }

    /// The truth value `key`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn bool(&self, key: &str) -> bool {
        let member = self.get(key);
        match member.value.as_bool() {
            Some(truth) => truth,
            None => panic!("{} is not a truth value", member.path),
        }
    }

    /// The string `key`.
    ///
    /// # Panics
    /// If there is no such string.
    #[must_use]
    #[track_caller]
    pub fn str(&self, key: &str) -> String {
        let member = self.get(key);
        match member.value.as_str() {
            Some(text) => text.to_owned(),
            None => panic!("{} is not a string", member.path),
        }
    }

    /// The list of numbers `key`.
    ///
    /// # Panics
    /// If there is no such list.
    #[must_use]
    #[track_caller]
    pub fn vec(&self, key: &str) -> Vec<f64> {
        self.get(key).numbers()
    }

    /// The list of truth values `key`.
    ///
    /// # Panics
    /// If there is no such list.
    #[must_use]
    #[track_caller]
    pub fn bools(&self, key: &str) -> Vec<bool> {
        let truth = |element: Golden| match element.value.as_bool() {
            Some(truth) => truth,
            None => panic!("{} is not a truth value", element.path),
        };
        self.list(key).into_iter().map(truth).collect()
    }

    /// The matrix `key`: a list of rows of equal length.
    ///
    /// # Panics
    /// If there is no such list, or the rows differ in length.
    #[must_use]
    #[track_caller]
    pub fn rows(&self, key: &str) -> Vec<Vec<f64>> {
        let member = self.get(key);
        let rows: Vec<Vec<f64>> = member.elements().iter().map(Golden::numbers).collect();
        assert!(
            rows.iter().all(|row| row.len() == rows[0].len()),
            "the rows of {} differ in length",
            member.path
        );
        rows
    }

    /// The matrix `key`, row after row, with its number of rows and columns.
    ///
    /// # Panics
    /// If there is no such matrix.
    #[must_use]
    #[track_caller]
    pub fn matrix(&self, key: &str) -> (Vec<f64>, usize, usize) {
        let rows = self.rows(key);
        let columns = rows.first().map_or(0, Vec::len);
        (rows.concat(), rows.len(), columns)
    }

    /// This value as a number.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    #[track_caller]
    pub fn number(&self) -> f64 {
        let number = match &self.value {
            Value::String(text) => match text.as_str() {
                "inf" => Some(f64::INFINITY),
                "-inf" => Some(f64::NEG_INFINITY),
                "nan" => Some(f64::NAN),
                _ => None,
            },
            value => value.as_f64(),
        };
        match number {
            Some(number) => number,
            None => panic!("{} is not a number", self.path),
        }
    }

    /// This value as a list of numbers.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    #[track_caller]
    pub fn numbers(&self) -> Vec<f64> {
        self.elements().iter().map(Golden::number).collect()
    }

    /// The parsed JSON.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn fixture() -> Golden {
        Golden::parse(
            r#"{"what": "test", "cases": [
                {"n": 2, "x": [0.1, -2], "a": [[1, 2, 3], [4, 5, 6]], "end": "-inf", "yes": [true, false]}
            ]}"#,
        )
    }

    #[test]
    fn values_come_out_as_they_went_in() {
        let golden = fixture();
        assert_eq!(golden.str("what"), "test");
        let case = &golden.cases()[0];
        assert_eq!(case.usize("n"), 2);
        assert_eq!(case.vec("x"), [0.1, -2.0]);
        assert_eq!(case.rows("a")[1], [4.0, 5.0, 6.0]);
        assert_eq!(case.matrix("a"), (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3));
        assert!(case.f64("end").is_infinite() && case.f64("end") < 0.0);
        assert_eq!(case.bools("yes"), [true, false]);
        assert!(case.try_get("absent").is_none());
    }

    #[test]
    fn numbers_are_parsed_to_the_last_digit() {
        for number in [
            0.1 + 0.2,
            1.0 / 3.0,
            5e-324,
            f64::MAX,
            0.625095466604667,
            2.2250738585072014e-308,
        ] {
            let golden = Golden::parse(&format!("[{number:e}]"));
            assert_eq!(golden.numbers()[0].to_bits(), number.to_bits());
        }
    }

    #[test]
    fn complaints_name_the_path() {
        let complaint = |act: fn(&Golden)| {
            let panic = catch_unwind(|| act(&fixture())).expect_err("must complain");
            panic.downcast_ref::<String>().expect("formatted").clone()
        };
        assert_eq!(complaint(|g| _ = g.f64("x")), "$ has no member `x`");
        assert_eq!(
            complaint(|g| _ = g.cases()[0].f64("x")),
            "$.cases[0].x is not a number"
        );
        assert_eq!(
            complaint(|g| _ = g.cases()[0].vec("a")),
            "$.cases[0].a[0] is not a number"
        );
        assert_eq!(complaint(|g| _ = g.vec("what")), "$.what is not a list");
    }
}
