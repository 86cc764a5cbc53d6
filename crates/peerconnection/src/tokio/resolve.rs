//! Host names of STUN and TURN servers to addresses, off the driver's task.

use crate::{IceServer, ResolvedServer};
use std::{net::SocketAddr, time::Duration};
use stun::uri::Host;

/// A name that does not resolve in this time is reported as unreachable; it never holds up the others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks all of them up at the same time.
pub(super) async fn servers(servers: &[IceServer]) -> Vec<ResolvedServer> {
    let lookups = servers.iter().flat_map(|server| {
        server.urls().iter().map(move |url| async move {
            ResolvedServer::new(server, url, addresses(url.host(), url.port()).await)
        })
    });
    futures_util::future::join_all(lookups).await
}

async fn addresses(host: &Host, port: u16) -> Vec<SocketAddr> {
    let name = match host {
        Host::Ip(ip) => return vec![SocketAddr::new(*ip, port)],
        Host::Name(name) => name.as_str(),
    };
    match tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name, port))).await {
        // One address of each family is enough: a socket asks the server of its own family.
        Ok(Ok(found)) => {
            let all: Vec<SocketAddr> = found.collect();
            let first = |v4: bool| all.iter().copied().find(|addr| addr.is_ipv4() == v4);
            first(false).into_iter().chain(first(true)).collect()
        }
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}
