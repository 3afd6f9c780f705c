//! What things are called.

/// The longest name of a container: that of a host, since it is one on the container's networks.
const LONGEST: usize = 63;

/// The name of a container: `SERVICE-REVISION-N`. One that would be too long has a hash of the revision instead, and
/// begins with the service still, as grants like `storefront-*` expect.
pub(crate) fn container(service: &str, revision: &str, replica: u32) -> String {
    let name = format!("{service}-{revision}-{replica}");
    if name.len() <= LONGEST {
        return name;
    }
    let end = format!("-{:016x}-{replica}", hash(&format!("{service}/{revision}")));
    let room = LONGEST.saturating_sub(end.len());
    let service: String = service.chars().take(room).collect();
    service + &end
}

/// FNV-1a: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Hundredths of a percent as people write them: `12.5 %`.
pub(crate) fn percent(weight: u32) -> String {
    let text = format!("{}.{:02}", weight / 100, weight % 100);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Milliseconds as people write them: `1m30s`.
pub(crate) fn span(millis: u64) -> String {
    windlass_analysis::Span(millis).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_differ() {
        assert_eq!(container("shop", "0123456789", 1), "shop-0123456789-1");
        let long = "v".repeat(128);
        let names =
            [container("shop", &long, 1), container("shop", &format!("{long}x"), 1), container("shop", &long, 12)];
        for name in &names {
            assert!(name.len() <= LONGEST && name.starts_with("shop-"), "{name}");
        }
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2]);
        assert_eq!(container(&"s".repeat(63), "r", 1000).len(), LONGEST);
    }

    #[test]
    fn percent_and_spans() {
        assert_eq!([10_000, 1_250, 5, 3_334].map(percent), ["100 %", "12.5 %", "0.05 %", "33.34 %"]);
        assert_eq!([0, 90_000, 1_500].map(span), ["0s", "1m30s", "1s500ms"]);
    }
}
