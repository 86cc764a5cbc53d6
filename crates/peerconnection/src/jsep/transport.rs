//! The transport of a section: ICE and DTLS, read and written.

use sdp::{Attribute, Candidate, Fingerprint, Setup};

use super::{BundleForm, IceCredentials, Negotiator, Snapshot, invalid_access, section};
use crate::error::Error;

/// What a description says about the transport of a section.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    pub(super) credentials: IceCredentials,
    pub(super) lite: bool,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) setup: Setup,
    pub(super) tls_id: Option<String>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) end_of_candidates: bool,
}

impl Transport {
    /// Reads the transport that a section has: what it lacks comes from the session (RFC 9429 §5.8.2).
    pub(super) fn read(description: &sdp::Description, index: usize) -> Result<Self, Error> {
        let Some(media) = description.media.get(index) else {
            return Err(invalid_access("the description has no section that carries a transport"));
        };
        let (media, session) = (&media.attributes, &description.attributes);
        let ufrag =
            first(media, session, |a| if let Attribute::IceUfrag(text) = a { Some(text) } else { None });
        let pwd = first(media, session, |a| if let Attribute::IcePwd(text) = a { Some(text) } else { None });
        let (Some(ufrag), Some(pwd)) = (ufrag, pwd) else {
            return Err(invalid_access("the transport has no ice-ufrag or no ice-pwd"));
        };
        let hash =
            |a: &Attribute| if let Attribute::Fingerprint(hash) = a { Some(hash.clone()) } else { None };
        let mut fingerprints: Vec<Fingerprint> = media.iter().filter_map(hash).collect();
        if fingerprints.is_empty() {
            fingerprints.extend(session.iter().filter_map(hash));
        }
        //= rfc8829 §5.8.3
        //# -  DTLS fingerprint values, where at least one fingerprint MUST be
        //# present.
        if fingerprints.is_empty() {
            return Err(invalid_access("the transport has no fingerprint"));
        }
        let setup =
            first(media, session, |a| if let Attribute::Setup(setup) = a { Some(setup) } else { None });
        let Some(setup) = setup else { return Err(invalid_access("the transport has no setup attribute")) };
        let tls_id = first(media, session, |a| if let Attribute::TlsId(id) = a { Some(id) } else { None });
        let candidate =
            |a: &Attribute| if let Attribute::Candidate(c) = a { Some((**c).clone()) } else { None };
        Ok(Self {
            credentials: IceCredentials { ufrag: ufrag.clone(), pwd: pwd.clone() },
            lite: session.contains(&Attribute::IceLite),
            fingerprints,
            setup: *setup,
            tls_id: tls_id.cloned(),
            // RTCP is multiplexed: what is only for it is of no use.
            candidates: media
                .iter()
                .filter_map(candidate)
                .filter(|candidate| candidate.component == 1)
                .collect(),
            end_of_candidates: media.contains(&Attribute::EndOfCandidates),
        })
    }

    /// The transport that a whole description uses.
    pub(super) fn of(description: &sdp::Description) -> Result<Option<Self>, Error> {
        section::tagged(description).map(|index| Self::read(description, index)).transpose()
    }

    /// Whether both name the same certificates.
    pub(super) fn same_fingerprints(left: &[Fingerprint], right: &[Fingerprint]) -> bool {
        let within = |some: &[Fingerprint], all: &[Fingerprint]| {
            let same =
                |a: &Fingerprint, b: &Fingerprint| a.hash.eq_ignore_ascii_case(&b.hash) && a.value == b.value;
            some.iter().all(|one| all.iter().any(|other| same(one, other)))
        };
        within(left, right) && within(right, left)
    }
}

/// The credentials of a description that was checked before.
pub(super) fn credentials(description: &sdp::Description) -> Option<IceCredentials> {
    Transport::of(description).ok().flatten().map(|transport| transport.credentials)
}

/// Our transport, as it is written into a description.
pub(super) struct LocalTransport<'a> {
    snapshot: &'a Snapshot,
    credentials: IceCredentials,
    setup: Setup,
    tls_id: bool,
}

impl<'a> LocalTransport<'a> {
    /// For an offer, also a later one: the answerer chooses the role (RFC 8842 §5.5).
    pub(super) fn offer(negotiator: &Negotiator, snapshot: &'a Snapshot, restart: bool) -> Self {
        let credentials = negotiator.next_credentials(snapshot, restart);
        Self { snapshot, credentials, setup: Setup::Actpass, tls_id: true }
    }

    pub(super) fn answer(
        snapshot: &'a Snapshot,
        credentials: IceCredentials,
        setup: Setup,
        tls_id: bool,
    ) -> Self {
        Self { snapshot, credentials, setup, tls_id }
    }

    /// Writes a live section's transport. The first one of a description is the tagged one.
    pub(super) fn write(&self, media: &mut sdp::MediaDescription, place: Place) {
        let ice = &self.snapshot.ice;
        let known = ice.local == self.credentials;
        media.port = 9;
        if known && let Some(default) = default_candidate(&ice.candidates) {
            media.port = default.port;
            media.connections = vec![sdp::Connection::new(default.address.as_str())];
        }
        if place == Place::Bundled && self.snapshot.bundle == BundleForm::Tagged {
            return;
        }
        if known && place == Place::Tagged {
            media.attributes.extend(
                ice.candidates.iter().map(|candidate| Attribute::Candidate(candidate.clone().into())),
            );
            if ice.end_of_candidates {
                media.attributes.push(Attribute::EndOfCandidates);
            }
        }
        media.attributes.push(Attribute::IceUfrag(self.credentials.ufrag.clone()));
        media.attributes.push(Attribute::IcePwd(self.credentials.pwd.clone()));
        media.attributes.extend(self.snapshot.dtls.fingerprints.iter().cloned().map(Attribute::Fingerprint));
        media.attributes.push(Attribute::Setup(self.setup));
        if self.tls_id
            && let Some(id) = &self.snapshot.dtls.tls_id
        {
            media.attributes.push(Attribute::TlsId(id.clone()));
        }
    }
}

/// Where a section stands in the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Bundled,
    Tagged,
}

/// The candidate for the `m=` and `c=` lines (RFC 8839 §4.2.1.2): the one most likely to work with everyone.
fn default_candidate(candidates: &[Candidate]) -> Option<&Candidate> {
    let rank = |candidate: &Candidate| match candidate.kind.as_str() {
        "relay" => 3,
        "srflx" => 2,
        "host" => 1,
        _ => 0,
    };
    candidates
        .iter()
        .filter(|candidate| candidate.transport.eq_ignore_ascii_case("udp") && candidate.component == 1)
        .filter(|candidate| candidate.address.parse::<std::net::Ipv4Addr>().is_ok())
        .max_by_key(|candidate| (rank(candidate), candidate.priority))
}

fn first<'a, T: ?Sized>(
    media: &'a [Attribute],
    session: &'a [Attribute],
    pick: impl Fn(&'a Attribute) -> Option<&'a T>,
) -> Option<&'a T> {
    media.iter().find_map(&pick).or_else(|| session.iter().find_map(&pick))
}
