//! What one step may use up, and how it is noticed when it wants more.

use wasmtime::ResourceLimiter;
use windlass_pipeline::Limits as Wanted;

const MIB: u64 = 1024 * 1024;

/// The limits of one step, with every default filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory in bytes, all of the instance's memories together.
    pub memory: u64,
    /// WebAssembly instructions, roughly.
    pub fuel: u64,
    /// Calls through the gate. Log lines do not count: the log has a bound of its own.
    pub calls: u64,
    /// Elements of each table.
    pub table_elements: u64,
    /// Bytes of log that are kept.
    pub log: u64,
    /// Bytes of outputs, all together.
    pub outputs: u64,
}

impl Default for Limits {
    /// Room for what plugins do, and an end for what they should not: the fuel lasts for about a
    /// minute of pure computing.
    fn default() -> Self {
        Self {
            memory: 256 * MIB,
            fuel: 100_000_000_000,
            calls: 100_000,
            table_elements: 100_000,
            log: 8 * MIB,
            outputs: MIB,
        }
    }
}

impl From<&Wanted> for Limits {
    fn from(wanted: &Wanted) -> Self {
        let default = Self::default();
        Self {
            memory: wanted.memory.unwrap_or(default.memory),
            fuel: wanted.fuel.unwrap_or(default.fuel),
            calls: wanted.calls.unwrap_or(default.calls),
            table_elements: wanted.table_elements.unwrap_or(default.table_elements),
            log: wanted.log.unwrap_or(default.log),
            outputs: wanted.output.unwrap_or(default.outputs),
        }
    }
}

/// Counts what an instance takes, and remembers what it was refused: a guest that gets no memory
/// ends in a trap that says nothing of memory.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory: usize,
    table_elements: usize,
    taken: usize,
    pub(crate) refused_memory: bool,
    pub(crate) refused_table: bool,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory: usize::try_from(limits.memory).unwrap_or(usize::MAX),
            table_elements: usize::try_from(limits.table_elements).unwrap_or(usize::MAX),
            taken: 0,
            refused_memory: false,
            refused_table: false,
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let taken = self.taken.saturating_add(desired.saturating_sub(current));
        if taken > self.memory {
            self.refused_memory = true;
            return Ok(false);
        }
        self.taken = taken;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.table_elements;
        self.refused_table |= !fits;
        Ok(fits)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}
