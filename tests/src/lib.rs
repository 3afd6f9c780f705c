//! End to end: real Docker, real registry, conformance.
