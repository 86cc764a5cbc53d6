//! A reader that does not read makes the sender wait: nothing is lost, and nothing grows without bound.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{PATIENCE, Pair, next_channel, poll_times, within};
use peerconnection::{
    Configuration, DataChannelInit, DataChannelState,
    tokio::{Message, SendError},
};
use std::time::Duration;
use tokio::time::timeout;

const SIZE: usize = 16 * 1024;
/// Both buffers of every test, in bytes.
const BUFFER: usize = 64 * 1024;

/// The most that lies between `send` and `recv`: the sender's credit and its queue in the stack, and the receive buffer
/// of the stack (as large as the largest message, here 256 KiB) and of the handle, one message over.
const BOUND: usize = BUFFER * 3 + 256 * 1024 + SIZE * 2;

fn small() -> Configuration {
    Configuration::default().with_send_buffer(BUFFER).with_receive_buffer(BUFFER)
}

fn message(number: u32) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(SIZE, number as u8);
    bytes
}

/// Sends until it has to wait; returns the number of the first message that was not sent.
async fn fill(pair: &Pair) -> u32 {
    for number in 0.. {
        match timeout(Duration::from_millis(500), pair.a_channel.send(message(number))).await {
            Ok(sent) => sent.expect("open"),
            Err(_) => return number,
        }
    }
    unreachable!("the loop has no end")
}

#[tokio::test]
async fn a_slow_reader_makes_the_sender_wait_and_loses_nothing() {
    let mut pair = Pair::new(small(), small()).await;
    let waiting = fill(&pair).await;
    assert!(waiting as usize * SIZE <= BOUND, "{waiting} messages under way");
    assert!(waiting as usize * SIZE >= BUFFER * 2, "both buffers are used, not {waiting} messages");
    assert!((1..=BUFFER).contains(&pair.a_channel.buffered_amount()));

    let refused = pair.a_channel.try_send(message(waiting)).expect_err("full");
    assert!(matches!(refused, SendError::Full(_)), "{refused}");
    assert_eq!(refused.into_message(), Message::from(message(waiting)));
    // A send that waits and is given up has sent nothing.
    assert!(poll_times(pair.a_channel.send(message(9_999)), 3).await.is_none());

    let total = waiting + 100;
    let sender = pair.a_channel;
    let sending = tokio::spawn(async move {
        for number in waiting..total {
            sender.send(message(number)).await.expect("open");
        }
        sender
    });
    let begin = tokio::time::Instant::now();
    for number in 0..total {
        let received = within("a message", pair.b_channel.recv()).await;
        assert_eq!(received, Some(Message::from(message(number))), "message {number}");
    }
    // A window that opens again is used at once, without waiting for a timer of either side.
    assert!(begin.elapsed() < Duration::from_secs(3), "{total} messages took {:?}", begin.elapsed());
    let sender = within("the sender", sending).await.expect("no panic");
    sender.set_buffered_amount_low_threshold(0);
    within("all sent", sender.buffered_amount_low()).await;
    assert_eq!(sender.buffered_amount(), 0);
    assert!(timeout(Duration::from_millis(100), pair.b_channel.recv()).await.is_err(), "and nothing more");
}

#[tokio::test]
async fn the_low_mark_wakes_the_sender() {
    let mut pair = Pair::new(small(), small()).await;
    within("an empty buffer is low", pair.a_channel.buffered_amount_low()).await;
    fill(&pair).await;
    let mark = pair.a_channel.buffered_amount() / 2;
    pair.a_channel.set_buffered_amount_low_threshold(mark);
    assert!(poll_times(pair.a_channel.buffered_amount_low(), 3).await.is_none(), "not low yet");
    let low = async {
        pair.a_channel.buffered_amount_low().await;
        pair.a_channel.buffered_amount()
    };
    let read = async { while pair.b_channel.recv().await.is_some() {} };
    let amount = within("low", async {
        tokio::select! { amount = low => amount, () = read => panic!("the channel was closed") }
    })
    .await;
    assert!(amount <= mark, "{amount} of {mark}");
}

