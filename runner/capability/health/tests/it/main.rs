//! Health checks over capabilities that answer what a test says.

mod script;
mod targets;
mod triad;
mod wait;
