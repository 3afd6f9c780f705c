//! Readers of the journal: terminal, JSON, report.
