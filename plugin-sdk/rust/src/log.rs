//! The step's log: the macros [`debug!`](crate::debug), [`info!`](crate::info), [`warn!`](crate::warn) and
//! [`error!`](crate::error).
//!
//! What a plugin prints on its standard streams goes to the log as well. Needs no grant.

use std::fmt;

pub use crate::bindings::windlass::log::log::Level;

/// Writes a message to the step's log.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    #[cfg(target_arch = "wasm32")]
    match message.as_str() {
        Some(message) => crate::bindings::windlass::log::log::log(level, message),
        None => crate::bindings::windlass::log::log::log(level, &message.to_string()),
    }
    #[cfg(not(target_arch = "wasm32"))]
    crate::mock::logged(|| format!("{}: {message}", format!("{level:?}").trim_start_matches("Level::").to_lowercase()));
}

/// Logs detail for the plugin's author.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($message)+)) };
}

/// Logs what the step does.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Info, ::core::format_args!($($message)+)) };
}

/// Logs that something is off, and the step goes on.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($message)+)) };
}

/// Logs that something failed.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Error, ::core::format_args!($($message)+)) };
}
