//! I-DATA, I-FORWARD-TSN and stream schedulers (RFC 8260).

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use proptest::prelude::*;
use raw::*;
use sctp::*;

const ABORT: u8 = 6;
const SACK: u8 = 3;

/// Stream, MID, PPID or FSN, and length of each I-DATA chunk in a packet, with its flags.
fn i_data_of(packet: &[u8]) -> Vec<(u8, u16, u32, u32, usize)> {
    let of_kind = chunks(packet).into_iter().filter(|(kind, ..)| *kind == 64);
    of_kind
        .map(|(_, flags, value)| {
            let stream = (word(&value, 1) >> 16) as u16;
            (flags, stream, word(&value, 2), word(&value, 3), value.len() - 16)
        })
        .collect()
}

fn both(config: impl Fn() -> Config) -> Pair {
    let mut pair = Pair::with(1, Link::new(ms(5)), [config(), config()], [Vec::new(), Vec::new()]);
    pair.connect();
    pair.run_for(ms(1_000));
    pair
}

/// The same, with a congestion window that is not in the way.
fn wide(scheduler: Scheduler, interleaving: Interleaving) -> Pair {
    both(|| {
        Config::default()
            .with_scheduler(scheduler)
            .with_interleaving(interleaving)
            .with_initial_window(1_000)
            .with_send_buffer(8 << 20)
            .with_receive_buffer(8 << 20)
    })
}

/// Streams in the order of the chunks that A writes now, one entry a chunk, packets one by one.
fn order_of(pair: &mut Pair) -> Vec<Vec<u16>> {
    pair.packets(A)
        .iter()
        .map(|packet| {
            let streams = chunks(packet).into_iter().filter(|(kind, ..)| [0, 64].contains(kind));
            streams.map(|(.., value)| (word(&value, 1) >> 16) as u16).collect()
        })
        .collect()
}

/// `sctp_idata_negotiated_exclusive_mid_fsn_ppid`, RFC 8260 §2.2.1: used when both offer it, and then only it.
#[test]
fn rfc8260_2_2_1_used_when_both_offer_it() {
    for (a, b) in [
        (Interleaving::Offered, Interleaving::Offered),
        (Interleaving::Offered, Interleaving::Off),
        (Interleaving::Off, Interleaving::Offered),
    ] {
        let configs = [Config::default().with_interleaving(a), Config::default().with_interleaving(b)];
        let mut pair = Pair::with(1, Link::new(ms(5)), configs, [Vec::new(), Vec::new()]);
        pair.connect();
        pair.run_for(ms(1_000));
        let both = a == b;
        assert!(pair.ends.iter().all(|end| end.is_interleaving() == both));
        pair.send(A, 1, message(bytes(3_000))).unwrap();
        let packets = pair.packets(A);
        let kinds: Vec<_> = packets.iter().flat_map(|packet| chunks(packet)).map(|(kind, ..)| kind).collect();
        assert_eq!(kinds, [if both { 64 } else { 0 }; 3]);
        if both {
            let seen: Vec<_> = packets.iter().flat_map(|packet| i_data_of(packet)).collect();
            let ids = seen.iter().map(|(flags, stream, mid, shared, _)| (flags & 7, *stream, *mid, *shared));
            assert_eq!(ids.collect::<Vec<_>>(), [(2, 1, 0, 53), (0, 1, 0, 1), (1, 1, 0, 2)]);
        }
    }
}

/// RFC 8260 §2.2.3, §2.3.1: the wrong kind of chunk ends the association.
#[test]
fn rfc8260_2_2_3_the_wrong_kind_of_chunk_aborts() {
    let plain = [data(3, TSN, 1, 0, b"x"), chunk(192, 0, &words(&[TSN]))];
    let interleaved = [i_data(3, TSN, 1, 0, 53, b"x"), i_forward_tsn(TSN, &[])];
    for (make, wrong, right) in [
        (Script::interleaved as fn() -> Script, plain.clone(), interleaved.clone()),
        (Script::established, interleaved, plain),
    ] {
        for chunk in wrong {
            let mut script = make();
            script.say(&[chunk]);
            let answer = script.answer();
            assert_eq!((answer[0].0, &answer[0].2[..4]), (ABORT, &[0, 13, 0, 4][..]));
            assert_eq!(script.events(), [Event::Closed(CloseReason::Violation(Violation::WrongFormat))]);
        }
        for chunk in right {
            let mut script = make();
            script.say(&[chunk]);
            assert_eq!(script.answer()[0].0, SACK);
        }
    }
}

