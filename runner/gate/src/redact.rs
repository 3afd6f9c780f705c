//! Takes secrets out of everything that is stored or shown, in the forms that tools print them.

use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What stands where a secret was.
const MASK: &str = "***";

/// Knows the values to take out. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor {
    shared: Arc<RwLock<Option<Arc<Matcher>>>>,
}

struct Matcher {
    needles: Vec<Vec<u8>>,
    automaton: AhoCorasick,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Whether there is nothing to take out.
    pub fn is_empty(&self) -> bool {
        self.matcher().is_none()
    }

    fn matcher(&self) -> Option<Arc<Matcher>> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes this value out from now on.
    pub fn learn(&self, secret: &str) {
        let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let mut needles = shared.as_ref().map_or_else(Vec::new, |matcher| matcher.needles.clone());
        for form in forms(secret) {
            if !needles.contains(&form) {
                needles.push(form);
            }
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&needles);
        match automaton {
            Ok(automaton) => *shared = Some(Arc::new(Matcher { needles, automaton })),
            // Only absurdly large sets of patterns fail to build; then nothing may pass unredacted.
            Err(error) => tracing::error!(%error, "a secret is too large to be recognised in output"),
        }
    }

    /// The text without secrets.
    pub fn text(&self, text: String) -> String {
        match self.matcher() {
            Some(matcher) if matcher.automaton.is_match(&text) => {
                let masks = vec![MASK; matcher.needles.len()];
                matcher.automaton.replace_all(&text, &masks)
            }
            _ => text,
        }
    }
}

/// The forms in which a value turns up: as it is, by line, in JSON, in URLs, in base64 at any offset.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    forms.extend(secret.lines().map(str::trim).filter(|line| line.len() >= 8).map(|line| line.as_bytes().to_vec()));
    if let Ok(json) = serde_json::to_string(secret) {
        forms.push(json.trim_matches('"').as_bytes().to_vec());
    }
    forms.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>().into_bytes());
    let percent: String = secret
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    forms.push(percent.into_bytes());
    for lead in 0..3 {
        let mut padded = vec![0; lead];
        padded.extend_from_slice(secret.as_bytes());
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&padded);
            // The first and last characters also depend on the neighbours of the secret.
            let from = [0, 2, 3][lead];
            let to = encoded.len() - usize::from(padded.len() % 3 != 0);
            if to > from + 4 {
                forms.push(encoded.as_bytes()[from..to].to_vec());
            }
        }
    }
    forms.retain(|form| form.len() >= 4);
    forms.sort();
    forms.dedup();
    forms
}

/// Redacts a stream whose chunks may end in the middle of a secret.
#[derive(Default)]
pub(crate) struct StreamRedactor {
    held: Vec<u8>,
}

impl StreamRedactor {
    /// The bytes that may be shown by now.
    pub(crate) fn push(&mut self, redactor: &Redactor, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let Some(matcher) = redactor.matcher() else { return std::mem::take(&mut self.held) };
        let (mut shown, rest) = replaced(&matcher, &self.held);
        let tail = &self.held[rest..];
        let keep = beginning_of_needle(&matcher.needles, tail);
        shown.extend_from_slice(&tail[..tail.len() - keep]);
        self.held.drain(..self.held.len() - keep);
        shown
    }

    /// All that was held back.
    pub(crate) fn finish(&mut self, redactor: &Redactor) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        match redactor.matcher() {
            Some(matcher) => {
                let (mut shown, rest) = replaced(&matcher, &held);
                shown.extend_from_slice(&held[rest..]);
                shown
            }
            None => held,
        }
    }
}

/// Everything up to the end of the last match, replaced; and where that is.
fn replaced(matcher: &Matcher, bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut shown = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for found in matcher.automaton.find_iter(bytes) {
        shown.extend_from_slice(&bytes[at..found.start()]);
        shown.extend_from_slice(MASK.as_bytes());
        at = found.end();
    }
    (shown, at)
}

/// How many bytes at the end may be the beginning of a needle.
fn beginning_of_needle(needles: &[Vec<u8>], tail: &[u8]) -> usize {
    let longest = needles.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1).min(tail.len());
    (1..=longest)
        .rev()
        .find(|&len| needles.iter().any(|needle| needle.len() > len && tail.ends_with(&needle[..len])))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;

    use super::*;

    fn knowing(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.learn(secret);
        redactor
    }

    #[test]
    fn takes_out_the_forms_that_tools_print() {
        let redactor = knowing("p\"ss w/rd+1");
        let basic = base64::engine::general_purpose::STANDARD.encode("user:p\"ss w/rd+1");
        for form in
            ["p\"ss w/rd+1", r#"{"password":"p\"ss w/rd+1"}"#, "p%22ss%20w%2Frd%2B1", "p%22ss+w%2Frd%2B1", &basic]
        {
            let shown = redactor.text(format!("before {form} after"));
            assert!(shown.contains(MASK), "{form} stayed: {shown}");
            assert!(shown.starts_with("before ") && shown.ends_with(" after"));
        }
    }

    #[test]
    fn leaves_everything_else_alone() {
        assert_eq!(knowing("hunter22").text("hunter2 hunter".to_owned()), "hunter2 hunter");
    }

    proptest! {
        #[test]
        fn no_cut_of_a_stream_lets_a_secret_through(prefix in "[a-z]{0,20}", suffix in "[a-z]{0,20}", cuts in proptest::collection::vec(0_usize..60, 0..6)) {
            let redactor = knowing("tops3cret!");
            let text = format!("{prefix}tops3cret!{suffix}");
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut stream = StreamRedactor::default();
            let mut shown = Vec::new();
            let mut at = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                shown.extend(stream.push(&redactor, &text.as_bytes()[at..cut]));
                at = cut;
            }
            shown.extend(stream.finish(&redactor));
            prop_assert_eq!(String::from_utf8(shown).expect("still text"), format!("{prefix}***{suffix}"));
        }
    }
}
