//! Names of WIT in the ways of other languages.

/// `image-id` as `imageId`.
pub(super) fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut letters = pascal.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// `image-id` as `ImageId`.
pub(super) fn pascal(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    });
    words.collect()
}

/// `image-id` as `image_id`.
pub(super) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// `image-id` as `IMAGE_ID`.
pub(super) fn shouting(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_each_way() {
        assert_eq!(camel("p50-us"), "p50Us");
        assert_eq!(pascal("build-spec"), "BuildSpec");
        assert_eq!(snake("no-cache"), "no_cache");
        assert_eq!(shouting("on-failure"), "ON_FAILURE");
    }
}
