//! Making a connection: sockets, certificate, first task.

use super::{
    command::{COMMAND_QUEUE, Link, MEDIA_QUEUE},
    driver::{Driver, Port, Queues, Reports},
    events::{EVENT_QUEUE, Events},
    interfaces::{self, Loopback},
    mux::UdpMux,
    peer_connection::{Owner, PeerConnection, Snapshot},
    resolve,
    udp::{Clock, UdpSocket},
};
use crate::{Configuration, Error, ErrorKind, session::Session};
use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// What a [`PeerConnection`] is made with.
#[derive(Debug)]
pub struct PeerConnectionBuilder {
    configuration: Option<Configuration>,
    sockets: Sockets,
    loopback: Loopback,
}

#[derive(Debug)]
enum Sockets {
    Interfaces,
    Bind(Vec<IpAddr>),
    Mux(UdpMux),
}

impl PeerConnectionBuilder {
    pub(super) fn new() -> Self {
        Self { configuration: None, sockets: Sockets::Interfaces, loopback: Loopback::default() }
    }

    /// Sets the configuration. Default: [`Configuration::default`].
    #[must_use]
    pub fn configuration(self, configuration: Configuration) -> Self {
        Self { configuration: Some(configuration), ..self }
    }

    /// Shares one UDP port with other connections. Default: a port of its own on every interface.
    #[must_use]
    pub fn udp_mux(self, mux: UdpMux) -> Self {
        Self { sockets: Sockets::Mux(mux), ..self }
    }

    /// Binds to these addresses only. Default: every interface.
    #[must_use]
    pub fn bind(self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { sockets: Sockets::Bind(addresses.into_iter().collect()), ..self }
    }

    /// Whether the loopback interface takes part. Default: only when there is no other.
    #[must_use]
    pub fn loopback(self, loopback: Loopback) -> Self {
        Self { loopback, ..self }
    }

    /// Makes the connection and starts its task on the current tokio runtime.
    ///
    /// Cancellation: nothing is left behind.
    ///
    /// # Errors
    /// `OperationError` when no socket could be bound or the certificate could not be made.
    pub async fn build(self) -> Result<(PeerConnection, Events), Error> {
        let configuration = match self.configuration {
            Some(configuration) => configuration,
            #[cfg(feature = "rustcrypto")]
            None => Configuration::default(),
            #[cfg(not(feature = "rustcrypto"))]
            None => {
                return Err(Error::new(
                    ErrorKind::InvalidAccessError,
                    "without the rustcrypto feature a configuration with a crypto provider is needed",
                ));
            }
        };
        let servers = resolve::servers(&configuration.ice_servers).await;
        let wake = Arc::new(Notify::new());
        let mut ports = open_ports(&self.sockets, self.loopback)?;
        let clock = Clock::read();
        let mut session = Session::new(configuration, clock.now, clock.unix(), crypto::os_random)?;
        session.set_resolved_servers(clock.now, servers);
        for port in &mut ports {
            // Before anything is sent: paths are learned only for connections that the port knows.
            port.register(session.local_ufrag());
            for (name, address) in port.addresses(self.loopback) {
                session.add_local_address(clock.now, address, name.as_deref());
            }
        }
        session.local_addresses_complete(clock.now);

        let (commands, command_queue) = mpsc::channel(COMMAND_QUEUE);
        let (outgoing, outgoing_queue) = mpsc::unbounded_channel();
        let (media, media_queue) = mpsc::channel(MEDIA_QUEUE);
        let (abandoned, abandoned_queue) = mpsc::unbounded_channel();
        let (events, event_queue) = mpsc::channel(EVENT_QUEUE);
        let (snapshot, snapshots) = watch::channel(Snapshot::default());
        let (alive, owner_gone) = oneshot::channel();
        let link = Link { commands, outgoing, media, abandoned };
        let queues = Queues {
            commands: command_queue,
            outgoing: outgoing_queue,
            media: media_queue,
            abandoned: abandoned_queue,
            owner_gone,
        };
        let last_stats = Arc::new(OnceLock::new());
        let reports = Reports { events, snapshot, last_stats: last_stats.clone() };
        let driver = Driver::new(session, ports, queues, link.clone(), reports, wake);
        tokio::spawn(driver.run());
        let connection = PeerConnection::new(link, snapshots, last_stats, Owner { _alive: alive });
        Ok((connection, Events { receiver: event_queue }))
    }
}

fn open_ports(sockets: &Sockets, loopback: Loopback) -> Result<Vec<Port>, Error> {
    let bind_error = |error| {
        Error::new(
            ErrorKind::OperationError,
            "no UDP socket could be bound; are there interfaces and free ports?",
        )
        .with_source(error)
    };
    let addresses: Vec<(Option<String>, IpAddr)> = match sockets {
        Sockets::Mux(mux) => return Ok(vec![Port::muxed(mux)]),
        Sockets::Bind(addresses) => addresses.iter().map(|ip| (None, *ip)).collect(),
        Sockets::Interfaces => interfaces::list(loopback)
            .map_err(bind_error)?
            .into_iter()
            .map(|interface| (Some(interface.name), interface.ip))
            .collect(),
    };
    let mut ports = Vec::new();
    let mut last_error = None;
    for (name, ip) in addresses {
        match UdpSocket::bind((ip, 0).into()) {
            Ok(socket) => ports.push(Port::own(socket, name)),
            // One bad interface must not keep the others from working.
            Err(error) => last_error = Some(error),
        }
    }
    match (ports.is_empty(), last_error) {
        (true, Some(error)) => Err(bind_error(error)),
        (true, None) => Err(bind_error(std::io::ErrorKind::AddrNotAvailable.into())),
        (false, _) => Ok(ports),
    }
}