/// A threshold raised above the amount wakes at once.
#[tokio::test]
async fn raising_the_mark_wakes_the_sender() {
    let pair = Pair::new(small(), small()).await;
    fill(&pair).await;
    let (sender, _receiver) = pair.a_channel.split();
    let waiter = sender.clone();
    let waiting = tokio::spawn(async move { waiter.buffered_amount_low().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    sender.set_buffered_amount_low_threshold(BUFFER);
    within("low", waiting).await.expect("no panic");
}

#[tokio::test]
async fn a_message_that_is_too_large_comes_back_with_the_limit() {
    let pair =
        Pair::new(Configuration::default(), Configuration::default().with_max_message_size(1_000)).await;
    assert_eq!(pair.a_channel.max_message_size(), 1_000);
    for outcome in [pair.a_channel.send(vec![1; 1_001]).await, pair.a_channel.try_send(vec![1; 1_001])] {
        let SendError::TooLarge { limit, message } = outcome.expect_err("too large") else {
            panic!("another error")
        };
        assert_eq!((limit, message.len()), (1_000, 1_001));
    }
    pair.a_channel.send(vec![1; 1_000]).await.expect("just fits");
    let mut receiver = pair.b_channel;
    assert_eq!(within("it", receiver.recv()).await.map(|message| message.len()), Some(1_000));
}

#[tokio::test]
async fn a_closed_channel_gives_the_message_back() {
    let pair = Pair::new(small(), small()).await;
    fill(&pair).await;
    let (sender, _receiver) = pair.a_channel.split();
    let waiter = sender.clone();
    // One waits for room while the connection ends.
    let waiting = tokio::spawn(async move { waiter.send(message(7)).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    within("close", pair.a.close()).await;
    let refused = within("the sender", waiting).await.expect("no panic").expect_err("closed");
    assert!(matches!(refused, SendError::Closed(_)), "{refused}");
    assert_eq!(refused.into_message(), Message::from(message(7)));
    for outcome in [sender.send("late").await, sender.try_send("late")] {
        let refused = outcome.expect_err("closed");
        assert!(matches!(refused, SendError::Closed(_)), "{refused}");
        assert_eq!(refused.into_message(), Message::from("late"));
    }
    assert_eq!(sender.ready_state(), DataChannelState::Closed);
    within("nothing is left to wait for", sender.buffered_amount_low()).await;
}

/// A reader that leaves without reading must not hold up the other channels.
#[tokio::test]
async fn an_abandoned_channel_does_not_block_the_others() {
    let mut pair = Pair::new(small(), small()).await;
    let other = pair.a.create_data_channel("other", DataChannelInit::new()).await.expect("a channel");
    let mut other_end = within("the other", next_channel(&mut pair.b_events)).await;
    fill(&pair).await;
    drop(pair.b_channel);
    other.send("through").await.expect("open");
    assert_eq!(within("the other channel", other_end.recv()).await, Some(Message::from("through")));
    let closed = async {
        while pair.a_channel.ready_state() != DataChannelState::Closed {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(PATIENCE, closed).await.is_ok(), "the channel without a reader is closed on both sides");
}

/// The same with the sending half still held: what nobody can read is thrown away.
#[tokio::test]
async fn a_dropped_receiver_does_not_block_the_others() {
    let mut pair = Pair::new(small(), small()).await;
    let other = pair.a.create_data_channel("other", DataChannelInit::new()).await.expect("a channel");
    let mut other_end = within("the other", next_channel(&mut pair.b_events)).await;
    let sent = fill(&pair).await;
    let (_sender, receiver) = pair.b_channel.split();
    drop(receiver);
    other.send("through").await.expect("open");
    assert_eq!(within("the other channel", other_end.recv()).await, Some(Message::from("through")));
    within("room", pair.a_channel.send(message(sent))).await.expect("open");
}

/// A channel that the sender closes is closed at once on the other side, and its slow reader still gets every message.
#[tokio::test]
async fn what_was_sent_before_the_close_is_read_after_it() {
    let mut pair = Pair::new(small(), small()).await;
    let waiting = fill(&pair).await;
    let (sender, _receiver) = pair.a_channel.split();
    let closing = tokio::spawn(async move { sender.close().await });
    // The peer reads as slowly as it likes: half now, half when the channel has long been closed.
    for number in 0..waiting {
        if number == waiting / 2 {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let received = within("a message", pair.b_channel.recv()).await;
        assert_eq!(received, Some(Message::from(message(number))), "message {number} of {waiting}");
    }
    assert_eq!(within("the end", pair.b_channel.recv()).await, None);
    within("closed", closing).await.expect("no panic");
    assert_eq!(pair.b_channel.ready_state(), DataChannelState::Closed);
}

/// A message that was queued before the peer told its limit cannot be sent; a gap would go unnoticed.
#[tokio::test]
async fn a_queued_message_that_turns_out_too_large_ends_the_channel() {
    let (a, _a_events) = connections::connection(Configuration::default()).await;
    let limited = Configuration::default().with_max_message_size(1_000);
    let (b, mut b_events) = connections::connection(limited).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    channel.send("first").await.expect("queued");
    channel.send(vec![1; 1_001]).await.expect("queued, nobody knows the limit yet");
    connections::negotiate(&a, &b).await;
    let mut other = within("the channel", next_channel(&mut b_events)).await;
    assert_eq!(within("it", other.recv()).await, Some(Message::from("first")));
    assert_eq!(within("the end", other.recv()).await, None);
    within("closed", async {
        while channel.ready_state() != DataChannelState::Closed {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
