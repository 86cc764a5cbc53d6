//! Faults that ended or endangered stacks like this one, and troubles that their users reported. Each is a rule here: it
//! has a test, or a written exception.

/// A rule, by what goes wrong when it is broken.
pub(super) struct Rule {
    /// `T-D05`, or `users 57`.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
}

/// A group of rules.
pub(super) struct Area {
    pub(super) name: &'static str,
    pub(super) rules: &'static [Rule],
}

pub(super) const AREAS: &[Area] = &[
    Area { name: "DTLS", rules: DTLS },
    Area { name: "STUN and ICE", rules: ICE },
    Area { name: "TURN", rules: TURN },
    Area { name: "RTP, RTCP and SRTP", rules: RTP },
    Area { name: "SCTP and data channels", rules: SCTP },
    Area { name: "descriptions and the API", rules: API },
    Area { name: "what users ran into: STUN, ICE, TURN", rules: USERS_PATHS },
    Area { name: "what users ran into: DTLS, SRTP", rules: USERS_SECURITY },
    Area { name: "what users ran into: SCTP, data channels", rules: USERS_DATA },
    Area { name: "what users ran into: media, descriptions, sockets", rules: USERS_MEDIA },
];

const fn rule(id: &'static str, title: &'static str) -> Rule {
    Rule { id, title }
}

const DTLS: &[Rule] = &[
    rule("T-D01", "a stranger's hello or alert, at any moment of the handshake, disturbs nobody"),
    rule("T-D02", "a listener keeps nothing for hellos that bring no cookie"),
    rule("T-D03", "records other than hellos from an unknown source get no state and no answer"),
    rule("T-D04", "an AEAD nonce is never used twice, and sequence numbers end rather than wrap"),
    rule("T-D05", "empty fragments neither loop nor pile up"),
    rule("T-D06", "claimed lengths and far message numbers reserve no memory"),
    rule("T-D07", "a certificate counts only with a fresh signature by its key"),
    rule("T-D08", "after the handshake nothing in clear text is heard"),
    rule("T-D09", "a forged record does not move the replay window"),
    rule("T-D10", "records of an epoch without keys are held in small number"),
    rule("T-D11", "fragments of different messages are never mixed"),
    rule("T-D12", "new hellos on the path of a running session leave it alone"),
    rule("T-D13", "randoms differ, and a generator that fails stops everything"),
    rule("T-D14", "cookies belong to one source and one hello, and have any legal length"),
    rule("T-D15", "records with connection identifiers are dropped"),
    rule("T-D16", "the fingerprint is checked in both roles, in all its spellings"),
    rule("T-D17", "no malformed message panics"),
    rule("T-D18", "timers and closing make progress, whatever came before"),
    rule("T-D19", "hostile certificates are refused without long work"),
    rule("T-D20", "what was taken out of an offer on the way is noticed; no renegotiation"),
    rule("T-D21", "whichever datagrams are lost, both sides have the same keys or none"),
];

const ICE: &[Rule] = &[
    rule("T-I01", "short and damaged STUN is an error, for every length"),
    rule("T-I02", "attributes behind the integrity attribute do not exist"),
    rule("T-I03", "of equal attributes the first one counts"),
    rule("T-I04", "texts in attributes may hold any bytes and have bounded lengths"),
    rule("T-I05", "tags are compared in constant time"),
    rule("T-I06", "identifiers and credentials are random and long enough"),
    rule("T-I07", "only valid responses prolong consent"),
    rule("T-I08", "data is heard on validated paths only"),
    rule("T-I09", "a flood of candidates does not become a flood of checks"),
    rule("T-I10", "a response from another address fails its pair"),
    rule("T-I11", "any order of calls and role conflicts converges or fails"),
    rule("T-I12", "ICE over TCP: connections that send nothing cost little and end"),
    rule("T-I13", "hidden addresses appear nowhere"),
    rule("T-I14", "`.local` names are asked for a few at a time"),
    rule("T-I15", "what we refuse to send we refuse to receive"),
];