/// `sctp_iforward_tsn_only_with_idata`, RFC 8260 §2.3.1: without I-FORWARD-TSN there is no partial reliability beside
/// I-DATA, whatever else the peer knows.
#[test]
fn sctp_iforward_tsn_only_with_idata() {
    for (extensions, given_up) in [(&[130, 192, 64][..], false), (&[130, 192, 194, 64], true)] {
        let mut script = Script::established_as(Config::default(), extensions);
        assert!(script.end.is_interleaving());
        let options = SendOptions::new().with_reliability(Reliability::MaxRetransmits(0));
        let unordered = options.with_order(Order::Unordered);
        let now = script.now;
        for options in [options, options, unordered] {
            script.end.send(now, StreamId(1), message(bytes(1_000)), options).unwrap();
        }
        script.written();
        script.pass(ms(2_000));
        let answer = script.answer();
        if given_up {
            let mut expected = words(&[script.tsn + 2, 1 << 16, 1]);
            expected.extend(words(&[1 << 16 | 1, 0]));
            assert_eq!((answer[0].0, &answer[0].2), (194, &expected));
        } else {
            assert_eq!(answer[0].0, 64, "repeated");
        }
    }
}

/// What the peer skips is skipped, ordered and unordered messages apart.
#[test]
fn skipped_messages_let_later_ones_through() {
    let mut script = Script::interleaved();
    script.say(&[
        // MID 0 never comes, MID 1 is begun, MID 2 is whole, unordered MID 0 is begun, and so is 1.
        i_data(2, TSN + 1, 1, 1, 53, b"begun"),
        i_data(3, TSN + 2, 1, 2, 53, b"whole"),
        i_data(6, TSN + 3, 1, 0, 53, b"begun"),
        i_data(6, TSN + 4, 1, 1, 53, b"be"),
    ]);
    assert_eq!(script.end.recv(), None);
    script.say(&[i_forward_tsn(TSN + 2, &[(1, 0, 1), (1, 1, 0)])]);
    assert_eq!(script.end.recv().map(|(_, message)| message.payload), Some("whole".into()));
    script.say(&[i_data(5, TSN + 5, 1, 1, 1, b"gun")]);
    assert_eq!(script.end.recv().map(|(_, message)| message.payload), Some("begun".into()));
    assert_eq!(script.end.stats().receive_held, 2 * 4);
    // Entries for streams that do not exist, odd lengths, and the same again: nothing.
    script.say(&[i_forward_tsn(TSN + 5, &[(100, 0, 9), (65_535, 1, 9)])]);
    let mut odd = words(&[TSN + 5, 1]);
    odd.push(0);
    script.say(&[chunk(194, 0, &odd)]);
    assert!(script.end.is_connected());
}

/// What still comes of an ordered message that was skipped is acknowledged and not kept: no later chunk would free it.
/// After a reset the same number is a new message.
#[test]
fn the_rest_of_a_skipped_message_is_not_kept() {
    let mut script = Script::interleaved();
    script.say(&[i_data(2, TSN, 1, 0, 53, b"be"), i_data(3, TSN + 1, 1, 1, 53, b"whole")]);
    script.say(&[i_forward_tsn(TSN + 2, &[(1, 0, 0)])]);
    assert_eq!(script.end.recv().map(|(_, message)| message.payload), Some("whole".into()));
    let held = script.end.stats().receive_held;
    script.written();
    script.say(&[i_data(0, TSN + 3, 1, 0, 2, &[0; 1_000]), i_data(1, TSN + 4, 1, 0, 3, &[0; 1_000])]);
    assert_eq!(script.end.stats().receive_held, held);
    let answer = script.answer();
    assert_eq!((answer[0].0, word(&answer[0].2, 0)), (3, TSN + 4));
    // The reset may come after what follows it.
    script.say(&[
        outgoing_reset(TSN, TSN + 5, &[1]),
        i_data(2, TSN + 6, 1, 0, 53, b"a"),
        i_data(3, TSN + 5, 1, 2, 53, b"last"),
        i_data(1, TSN + 7, 1, 0, 1, b"new"),
    ]);
    let received: Vec<_> = std::iter::from_fn(|| script.end.recv()).map(|(_, it)| it.payload).collect();
    assert_eq!(received, ["last", "anew"]);
}

