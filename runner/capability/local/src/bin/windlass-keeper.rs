//! A keeper.
fn main() {}