const TURN: &[Rule] = &[
    rule("T-T01", "no relaying to inner addresses, in whatever spelling"),
    rule("T-T02", "membership in a network is that of whole numbers, not of bytes"),
    rule("T-T03", "the policy for peers holds for relayed TCP as well"),
    rule("T-T04", "nothing is kept before authentication; nonces prove themselves"),
    rule("T-T05", "answers to strangers are small and few"),
    rule("T-T06", "no relay socket leaks, and a small pool never hangs"),
    rule("T-T07", "mobility: allocations cannot be taken over"),
    rule("T-T08", "permissions and channels are bounded"),
    rule("T-T09", "nobody takes over an allocation or rebinds a channel"),
    rule("T-T10", "hostile user names are just unknown"),
    rule("T-T11", "padding is zero"),
    rule("T-T12", "lengths near 65,535 do not wrap"),
    rule("T-T13", "a request without integrity pins nothing"),
];

const RTP: &[Rule] = &[
    rule("T-S01", "no length or header panics before authentication"),
    rule("T-S02", "forged SSRCs make no state"),
    rule("T-S03", "no packet is taken twice; forged ones move nothing"),
    rule("T-S04", "roll-over is right for each SSRC, under loss, disorder and long breaks"),
    rule("T-S05", "an index is never used twice with one key"),
    rule("T-S06", "any number of forged packets ends nothing"),
    rule("T-S07", "media from a source without proof redirects nothing"),
    rule("T-S08", "no media leaves before there are keys"),
    rule("T-S09", "padding lies are refused"),
    rule("T-S10", "header extensions of any shape are read safely"),
    rule("T-S11", "transport-wide feedback of any shape ends, and stays small"),
    rule("T-S12", "RTCP of any shape is read safely"),
    rule("T-S13", "payloads of any shape are read safely; frames come back whole"),
    rule("T-S14", "short and strange retransmissions are refused"),
    rule("T-S15", "feedback makes no amplifier"),
    rule("T-S16", "the last index is the last"),
    rule("T-S17", "forward error correction of any shape is read safely"),
];

const SCTP: &[Rule] = &[
    rule("T-C01", "one walk over chunks and parameters, which ends at what is broken"),
    rule("T-C02", "the cookie holds nothing of our memory"),
    rule("T-C03", "an altered cookie does nothing"),
    rule("T-C04", "serial numbers wrap everywhere"),
    rule("T-C05", "reassembly stays within its window, bookkeeping included"),
    rule("T-C06", "floods of resets and far FORWARD-TSN are bounded"),
    rule("T-C07", "only the right heartbeat answer counts; large ones are not reflected"),
    rule("T-C08", "verification tags decide, chunk by chunk"),
    rule("T-C09", "strange INITs make no state"),
    rule("T-C10", "every chunk in every state has its outcome"),
    rule("T-C11", "reports about unknown chunks are small and few"),
    rule("T-C12", "checksums are never left out before both sides agreed"),
    rule("T-C13", "hostile channel openings are refused and bounded"),
    rule("T-C14", "a writer without a reader is held up"),
    rule("T-C15", "messages beyond the announced size are not kept"),
    rule("T-C16", "each payload protocol identifier has its outcome"),
];

const API: &[Rule] = &[
    rule("T-P01", "numbers out of range are refused in every field"),
    rule("T-P02", "repeated and huge attributes are read safely"),
    rule("T-P03", "reading takes linear time, and size has a limit"),
    rule("T-P04", "a refused description changes nothing"),
    rule("T-P05", "contradictory sections and groups have their error"),
    rule("T-P06", "nothing is recorded or sent before the answer"),
    rule("T-P07", "roles and fingerprints change by a new association only"),
    rule("T-P08", "calls in any order follow the table of signalling states"),
];

const USERS_PATHS: &[Rule] = &[
    rule("users 1", "an integrity attribute of any wrong length is an error"),
    rule("users 2", "attributes behind the integrity attribute have no effect on a connection"),
    rule("users 3", "requests for unknown users get no answer and keep no memory"),
    rule("users 4", "lengths that lie are errors"),
    rule("users 5", "a pair that only the peer's checks revealed is enough"),
    rule("users 6", "the first pair is used at once, a better one later without loss"),
    rule("users 7", "`.local` candidates alone connect; unreadable mDNS is quiet"),
    rule("users 8", "dead interfaces delay neither candidates nor the answer"),
    rule("users 9", "STUN and TURN at one address both give their candidate"),
    rule("users 10", "an interface that goes and comes is survived without new keys"),
    rule("users 11", "time that stands still makes no busy loop"),
    rule("users 12", "a failed connection comes back by a restart, its channels open"),
    rule("users 13", "before an authenticated check nothing starts and nothing is learnt"),
    rule("users 14", "role conflicts, two lite ends, and the end of consent"),
    rule("users 15", "a fifth of all packets lost does not stop the checks"),
    rule("users 16", "failure is noticed when the documentation says"),
    rule("users 17", "TURN over TCP and TLS where UDP is blocked"),
    rule("users 18", "allocations survive changed credentials; challenges are bounded"),
    rule("users 19", "everything at a relay is refreshed in time, also after a suspension"),
    rule("users 20", "the relay server survives failed sockets, bad requests and other protocols"),
];

