//! The checksum of a row.
//!
//! SQLite notices when the structure of its file is damaged, but not when a byte within a text or a
//! number is another one. A journal is what a resume and a replay go by, so every row of `entry` and
//! `run` carries a CRC-32 of what it says, and is held against it when it is read. It finds every
//! change of up to four bytes in a row, and any other with odds of four thousand million to one. It
//! is no protection against a person who changes the file on purpose.

use crc32fast::Hasher;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

/// How many bytes a number takes in the sum: its kind, and itself.
const NUMBER: usize = 9;

/// A sum that is being made: the columns one after the other.
///
/// Each column is a byte for its kind, and then nothing (0, NULL), the number's eight bytes, lowest
/// first (1), or the text's length in the same form and its bytes (2).
#[derive(Default)]
pub(crate) struct Sum(Hasher);

impl Sum {
    /// Takes in columns that are numbers or NULL.
    pub(crate) fn numbers<const N: usize>(&mut self, numbers: [Option<i64>; N]) {
        let mut bytes = [[0; NUMBER]; N];
        let mut used = 0;
        let flat = bytes.as_flattened_mut();
        for number in numbers {
            match number {
                None => {
                    flat[used] = 0;
                    used += 1;
                }
                Some(number) => {
                    flat[used] = 1;
                    flat[used + 1..used + NUMBER].copy_from_slice(&number.to_le_bytes());
                    used += NUMBER;
                }
            }
        }
        self.0.update(&flat[..used]);
    }

    /// Takes in a column that is a text or NULL.
    pub(crate) fn text(&mut self, text: Option<&[u8]>) {
        match text {
            None => self.0.update(&[0]),
            Some(text) => {
                let mut head = [2; NUMBER];
                head[1..].copy_from_slice(&(text.len() as u64).to_le_bytes());
                self.0.update(&head);
                self.0.update(text);
            }
        }
    }

    /// The sum of the columns so far, as it is stored.
    pub(crate) fn finish(self) -> i64 {
        i64::from(self.0.finalize())
    }
}

/// The sum of a row's first `columns` columns.
pub(crate) fn of_row(row: &Row<'_>, columns: usize) -> rusqlite::Result<i64> {
    let mut sum = Sum::default();
    for column in 0..columns {
        match row.get_ref(column)? {
            ValueRef::Null => sum.numbers([None]),
            ValueRef::Integer(number) => sum.numbers([Some(number)]),
            ValueRef::Text(text) => sum.text(Some(text)),
            // Nothing like this is ever written; it gives a sum that nothing else has.
            ValueRef::Real(_) | ValueRef::Blob(_) => sum.0.update(&[3]),
        }
    }
    Ok(sum.finish())
}

/// Whether a row's first `columns` columns are those of which the next one is the sum.
pub(crate) fn holds(row: &Row<'_>, columns: usize) -> bool {
    let stored = row.get::<_, i64>(columns);
    matches!((of_row(row, columns), stored), (Ok(found), Ok(stored)) if found == stored)
}

/// `sha256:...` of a pipeline's text.
pub(crate) fn digest(text: &str) -> String {
    let hex = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    let hash = Sha256::digest(text.as_bytes());
    "sha256:".chars().chain(hash.iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)])).collect()
}
