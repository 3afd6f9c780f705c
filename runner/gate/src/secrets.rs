//! Secrets: references everywhere, values only where the effect happens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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
    known: Mutex<HashMap<String, String>>,
    redactor: Redactor,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Secrets from a store.
    pub fn new(store: impl SecretStore + 'static) -> Self {
        Self { store: Box::new(store), known: Mutex::default(), redactor: Redactor::default() }
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
        if let Some(text) = known.get(name) {
            return Ok(text.clone());
        }
        let text = self.store.read(name).map_err(CallError::Invalid)?;
        if text.len() < SHORTEST {
            return Err(CallError::Invalid(format!(
                "secret `{name}` has fewer than {SHORTEST} characters, so it could not be kept out of logs; use a longer one"
            )));
        }
        self.redactor.learn(&text);
        known.insert(name.clone(), text.clone());
        Ok(text)
    }
}
