//! The bytes that steps print: how observers and readers get at them.

use crate::record::Record;

/// A stretch of log bytes of one batch, and where it stands in the run's log file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogChunk {
    /// Where it begins in the log file.
    pub offset: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The log bytes that belong to a batch of records, without reading the file again.
#[derive(Clone, Copy, Debug)]
pub struct LogView<'a> {
    chunks: &'a [LogChunk],
}

impl<'a> LogView<'a> {
    /// A view of these chunks, which stand in the order of their offsets.
    pub fn new(chunks: &'a [LogChunk]) -> Self {
        Self { chunks }
    }

    /// The bytes of a [`Record::Log`] of the same batch; `None` for any other record.
    pub fn of(&self, record: &Record) -> Option<&'a [u8]> {
        let Record::Log { offset, len, .. } = record else { return None };
        self.bytes(*offset, *len)
    }

    /// The `len` bytes that begin at `offset` of the log file, if this batch wrote them in one chunk.
    pub fn bytes(&self, offset: u64, len: u64) -> Option<&'a [u8]> {
        let after = self.chunks.partition_point(|chunk| chunk.offset <= offset);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        let start = usize::try_from(offset - chunk.offset).ok()?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        chunk.bytes.get(start..end)
    }

    /// Every chunk, in the order of the file.
    pub fn chunks(&self) -> &'a [LogChunk] {
        self.chunks
    }
}

/// Bytes read from a run's log file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogBytes {
    /// What is there.
    pub bytes: Vec<u8>,
    /// How many of the bytes asked for are missing at the end: the power failed before the log's
    /// tail reached the disk, or the file was removed. 0 when all is there.
    pub missing: u64,
}
