//! Reads bodies without ever holding more than the limit.

use reqwest::Response;

/// Why a body could not be read.
pub(crate) enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// The connection broke off.
    Broken(reqwest::Error),
}

/// Reads the whole body.
pub(crate) async fn whole(response: &mut Response, limit: u64) -> Result<Vec<u8>, BodyError> {
    // A server that says beforehand that it is too much is not listened to.
    let announced = response.content_length().unwrap_or(0);
    if announced > limit {
        return Err(BodyError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() as u64 + chunk.len() as u64 > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Whether the first `limit` bytes of the body have this text. Stops reading once they do, so that a
/// stream without an end is no obstacle.
pub(crate) async fn contains(response: &mut Response, text: &str, limit: usize) -> Result<bool, reqwest::Error> {
    let mut search = Search::new(text, limit);
    while !search.over() {
        match response.chunk().await? {
            Some(chunk) => search.push(&chunk),
            None => break,
        }
    }
    Ok(search.found)
}

/// Looks for a text in what comes in pieces.
struct Search<'a> {
    text: &'a [u8],
    left: usize,
    /// The end of what came before, which may be the beginning of the text.
    held: Vec<u8>,
    found: bool,
}

impl<'a> Search<'a> {
    fn new(text: &'a str, limit: usize) -> Self {
        Self { text: text.as_bytes(), left: limit, held: Vec::new(), found: text.is_empty() }
    }

    fn over(&self) -> bool {
        self.found || self.left == 0
    }

    fn push(&mut self, chunk: &[u8]) {
        let chunk = &chunk[..chunk.len().min(self.left)];
        self.left -= chunk.len();
        self.held.extend_from_slice(chunk);
        self.found |= self.text.is_empty() || self.held.windows(self.text.len()).any(|window| window == self.text);
        let keep = self.text.len().saturating_sub(1).min(self.held.len());
        self.held.drain(..self.held.len() - keep);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(body in "[ab]{0,40}", text in "[ab]{0,5}", limit in 0_usize..50, cuts in proptest::collection::vec(0_usize..40, 0..5)) {
            let mut search = Search::new(&text, limit);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.sort_unstable();
            let mut at = 0;
            for cut in cuts.into_iter().chain([body.len()]) {
                search.push(&body.as_bytes()[at..cut]);
                at = cut;
            }
            prop_assert_eq!(search.found, body[..limit.min(body.len())].contains(&text));
        }
    }
}
