//! Users 71: two sides that do whatever they like, for a long time.

use std::collections::BTreeSet;

use super::{
    super::*,
    peer::{Peer, agree, exchange},
};
use crate::transceiver::{Direction, MediaKind};

/// A small generator, so that a failure can be run again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

struct Walk {
    dice: Dice,
    polite: Peer,
    impolite: Peer,
    /// Kind and tag of each section that was ever agreed on.
    sections: Vec<(String, Option<String>)>,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let (mut polite, mut impolite) = (Peer::new("alice"), Peer::new("bobby"));
        if seed.is_multiple_of(2) {
            (polite.snapshot.bundle, impolite.snapshot.bundle) = (BundleForm::Tagged, BundleForm::Tagged);
        }
        Self { dice: Dice(seed.max(1)), polite, impolite, sections: Vec::new() }
    }

    /// Does something to what one side wants.
    fn change(&mut self) {
        let action = self.dice.below(12);
        let side = self.dice.below(2);
        let (kind, direction) = (self.kind(), self.direction());
        let pick = self.dice.below(64);
        let peer = if side == 0 { &mut self.polite } else { &mut self.impolite };
        let live: Vec<TransceiverId> = peer
            .snapshot
            .transceivers
            .iter()
            .filter(|view| view.state == TransceiverState::Active)
            .map(|view| view.id)
            .collect();
        let chosen = live.get(pick % live.len().max(1)).copied();
        match (action, chosen) {
            (0 | 1, _) if live.len() < 6 => drop(peer.add_track(kind, ["s", "t"][pick % 2])),
            (2, _) if live.len() < 6 => drop(peer.add_transceiver(kind, direction)),
            (3 | 4, Some(id)) => peer.remove_track(id),
            (5 | 6, Some(id)) => peer.stop(id),
            (7, Some(id)) => peer.view_mut(id).direction = direction,
            (8, Some(id)) => peer.view_mut(id).sender.streams = vec![format!("stream{}", pick % 3)],
            (9, _) => peer.snapshot.data_channels_wanted = true,
            (10, _) => peer.snapshot.ice.restart = true,
            (11, Some(id)) => {
                let codecs = CodecTable::standard();
                let table = if peer.view(id).kind == MediaKind::Audio { codecs.audio } else { codecs.video };
                let first = pick % table.len();
                peer.view_mut(id).codec_preferences = if pick.is_multiple_of(3) {
                    Vec::new()
                } else {
                    vec![table[first].codec.clone(), table[0].codec.clone()]
                };
            }
            _ => {}
        }
    }

    /// Negotiates, in one of the ways that can happen.
    fn negotiate(&mut self) {
        let (way, side) = (self.dice.below(7), self.dice.below(2));
        let (polite, impolite) = (&mut self.polite, &mut self.impolite);
        match way {
            0 => {
                // Both at once: the polite side gives way, the impolite one ignores what it gets.
                let _ignored = polite.offer();
                let offer = impolite.offer();
                polite.set_remote(SdpType::Offer, &offer).expect("an acceptable offer");
                let answer = polite.answer();
                impolite.set_remote(SdpType::Answer, &answer).expect("an acceptable answer");
            }
            1 => {
                // An offer that never arrives.
                polite.offer();
                polite.set_local(&Description::rollback()).expect("something to roll back");
            }
            2 => {
                // One that arrives and is taken back on both sides.
                let offer = polite.offer();
                impolite.set_remote(SdpType::Offer, &offer).expect("an acceptable offer");
                impolite.set_remote(SdpType::Rollback, "").expect("something to roll back");
                polite.set_local(&Description::rollback()).expect("something to roll back");
            }
            3 => {
                // One that is made again before it is answered.
                polite.offer();
                let offer = polite.offer();
                impolite.set_remote(SdpType::Offer, &offer).expect("an acceptable offer");
                impolite.set_remote(SdpType::Offer, &offer).expect("the same again");
                let answer = impolite.answer();
                polite.set_remote(SdpType::Answer, &answer).expect("an acceptable answer");
            }
            4 => {
                let offer = impolite.offer();
                polite.set_remote(SdpType::Offer, &offer).expect("an acceptable offer");
                let first = polite.pranswer();
                impolite.set_remote(SdpType::Pranswer, &first).expect("an acceptable answer");
                let second = polite.answer();
                impolite.set_remote(SdpType::Answer, &second).expect("an acceptable answer");
            }
            _ if side == 0 => exchange(polite, impolite),
            _ => exchange(impolite, polite),
        }
        self.check();
    }

    /// Negotiates until nobody needs to, which has to be soon.
    fn settle(&mut self) {
        for _ in 0..4 {
            match (self.polite.needs(), self.impolite.needs()) {
                (true, _) => exchange(&mut self.polite, &mut self.impolite),
                (false, true) => exchange(&mut self.impolite, &mut self.polite),
                (false, false) => return,
            }
            self.check();
        }
        panic!("negotiation is needed for ever: {:#?}", self.polite.snapshot.transceivers);
    }

    fn check(&mut self) {
        agree(&self.polite, &self.impolite);
        let Some(description) = self.polite.negotiator.current_local((&[], false)) else { return };
        let media = &description.document().expect("a document").media;
        let mids: Vec<&str> = media.iter().filter_map(|media| media.mid()).collect();
        assert_eq!(mids.len(), media.len());
        assert_eq!(mids.iter().collect::<BTreeSet<_>>().len(), mids.len(), "mids are unique");
        assert!(media.len() >= self.sections.len(), "sections never go away");
        for (media, before) in media.iter().zip(&self.sections) {
            if let (kind, Some(mid)) = before {
                // A live section keeps kind and tag; only a rejected one may be recycled.
                assert_eq!((&media.kind.to_string(), media.mid()), (kind, Some(mid.as_str())));
            }
        }
        let live = |media: &sdp::MediaDescription| media.mid().filter(|_| media.port != 0).map(str::to_owned);
        self.sections = media.iter().map(|media| (media.kind.to_string(), live(media))).collect();
        for peer in [&self.polite, &self.impolite] {
            for view in peer.snapshot.transceivers.iter().filter(|view| view.mid.is_some()) {
                let index = view.index.expect("a tag comes with an index");
                assert_eq!(media[index].mid(), view.mid.as_deref());
                assert_eq!(media[index].kind.to_string(), view.kind.as_str());
            }
        }
    }

    fn kind(&mut self) -> MediaKind {
        [MediaKind::Audio, MediaKind::Video][self.dice.below(2)]
    }

    fn direction(&mut self) -> Direction {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            [self.dice.below(4)]
    }
}

/// 20,000 steps over eight walks, each of which settles every 16 steps.
#[test]
fn users_71_random_walk() {
    for seed in 1..=8 {
        let mut walk = Walk::new(seed * 0x9e37_79b9);
        for step in 0..2_500 {
            walk.change();
            if walk.dice.below(4) == 0 {
                walk.negotiate();
            }
            if step % 16 == 15 {
                walk.settle();
            }
        }
        walk.settle();
        assert!(walk.sections.len() < 64, "{} sections: they are recycled", walk.sections.len());
    }
}
