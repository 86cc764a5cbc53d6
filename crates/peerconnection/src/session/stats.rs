//! Reading all counters at once.

use super::{Session, transport::Dtls};
use crate::stats::{InboundStats, OutboundStats, StatsReport, TransportStats};

impl Session {
    /// Counters and facts of every part. Works in every state.
    #[must_use]
    pub fn stats(&self) -> StatsReport {
        let mut outbound = Vec::new();
        let mut inbound = Vec::new();
        for transceiver in &self.transceivers {
            let (id, kind) = (transceiver.view.id, transceiver.view.kind);
            if let Some(counters) = transceiver.sender.and_then(|sender| self.media.sender_stats(sender)) {
                outbound.push(OutboundStats {
                    transceiver: id,
                    kind,
                    codec: transceiver.send_codec.clone(),
                    counters,
                });
            }
            if let Some(counters) =
                transceiver.receiver.and_then(|receiver| self.media.receiver_stats(receiver))
            {
                inbound.push(InboundStats { transceiver: id, kind, counters });
            }
        }
        StatsReport {
            connection_state: self.connection_state(),
            ice: self.transport.ice.stats(),
            ice_connection_state: self.ice_connection_state(),
            transport: self.transport_stats(),
            data: self.channels.stats(),
            media: self.media.stats(),
            outbound,
            inbound,
            drops: self.counters,
        }
    }

    fn transport_stats(&self) -> TransportStats {
        let dtls = self.transport.dtls.connection();
        TransportStats {
            dtls_state: self.dtls_state(),
            tls_version: dtls.and_then(dtls::Connection::version).map(|version| version.to_string()),
            dtls_cipher: dtls.and_then(dtls::Connection::cipher_suite).map(|suite| suite.to_string()),
            srtp_cipher: self.transport.srtp.as_ref().map(|srtp| srtp.profile.name().to_owned()),
            dtls_end: match &self.transport.dtls {
                Dtls::Ended(_, reason) => Some(reason.to_string()),
                Dtls::New | Dtls::Running(_) => None,
            },
            dtls: dtls.map(dtls::Connection::stats),
        }
    }
}
