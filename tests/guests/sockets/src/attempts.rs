//! The attempts, by the interfaces of WASI.

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp_create_socket::create_udp_socket;

fn loopback(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) })
}

/// Connects, and sends a byte.
pub(crate) fn tcp(port: u16) -> String {
    let socket = match create_tcp_socket(IpAddressFamily::Ipv4) {
        Ok(socket) => socket,
        Err(error) => return format!("create: {error:?}"),
    };
    if let Err(error) = socket.start_connect(&instance_network(), loopback(port)) {
        return format!("connect: {error:?}");
    }
    socket.subscribe().block();
    match socket.finish_connect() {
        Ok((_, output)) => format!("connected: {:?}", output.blocking_write_and_flush(b"x")),
        Err(error) => format!("connect: {error:?}"),
    }
}

/// Binds.
pub(crate) fn udp(port: u16) -> String {
    match create_udp_socket(IpAddressFamily::Ipv4) {
        Ok(socket) => match socket.start_bind(&instance_network(), loopback(port)) {
            Ok(()) => format!("bound: {:?}", socket.finish_bind()),
            Err(error) => format!("bind: {error:?}"),
        },
        Err(error) => format!("create: {error:?}"),
    }
}

/// Looks up a name.
pub(crate) fn lookup() -> String {
    match resolve_addresses(&instance_network(), "localhost") {
        Ok(stream) => {
            stream.subscribe().block();
            format!("resolved: {:?}", stream.resolve_next_address())
        }
        Err(error) => format!("resolve: {error:?}"),
    }
}
