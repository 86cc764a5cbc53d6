//! One side of a negotiation: a negotiator, and the state it is told.

use super::super::*;
use crate::transceiver::{Direction, MediaKind};

/// A side, with what it was told to do.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) negotiator: Negotiator,
    pub(super) snapshot: Snapshot,
    /// The streams in effect.
    pub(super) streams: Vec<StreamChange>,
    pub(super) dtls: Vec<DtlsStart>,
    pub(super) sctp: Vec<SctpChange>,
    pub(super) role: Option<IceRole>,
    /// The other side's credentials that the agent has.
    pub(super) remote: Option<IceCredentials>,
    pub(super) restarts: u32,
    pub(super) tracks: Vec<(TransceiverId, RemoteTrackEvent)>,
    name: &'static str,
    generation: u32,
    senders: u32,
}

impl Peer {
    pub(super) fn new(name: &'static str) -> Self {
        let byte = name.bytes().next().unwrap_or(0);
        let mut peer = Self {
            negotiator: Negotiator::new(),
            snapshot: Snapshot {
                transceivers: Vec::new(),
                next_transceiver: TransceiverId(0),
                session_id: 4_242_424_242,
                data_channels_wanted: false,
                bundle: BundleForm::default(),
                ice: IceView {
                    local: IceCredentials { ufrag: String::new(), pwd: String::new() },
                    fresh: IceCredentials { ufrag: String::new(), pwd: String::new() },
                    restart: false,
                    candidates: Vec::new(),
                    end_of_candidates: false,
                },
                dtls: DtlsView {
                    fingerprints: vec![sdp::Fingerprint::new("sha-256", vec![byte; 32])],
                    preferred: DtlsRole::Active,
                    tls_id: None,
                },
                sctp: SctpView { port: 5_000, max_message_size: 262_144, init: None },
                codecs: CodecTable::standard(),
                extensions: supported_extensions(),
            },
            streams: Vec::new(),
            dtls: Vec::new(),
            sctp: Vec::new(),
            role: None,
            remote: None,
            restarts: 0,
            tracks: Vec::new(),
            name,
            generation: 0,
            senders: 0,
        };
        peer.snapshot.ice.local = peer.credentials();
        peer.snapshot.ice.fresh = peer.credentials();
        peer
    }

    fn credentials(&mut self) -> IceCredentials {
        self.generation += 1;
        let word = format!("{}{:04}", self.name, self.generation);
        IceCredentials { ufrag: word.clone(), pwd: word.repeat(22 / word.len() + 1) }
    }

    /// `addTrack`: takes a sender that never sent, or makes one.
    pub(super) fn add_track(&mut self, kind: MediaKind, stream: &str) -> TransceiverId {
        let streams = vec![stream.to_owned()];
        let free = self.snapshot.transceivers.iter_mut().find(|view| {
            let never_sent = !view.current_direction.is_some_and(Direction::sends);
            view.kind == kind
                && !view.sender.has_track
                && view.state == TransceiverState::Active
                && never_sent
        });
        if let Some(view) = free {
            view.sender.has_track = true;
            view.sender.streams = streams;
            view.direction = Direction::from_halves(true, view.direction.receives());
            return view.id;
        }
        let id = self.push(kind, TransceiverOrigin::AddTrack, Direction::SendRecv);
        let view = self.view_mut(id);
        view.sender.has_track = true;
        view.sender.streams = streams;
        id
    }

    pub(super) fn add_transceiver(&mut self, kind: MediaKind, direction: Direction) -> TransceiverId {
        self.push(kind, TransceiverOrigin::AddTransceiver, direction)
    }

    fn push(&mut self, kind: MediaKind, origin: TransceiverOrigin, direction: Direction) -> TransceiverId {
        let id = self.snapshot.next_transceiver;
        self.snapshot.next_transceiver = TransceiverId(id.0 + 1);
        self.snapshot.transceivers.push(TransceiverView::new(id, kind, origin, direction));
        self.dress();
        id
    }

    /// Gives each new sender what a session gives it.
    fn dress(&mut self) {
        for view in self.snapshot.transceivers.iter_mut().filter(|view| view.sender.cname.is_empty()) {
            self.senders += 1;
            view.sender.ssrc = self.senders * 1_000;
            view.sender.rtx_ssrc = (view.kind == MediaKind::Video).then_some(self.senders * 1_000 + 1);
            view.sender.cname = self.name.to_owned();
            view.sender.track_id = Some(format!("{}-track-{}", self.name, self.senders));
        }
    }

    pub(super) fn remove_track(&mut self, id: TransceiverId) {
        let view = self.view_mut(id);
        view.sender.has_track = false;
        view.direction = Direction::from_halves(false, view.direction.receives());
    }

    pub(super) fn stop(&mut self, id: TransceiverId) {
        let view = self.view_mut(id);
        view.state = TransceiverState::Stopping;
        view.direction = Direction::Inactive;
        if view.mid.is_none() {
            view.state = TransceiverState::Stopped;
        }
    }

    pub(super) fn view_mut(&mut self, id: TransceiverId) -> &mut TransceiverView {
        self.snapshot.transceivers.iter_mut().find(|view| view.id == id).expect("a known transceiver")
    }

    pub(super) fn view(&self, id: TransceiverId) -> &TransceiverView {
        self.snapshot.transceiver(id).expect("a known transceiver")
    }

    pub(super) fn needs(&self) -> bool {
        self.negotiator.negotiation_needed(&self.snapshot)
    }

