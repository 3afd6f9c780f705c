//! The wall clock of records.

use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock now, in microseconds since the Unix epoch; 0 if the clock stands before it.
pub fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