/// Fragments of several messages in any order: the TSN says nothing about them (RFC 8260 §2.2.3).
#[test]
fn rfc8260_2_2_3_the_tsn_means_nothing() {
    let mut script = Script::interleaved();
    script.say(&[
        i_data(1, TSN, 1, 0, 2, b"c"),
        i_data(0, TSN + 1, 2, 0, 1, b"y"),
        i_data(2, TSN + 2, 1, 0, 53, b"a"),
        i_data(1, TSN + 3, 2, 0, 2, b"z"),
        i_data(0, TSN + 4, 1, 0, 1, b"b"),
        i_data(2, TSN + 5, 2, 0, 51, b"x"),
    ]);
    let received: Vec<_> = std::iter::from_fn(|| script.end.recv()).collect();
    let expected = |ppid, text: &'static str| Message { ppid: Ppid(ppid), payload: text.into() };
    assert_eq!(received, [(StreamId(1), expected(53, "abc")), (StreamId(2), expected(51, "xyz"))]);
    // Contradictions end it.
    script.say(&[i_data(2, TSN + 6, 1, 1, 53, b"a"), i_data(2, TSN + 7, 1, 1, 53, b"a")]);
    assert_eq!(script.answer()[0].0, ABORT);
    assert_eq!(script.events().last(), Some(&Event::Closed(CloseReason::Violation(Violation::Fragments))));
}

/// RFC 8260 §2.3.2: after a reset both counters start from zero.
#[test]
fn rfc8260_2_3_2_a_reset_starts_mids_anew() {
    let mut pair = both(Config::default);
    let unordered = SendOptions::new().with_order(Order::Unordered);
    for round in 0..3 {
        for _ in 0..2 {
            pair.send(A, 1, message("ordered")).unwrap();
            pair.ends[A].send(pair.now, StreamId(1), message("unordered"), unordered).unwrap();
        }
        let packets = pair.packets(A);
        let mids: Vec<_> =
            i_data_of(&packets[0]).into_iter().map(|(flags, _, mid, ..)| (flags & 4, mid)).collect();
        assert_eq!(mids, [(0, 0), (4, 0), (0, 1), (4, 1)], "round {round}");
        pair.inject(B, &packets[0]);
        pair.run_for(ms(500));
        assert_eq!(pair.received[B].len(), 4 * (round + 1));
        pair.ends[A].reset_stream(pair.now, StreamId(1)).unwrap();
        pair.run_for(ms(1_000));
    }
}

/// A large message does not hold up a small one: a few packets at most.
#[test]
fn a_large_message_does_not_delay_a_small_one() {
    let mut pair = both(|| {
        Config::default()
            .with_send_buffer(32 << 20)
            .with_receive_buffer(32 << 20)
            .with_max_message_size(16 << 20)
    });
    // A queue that drops nothing: what is lost would go before anything new (RFC 9260 §6.1, C).
    pair.links[A].rate = Some((40_000_000, 1 << 30));
    // How many packets left since the last small message was given to it.
    let waited = std::rc::Rc::new(std::cell::Cell::new(None));
    let (most, count) = (std::rc::Rc::new(std::cell::Cell::new(0)), std::rc::Rc::clone(&waited));
    let seen = std::rc::Rc::clone(&most);
    pair.tap = Some(Box::new(move |side, packet| {
        if side == A
            && let Some(before) = count.get()
        {
            let has_chat = i_data_of(packet).iter().any(|(_, stream, ..)| *stream == 2);
            seen.set(seen.get().max(before));
            count.set((!has_chat).then_some(before + 1));
        }
        true
    }));
    pair.send(A, 1, message(bytes(16 << 20))).unwrap();
    pair.run_for(ms(200));
    for round in 1..=20 {
        waited.set(Some(0));
        pair.send(A, 2, message("chat")).unwrap();
        pair.run_for(ms(40));
        assert_eq!(waited.get(), None, "round {round}: it left");
    }
    assert!(most.get() <= 3, "{} packets before it", most.get());
    assert!(pair.ends[A].buffered(StreamId(1)) > 1 << 20, "it was still being sent");
    assert!(pair.run_until(ms(100_000), |pair| pair.received[B].len() == 21));
}

