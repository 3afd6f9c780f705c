//! The functions of the contract: the host's on Wasm, a mock's in `cargo test`.

/// Defines functions of an interface. What is behind them is decided by where they run.
macro_rules! host {
    ($interface:literal, $raw:path => $(
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $of:ty),* $(,)?) $(-> $answer:ty)?;
    )*) => {$(
        $(#[$attribute])*
        pub fn $name($($argument: $of),*) $(-> $answer)? {
            #[cfg(target_arch = "wasm32")]
            {
                use $raw as raw;
                raw::$name($($argument),*)
            }
            #[cfg(not(target_arch = "wasm32"))]
            {
                let arguments: &[&dyn ::core::fmt::Debug] = &[$(&$argument),*];
                crate::mock::called($name, concat!($interface, ".", stringify!($name)), arguments)
            }
        }
    )*};
}
pub(crate) use host;
