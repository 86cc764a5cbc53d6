//! `.local` names: asking the local network for a peer's address, and answering for our own.
