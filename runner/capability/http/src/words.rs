//! Sizes, times and addresses in words for people.

use std::time::Duration;

use url::Url;

/// A URL without what may be secret in it or makes it long: the query and the fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// `1 MiB`, or the bytes if the size is not round.
pub(crate) fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    const KIB: u64 = 1 << 10;
    match bytes {
        0 => "0 bytes".to_owned(),
        _ if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} bytes"),
    }
}

/// `2 s`, or the milliseconds if the time is not round.
pub(crate) fn time(limit: Duration) -> String {
    match limit.as_millis() {
        millis if millis >= 1000 && millis.is_multiple_of(1000) => format!("{} s", millis / 1000),
        millis => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_are_short() {
        assert_eq!(size(1 << 20), "1 MiB");
        assert_eq!(size(3 << 10), "3 KiB");
        assert_eq!(size(1025), "1025 bytes");
        assert_eq!(time(Duration::from_secs(30)), "30 s");
        assert_eq!(time(Duration::from_millis(1500)), "1500 ms");
    }

    #[test]
    fn a_query_is_not_shown() {
        let url = Url::parse("http://127.0.0.1:8080/a/b?token=x#y").expect("a URL");
        assert_eq!(shown(&url), "http://127.0.0.1:8080/a/b");
    }
}