    pub(super) fn state(&self) -> SignalingState {
        self.negotiator.signaling_state()
    }

    /// Does what a session does with a plan.
    pub(super) fn apply(&mut self, plan: &Plan) {
        plan.transceivers.iter().for_each(|change| self.snapshot.apply(change));
        for change in &plan.transceivers {
            if let TransceiverChange::RemoteTrack { id, event, .. } = change {
                self.tracks.push((*id, *event));
            }
        }
        self.dress();
        if let Some(local) = &plan.ice.local {
            assert_ne!(*local, self.snapshot.ice.local, "a change that is none");
            self.snapshot.ice.local = local.clone();
            self.snapshot.ice.candidates.clear();
            if *local == self.snapshot.ice.fresh {
                self.snapshot.ice.fresh = self.credentials();
            }
        }
        self.role = plan.ice.role.or(self.role);
        if let Some(remote) = &plan.ice.remote {
            self.remote = Some(remote.clone());
        }
        if plan.ice.restart {
            self.restarts += 1;
            self.snapshot.ice.restart = false;
        }
        self.dtls.extend(plan.dtls.clone());
        self.sctp.extend(plan.sctp.clone());
        if let Some(streams) = &plan.streams {
            self.streams.clone_from(streams);
        }
        self.negotiator.apply(plan.clone());
        assert_eq!(self.state(), plan.signaling);
    }

    pub(super) fn set_local(&mut self, description: &Description) -> Result<(), Error> {
        let plan = self.negotiator.set_local(&self.snapshot, description)?;
        self.apply(&plan);
        Ok(())
    }

    pub(super) fn set_remote(&mut self, kind: SdpType, text: &str) -> Result<(), Error> {
        let description = Description::parse(kind, text)?;
        let plan = self.negotiator.set_remote(&self.snapshot, &description)?;
        self.apply(&plan);
        Ok(())
    }

    /// Makes and sets an offer.
    pub(super) fn offer(&mut self) -> String {
        let offer = self.negotiator.create_offer(&self.snapshot, &OfferOptions::new()).expect("an offer");
        self.set_local(&offer).expect("our own offer");
        offer.sdp()
    }

    /// Makes and sets an answer.
    pub(super) fn answer(&mut self) -> String {
        let answer =
            self.negotiator.create_answer(&self.snapshot, &AnswerOptions::default()).expect("an answer");
        self.set_local(&answer).expect("our own answer");
        answer.sdp()
    }

    /// Makes and sets an answer for now.
    pub(super) fn pranswer(&mut self) -> String {
        let answer =
            self.negotiator.create_answer(&self.snapshot, &AnswerOptions::default()).expect("an answer");
        let pranswer = Description::parse(SdpType::Pranswer, &answer.sdp()).expect("valid");
        self.set_local(&pranswer).expect("our own answer");
        answer.sdp()
    }

    pub(super) fn document(&self) -> sdp::Description {
        let ice = &self.snapshot.ice;
        let candidates = (ice.candidates.as_slice(), ice.end_of_candidates);
        let pending = self.negotiator.pending_local(candidates);
        let description =
            pending.or_else(|| self.negotiator.current_local(candidates)).expect("a description");
        description.document().expect("a document").clone()
    }
}

/// A whole exchange.
pub(super) fn exchange(offerer: &mut Peer, answerer: &mut Peer) {
    let offer = offerer.offer();
    answerer.set_remote(SdpType::Offer, &offer).expect("an acceptable offer");
    let answer = answerer.answer();
    offerer.set_remote(SdpType::Answer, &answer).expect("an acceptable answer");
    agree(offerer, answerer);
}

/// What has to hold between two sides after each exchange.
pub(super) fn agree(a: &Peer, b: &Peer) {
    assert_eq!((a.state(), b.state()), (SignalingState::Stable, SignalingState::Stable));
    for (one, other) in [(a, b), (b, a)] {
        let ours = one.negotiator.current_local((&[], false));
        let theirs = other.negotiator.current_remote();
        assert_eq!(ours, theirs);
        assert!(one.negotiator.pending_local((&[], false)).is_none());
        assert!(one.negotiator.pending_remote().is_none());
        for stream in &one.streams {
            let twin = other
                .streams
                .iter()
                .find(|twin| twin.mid == stream.mid)
                .expect("both sides have the section");
            assert_eq!(twin.direction, stream.direction.reversed());
            assert_eq!((twin.index, twin.kind), (stream.index, stream.kind));
            let types = |codecs: &[NegotiatedCodec]| {
                let mut types: Vec<_> = codecs.iter().map(|codec| (codec.payload_type, codec.rtx)).collect();
                types.sort();
                types
            };
            assert_eq!(types(&stream.send), types(&twin.receive), "what one sends the other receives");
            let view = one.view(stream.transceiver);
            assert_eq!(view.mid.as_deref(), Some(stream.mid.as_str()));
            assert_eq!((view.index, view.current_direction), (Some(stream.index), Some(stream.direction)));
            assert_eq!(view.receiver.receiving, stream.direction.receives());
        }
    }
    match (a.dtls.last(), b.dtls.last()) {
        (Some(left), Some(right)) => assert_eq!(left.role, right.role.other()),
        (left, right) => assert_eq!(left, right),
    }
    if let (Some(left), Some(right)) = (&a.remote, &b.remote) {
        assert_eq!((left, right), (&b.snapshot.ice.local, &a.snapshot.ice.local));
        assert_ne!(a.role, b.role);
    }
}