const USERS_SECURITY: &[Rule] = &[
    rule("users 21", "hellos in any number of pieces, in any order, are read"),
    rule("users 22", "unknown offers are ignored; nothing in common is said aloud"),
    rule("users 23", "the suites offered fit the certificate"),
    rule("users 24", "any datagram of the handshake may be lost; deadlines alone finish it"),
    rule("users 25", "retransmissions back off and stop"),
    rule("users 26", "an empty fragment makes no loop"),
    rule("users 27", "a wrong fingerprint gives no keys and no data"),
    rule("users 28", "nonces are counted, not drawn"),
    rule("users 29", "hellos from elsewhere change nothing, before and during a session"),
    rule("users 30", "making certificates blocks nobody"),
    rule("users 31", "records too large do not panic"),
    rule("users 32", "a closed end says so, and the other one notices"),
    rule("users 33", "a roll-over of one SSRC leaves the others alone"),
    rule("users 34", "a stream that starts just before the roll-over is decrypted"),
    rule("users 35", "the replay window covers the history of retransmissions"),
    rule("users 36", "truncated packets of every length are errors"),
    rule("users 37", "what fails authentication is dropped and counted"),
    rule("users 38", "renegotiation and restart keep the roll-over"),
];

const USERS_DATA: &[Rule] = &[
    rule("users 39", "chunk, parameter and cause lengths that lie end the walk"),
    rule("users 40", "given-up messages, ordered and not, stop nothing"),
    rule("users 41", "nothing is given up before the association is there; received early it is handled"),
    rule("users 42", "a window that closed opens again on both sides"),
    rule("users 43", "a slow reader bounds both sides and loses nothing"),
    rule("users 44", "a channel without retransmissions stays open for long; lifetimes count from the send"),
    rule("users 45", "an hour of messages overflows no counter"),
    rule("users 46", "the answering side starts as fast; the handshake is repeated unchanged"),
    rule("users 47", "a stream is used again only when both directions are reset"),
    rule("users 48", "a peer that starts again is recognised"),
    rule("users 49", "data before the end of the handshake is delivered once"),
    rule("users 50", "what a closed channel held is freed and never sent elsewhere"),
    rule("users 51", "bytes go on, or a failure is reported"),
    rule("users 52", "no association before there is DTLS"),
    rule("users 53", "a message sent before the channel is open is refused or arrives"),
    rule("users 54", "channel numbers follow the DTLS role; open means confirmed"),
    rule("users 55", "message sizes are kept in both directions"),
    rule("users 56", "the buffered amount is what the specification says"),
    rule("users 57", "closing in the middle, and making channels anew many times"),
    rule("users 58", "a peer that vanishes stops the sender without a panic"),
    rule("users 59", "channels that the peer opens are bounded"),
];

const USERS_MEDIA: &[Rule] = &[
    rule("users 60", "RTP headers that lie are refused"),
    rule("users 61", "one bad RTCP packet does not hide the rest"),
    rule("users 62", "malformed payloads are errors"),
    rule("users 63", "AV1 is packed as browsers do"),
    rule("users 64", "receiving survives wraps, disorder, bursts and restarts"),
    rule("users 65", "feedback includes packets without a home yet"),
    rule("users 66", "retransmissions are well-formed, for streams named by RID too"),
    rule("users 67", "bandwidth estimation is neither blind nor wild"),
    rule("users 68", "forwarding adds no delay"),
    rule("users 69", "garbage and unknown words in descriptions"),
    rule("users 70", "the answer keeps payload types and order; simulcast lines fit together"),
    rule("users 71", "long random negotiations stay in order and end"),
    rule("users 72", "recorded offers get the answer on file"),
    rule("users 73", "closing at every moment, and twice, ends everything that waits"),
    rule("users 74", "statistics at every moment"),
    rule("users 75", "dropped futures leave a consistent state"),
    rule("users 76", "thousands of connections give everything back, on any runtime"),
    rule("users 77", "socket errors never end the driver"),
    rule("users 78", "without segmentation offload nothing is lost"),
    rule("users 79", "one flooding peer does not starve the others of a port"),
];
