//! Which names artifacts can have, and the files that stand for them.

use windlass_gate::CallError;

/// The most characters of a name, so that every file system can hold it.
const LONGEST: usize = 200;

/// Stands for `/` in the name of a file. No name of an artifact has it.
const SLASH: &str = "+";

/// The name of the file that stands for an artifact.
pub(super) fn file_of(name: &str) -> Result<String, CallError> {
    match fault(name) {
        None => Ok(name.replace('/', SLASH)),
        Some(fault) => {
            Err(CallError::Invalid(format!("`{}` cannot be the name of an artifact: it {fault}", shortened(name))))
        }
    }
}

fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("is empty".to_owned());
    }
    if name.len() > LONGEST {
        return Some(format!("has {} characters; {LONGEST} is the most", name.chars().count()));
    }
    if let Some(bad) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"._/-".contains(*c)) {
        return Some(format!("has the character {bad:?}; letters, digits, `.`, `_`, `-` and `/` are possible"));
    }
    name.split('/').any(|part| matches!(part, "" | "." | "..")).then(|| {
        "is not a plain relative path; write it like `reports/unit.xml`, without `.`, `..` and empty parts".to_owned()
    })
}

fn shortened(name: &str) -> String {
    let mut text: String = name.chars().take(LONGEST).collect();
    if text.len() < name.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_are_good() {
        for good in ["a", "report", "reports/unit.xml", "a-b_c.1/..d", "...", &"x".repeat(200)] {
            assert!(file_of(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn others_are_not() {
        for bad in
            ["", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "a+b", "ä", "a\0", "a\\b", &"x".repeat(201)]
        {
            assert!(matches!(file_of(bad), Err(CallError::Invalid(_))), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_file_is_one_plain_part_of_a_path_and_stands_for_one_name(one in "[a-c./+_-]{0,8}", other in "[a-c./+_-]{0,8}") {
            if let Ok(file) = file_of(&one) {
                let parts: Vec<_> = Path::new(&file).components().collect();
                prop_assert!(matches!(parts[..], [Component::Normal(_)]), "{file}");
                if let Ok(second) = file_of(&other) {
                    prop_assert_eq!(file == second, one == other);
                }
            }
        }
    }
}