/// More large messages at once than the receiver has room for: they are begun a few at a time, and nothing locks up.
#[test]
fn begun_messages_never_exceed_the_peers_buffer() {
    for scheduler in [Scheduler::WeightedFair, Scheduler::RoundRobin, Scheduler::RoundRobinPerPacket] {
        let config = || Config::default().with_send_buffer(16 << 20).with_scheduler(scheduler);
        let mut pair = both(config);
        for stream in 0..60 {
            pair.send(A, stream, message(bytes(250_000))).unwrap();
        }
        assert!(
            pair.run_until(ms(60_000), |pair| pair.received[B].len() == 60),
            "{scheduler:?}: {:?}",
            pair.ends
        );
        pair.run_for(ms(1_000));
        assert!(pair.ends[A].is_flushed());
    }
}

/// A peer that begins more than we have room for does not wedge the association: it ends.
#[test]
fn t_c05_more_begun_than_there_is_room_for_ends_it() {
    let mut script = Script::interleaved();
    let mut tsn = TSN;
    while script.end.is_connected() && tsn < TSN + 5_000 {
        let number = tsn - TSN;
        let (flags, shared) = if number < 100 { (2, 53) } else { (0, number / 100) };
        script.say(&[i_data(flags, tsn, (number % 100) as u16, 0, shared, &[0; 1_000])]);
        assert!(script.end.stats().receive_held <= 2 << 20);
        if script.end.poll_timeout().is_none() {
            break;
        }
        tsn += 1;
    }
    let answer = script.answer();
    assert_eq!((answer[0].0, &answer[0].2[..4]), (ABORT, &[0, 4, 0, 4][..]), "{}", tsn - TSN);
    assert!(script.events().contains(&Event::Closed(CloseReason::Violation(Violation::TooManyBegun))));
}

/// RFC 8260 §3: the order in which two large messages and a few small ones leave.
#[test]
fn schedulers_without_interleaving_choose_by_message() {
    for (scheduler, expected) in [
        (Scheduler::FirstComeFirstServed, [1, 1, 2, 2, 3, 3]),
        (Scheduler::RoundRobin, [1, 2, 3, 1, 2, 3]),
        (Scheduler::RoundRobinPerPacket, [1, 2, 3, 1, 2, 3]),
        (Scheduler::Priority, [3, 3, 2, 2, 1, 1]),
    ] {
        let mut pair = wide(scheduler, Interleaving::Off);
        for stream in [1, 2, 3] {
            pair.ends[A].set_weight(StreamId(stream), 128 << stream);
            pair.send(A, stream, message(bytes(5_000))).unwrap();
            pair.send(A, stream, message(bytes(5_000))).unwrap();
        }
        let mut order: Vec<_> = order_of(&mut pair).concat();
        order.dedup();
        let mut expected = expected.to_vec();
        expected.dedup();
        assert_eq!(order, expected, "{scheduler:?}");
    }
}

#[test]
fn schedulers_with_interleaving_choose_by_fragment() {
    // Bytes of each stream among the first 300 kB, of three that always have something.
    let shares = |scheduler| {
        let mut pair = wide(scheduler, Interleaving::Offered);
        for stream in [1_u16, 2, 3] {
            pair.ends[A].set_weight(StreamId(stream), 128 << stream);
            let size = if stream == 1 { 100 } else { 100_000 };
            for _ in 0..500_000 / size {
                pair.send(A, stream, message(bytes(size))).unwrap();
            }
        }
        let mut sent = [0_usize; 4];
        for packet in pair.packets(A) {
            if sent.iter().sum::<usize>() > 300_000 {
                break;
            }
            for (_, stream, _, _, len) in i_data_of(&packet) {
                sent[usize::from(stream)] += len;
            }
        }
        sent
    };
    let [_, one, two, three] = shares(Scheduler::FirstComeFirstServed);
    assert!(one > 299_000 && two + three == 0);
    let [_, one, two, three] = shares(Scheduler::RoundRobin);
    assert!(one * 5 < two && two * 5 > three * 4 && two * 4 < three * 5, "by count: {one} {two} {three}");
    let [_, one, two, three] = shares(Scheduler::RoundRobinPerPacket);
    assert!(one * 10 > two * 7 && two.abs_diff(three) < 5_000, "by packet: {one} {two} {three}");
    let [_, one, two, three] = shares(Scheduler::Priority);
    assert!(three > 299_000 && one + two == 0);
    // Headers count as well, so small messages get a little less.
    let [_, one, two, three] = shares(Scheduler::FairCapacity);
    assert!(one * 5 > two * 2 && two.abs_diff(three) < 5_000, "by bytes: {one} {two} {three}");
    let [_, one, two, three] = shares(Scheduler::WeightedFair);
    assert!((three as f64 / two as f64 - 2.0).abs() < 0.1 && one * 5 > two, "by weight: {one} {two} {three}");
}

