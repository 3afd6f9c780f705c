//! Secrets: references everywhere, values only where the effect happens.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use sha2::{Digest as _, Sha256};
use windlass_journal::{Record, Writer};

use crate::CallError;
use crate::api::Value;
use crate::redact::Redactor;

/// Shorter values turn up in ordinary text, so taking them out would hide what is not secret.
const SHORTEST: usize = 4;

/// Where secrets come from.
pub trait SecretStore: Send + Sync {
    /// The value of a secret. The error says what is missing and where it was looked for.
    ///
    /// # Errors
    /// Words for people.
    fn read(&self, name: &str) -> Result<String, String>;
}

/// The secrets of a run: read when first needed, known to the redactor before anyone uses them.
pub struct Secrets {
    store: Box<dyn SecretStore>,
    known: Mutex<Known>,
    redactor: Redactor,
    /// Where it is recorded that a secret was read.
    journal: OnceLock<Writer>,
}

/// Both by the secret's name.
#[derive(Default)]
struct Known {
    values: HashMap<String, String>,
    /// What the journal has of the values.
    checks: HashMap<String, String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Secrets from a store.
    pub fn new(store: impl SecretStore + 'static) -> Self {
        let (known, redactor, journal) = (Mutex::default(), Redactor::default(), OnceLock::new());
        Self { store: Box::new(store), known, redactor, journal }
    }

    /// Records from now on which secrets are read.
    pub(crate) fn record_in(&self, journal: Writer) {
        // A run has one journal.
        let _ = self.journal.set(journal);
    }

    /// Knows what the journal has of a secret already.
    pub(crate) fn was(&self, name: &str, check: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.checks.insert(name.to_owned(), check.to_owned());
    }

    /// What the journal keeps of a secret's value: see [`Record::SecretRead`].
    ///
    /// # Errors
    /// As [`Secrets::reveal`].
    pub fn check(&self, name: &str) -> Result<String, CallError> {
        self.reveal(&Value::Secret(name.to_owned())).map(|value| check(&value))
    }

    /// What takes them out of output.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The text of a value. That the step may use the secret was checked at the gate.
    ///
    /// # Errors
    /// [`CallError::Invalid`] if there is no such secret, or it cannot be protected.
    pub fn reveal(&self, value: &Value) -> Result<String, CallError> {
        let name = match value {
            Value::Plain(text) => return Ok(text.clone()),
            Value::Secret(name) => name,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.values.get(name) {
            return Ok(text.clone());
        }
        let text = self.store.read(name).map_err(CallError::Invalid)?;
        if text.len() < SHORTEST {
            return Err(CallError::Invalid(format!(
                "secret `{name}` has fewer than {SHORTEST} characters, so it could not be kept out of logs; use a longer one"
            )));
        }
        self.redactor.learn(&text);
        let check = check(&text);
        // Recorded before anybody has the value, so no output with it in is older than the record.
        if let Some(journal) = self.journal.get()
            && known.checks.get(name) != Some(&check)
        {
            journal.append(Record::SecretRead { name: name.clone(), check: check.clone() });
            known.checks.insert(name.clone(), check);
        }
        known.values.insert(name.clone(), text.clone());
        Ok(text)
    }
}

/// Sixteen bits of a digest: a changed value is noticed but for one in 65,536, and of all values that somebody might try
/// one in 65,536 remains. The salt is the same everywhere on purpose: with a fresh one in every run each run's journal
/// would give away sixteen bits more of the same value.
fn check(value: &str) -> String {
    let digest = Sha256::new().chain_update(b"windlass: has the secret changed?\0").chain_update(value).finalize();
    format!("{:02x}{:02x}", digest[0], digest[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_tells_values_apart_and_gives_little_away() {
        assert_eq!(check("s3cr3tvalue"), check("s3cr3tvalue"));
        assert_ne!(check("s3cr3tvalue"), check("other"));
        assert_eq!(check("s3cr3tvalue").len(), 4, "sixteen bits and no more");
    }
}
