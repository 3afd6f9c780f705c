//! Two texts line by line: what one has and the other has not.

/// A line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'t> {
    /// In both.
    Both(&'t str),
    /// Only in what was expected.
    Expected(&'t str),
    /// Only in what came.
    Actual(&'t str),
}

/// Texts of more lines than this are shown one after the other: the table of the comparison grows
/// with the product.
const MOST: usize = 2000;

/// The shortest way from one text to the other.
pub(crate) fn lines<'t>(expected: &'t str, actual: &'t str) -> Vec<Line<'t>> {
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    if expected.len().max(actual.len()) > MOST {
        let expected = expected.into_iter().map(Line::Expected);
        return expected.chain(actual.into_iter().map(Line::Actual)).collect();
    }
    let common = common(&expected, &actual);
    let (mut one, mut other) = (0, 0);
    let mut found = Vec::new();
    while one < expected.len() || other < actual.len() {
        if one < expected.len() && other < actual.len() && expected[one] == actual[other] {
            found.push(Line::Both(expected[one]));
            (one, other) = (one + 1, other + 1);
        } else if other == actual.len() || (one < expected.len() && common[one + 1][other] >= common[one][other + 1]) {
            found.push(Line::Expected(expected[one]));
            one += 1;
        } else {
            found.push(Line::Actual(actual[other]));
            other += 1;
        }
    }
    found
}

/// For each pair of places, how many lines the rests have in common at most.
fn common(expected: &[&str], actual: &[&str]) -> Vec<Vec<u32>> {
    let mut common = vec![vec![0; actual.len() + 1]; expected.len() + 1];
    for one in (0..expected.len()).rev() {
        for other in (0..actual.len()).rev() {
            common[one][other] = if expected[one] == actual[other] {
                common[one + 1][other + 1] + 1
            } else {
                common[one + 1][other].max(common[one][other + 1])
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Line::{Actual, Both, Expected};
    use super::*;

    #[test]
    fn what_is_common_stays() {
        assert_eq!(lines("a\nb\nc", "a\nx\nc"), [Both("a"), Expected("b"), Actual("x"), Both("c")]);
        assert_eq!(lines("", "a"), [Actual("a")]);
        assert_eq!(lines("a\nb", "b"), [Expected("a"), Both("b")]);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_from_it(one in "([abc]\n){0,8}", other in "([abc]\n){0,8}") {
            let found = lines(&one, &other);
            let of = |keep: fn(&Line<'_>) -> bool| -> String {
                found.iter().filter(|line| keep(line)).map(|line| match line {
                    Both(text) | Expected(text) | Actual(text) => format!("{text}\n"),
                }).collect()
            };
            prop_assert_eq!(of(|line| !matches!(line, Actual(_))), one.clone());
            prop_assert_eq!(of(|line| !matches!(line, Expected(_))), other);
        }
    }
}