/// RFC 8260 §3.3: a packet has chunks of one stream.
#[test]
fn rfc8260_3_3_one_stream_a_packet() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        let mut pair = wide(Scheduler::RoundRobinPerPacket, interleaving);
        for number in 0..90_u16 {
            pair.send(A, number % 3, message(bytes(300 + usize::from(number)))).unwrap();
        }
        pair.send(A, 7, message(bytes(5_000))).unwrap();
        let packets = order_of(&mut pair);
        assert!(packets.iter().all(|streams| streams.iter().all(|stream| *stream == streams[0])));
        assert!(packets[..20].windows(2).all(|pair| pair[0][0] != pair[1][0] || pair[0][0] == 7));
        assert_eq!(packets.concat().len(), 95);
    }
}

/// RFC 7053: the last packet of a burst asks for its acknowledgement, a lone message does not, unless it is told to.
#[test]
fn rfc7053_the_end_of_a_burst_is_acknowledged_at_once() {
    let mut pair = both(Config::default);
    let immediate = |packets: Vec<Vec<u8>>| -> Vec<bool> {
        packets.iter().flat_map(|packet| i_data_of(packet)).map(|(flags, ..)| flags & 8 != 0).collect()
    };
    pair.send(A, 1, message(bytes(3_000))).unwrap();
    assert_eq!(immediate(pair.packets(A)), [false, false, true]);
    pair.run_for(ms(20_000));
    pair.send(A, 1, message("lone")).unwrap();
    assert_eq!(immediate(pair.packets(A)), [false]);
    pair.run_for(ms(20_000));
    let options = SendOptions::new().with_immediate_ack();
    pair.ends[A].send(pair.now, StreamId(1), message("asks"), options).unwrap();
    assert_eq!(immediate(pair.packets(A)), [true]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two associations over a bad link: everything once, in order, whatever the scheduler.
    #[test]
    fn everything_arrives_once_and_in_order(
        seed in 0_u64..10_000,
        loss in 0_u32..25,
        scheduler in prop_oneof![
            Just(Scheduler::FirstComeFirstServed),
            Just(Scheduler::RoundRobin),
            Just(Scheduler::RoundRobinPerPacket),
            Just(Scheduler::FairCapacity),
            Just(Scheduler::Priority),
            Just(Scheduler::WeightedFair),
        ],
        interleaved in any::<bool>(),
        sizes in proptest::collection::vec((0_u16..5, 8_usize..20_000), 1..60),
    ) {
        let interleaving = if interleaved { Interleaving::Offered } else { Interleaving::Off };
        let mut link = Link::new(ms(10));
        link.loss = f64::from(loss);
        link.jitter = ms(15);
        link.duplicate = 2.0;
        let config = || Config::default().with_scheduler(scheduler).with_interleaving(interleaving);
        let mut pair = Pair::with(seed, link, [config(), config()], [Vec::new(), Vec::new()]);
        pair.connect();
        for (number, (stream, size)) in sizes.iter().enumerate() {
            let mut payload = bytes(*size).to_vec();
            payload[..8].copy_from_slice(&(number as u64).to_be_bytes());
            while pair.send(A, *stream, message(payload.clone())).is_err() {
                pair.run_for(ms(10));
            }
            if number % 5 == 0 {
                pair.run_for(ms(1));
            }
        }
        let count = sizes.len();
        prop_assert!(pair.run_until(ms(300_000), |pair| pair.received[B].len() == count), "{:?}", pair.ends);
        let mut last = [None; 5];
        for (stream, message) in &pair.received[B] {
            let number = u64::from_be_bytes(message.payload[..8].try_into().unwrap());
            let (expected_stream, size) = sizes[number as usize];
            prop_assert_eq!((stream.0, message.payload.len()), (expected_stream, size));
            prop_assert_eq!(&message.payload[8..], &bytes(size)[8..]);
            let last = &mut last[usize::from(stream.0)];
            prop_assert!(last.is_none_or(|last| last < number));
            *last = Some(number);
        }
        pair.run_for(ms(60_000));
        prop_assert_eq!(pair.received[B].len(), count);
        prop_assert!(pair.ends[A].is_flushed());
    }
}
