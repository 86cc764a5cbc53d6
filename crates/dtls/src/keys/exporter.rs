//! Keying material exporters (RFC 5705).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::ExportError;
use crate::keys::schedule::MasterSecret;
use crypto::Provider;

/// The labels that TLS uses itself (RFC 5705 §4, RFC 7627 §4).
const RESERVED: [&str; 5] =
    ["client finished", "server finished", "master secret", "key expansion", "extended master secret"];

/// Fills `out`. No context and an empty context are two different things.
pub(crate) fn export(
    provider: &Provider,
    master: &MasterSecret,
    label: &str,
    context: Option<&[u8]>,
    out: &mut [u8],
) -> Result<(), ExportError> {
    if RESERVED.contains(&label) {
        return Err(ExportError::ReservedLabel);
    }
    let expanded = match context {
        None => master.expand(provider, label.as_bytes(), &[], out),
        Some(context) => {
            let length = u16::try_from(context.len()).map_err(|_| ExportError::ContextTooLong)?;
            master.expand(provider, label.as_bytes(), &[&length.to_be_bytes(), context], out)
        }
    };
    // The provider had this MAC during the handshake.
    expanded.map_err(|_| ExportError::NotConnected)
}
