//! Tries to reach the network by WASI's sockets, which are closed to plugins: either the component is refused for its
//! imports, or every attempt fails.
//!
//! `std::net` does not link against every wasi-libc, so this calls the interfaces themselves.

mod attempts;

use windlass_plugin::prelude::*;

/// Tries to reach the network by WASI's sockets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct With {
    /// The port on the loopback interface to connect to.
    port: u16,
}

#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// What came of each attempt: a TCP connection, a bound UDP socket, the look-up of a name.
    attempts: Vec<String>,
}

struct Sockets;

impl Plugin for Sockets {
    type With = With;
    type Outputs = Outputs;

    fn run(with: With, _: &Context) -> Result<Outputs, Failure> {
        Ok(Outputs { attempts: vec![attempts::tcp(with.port), attempts::udp(with.port), attempts::lookup()] })
    }
}

windlass_plugin::export!(Sockets);
