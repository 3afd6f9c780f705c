//! The way to an endpoint: a connection to it, or to another one when it cannot be reached.

use super::proxy::{Proxy, Request, TRIES};
use crate::run::Unserved;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

impl Proxy {
    /// Connects; the flight is then at the endpoint that was reached. Otherwise: what to tell the client.
    pub(super) async fn reach(&self, request: &mut Request) -> Result<(TcpStream, SocketAddr), (u16, String)> {
        loop {
            let Some(flight) = &request.flight else {
                return Err((502, "the service cannot be reached".to_owned()));
            };
            let limit = flight.endpoint.peer.options.connection_timeout.unwrap_or(Duration::from_secs(1));
            let address = flight.endpoint.address;
            if let Ok(Ok(stream)) = tokio::time::timeout(limit, TcpStream::connect(address)).await {
                flight.endpoint.reached();
                // Without it small requests wait for an acknowledgement; the connection works either way.
                let _ = stream.set_nodelay(true);
                return Ok((stream, address));
            }
            if self.not_reached(request) {
                self.take_again(request).map_err(|Unserved(why)| (503, why))?;
            }
        }
    }

    /// The endpoint could not be reached. Says whether another may be tried.
    pub(super) fn not_reached(&self, request: &mut Request) -> bool {
        if let Some(flight) = request.flight.take() {
            let endpoint = Arc::clone(&flight.endpoint);
            flight.not_reached();
            if let Some(service) = &request.service {
                self.traffic.unreachable(&service.name, &endpoint);
            }
            request.tried.push(endpoint);
        }
        request.tried.len() < TRIES
    }
}
