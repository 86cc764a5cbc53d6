//! What a channel says about what it has sent, and about its end.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{Pair, next_channel, poll_times, within};
use peerconnection::{
    Configuration, DataChannelEnd, DataChannelInit, DataChannelPriority, DataChannelState,
    tokio::{DataChannel, Message, SendError},
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const SIZE: usize = 16 * 1024;
const BUFFER: usize = 64 * 1024;

fn small() -> Configuration {
    Configuration::default().with_send_buffer(BUFFER).with_receive_buffer(BUFFER)
}

/// Sends until it has to wait. The peer does not read.
async fn fill(channel: &DataChannel) -> usize {
    for sent in 0.. {
        match timeout(Duration::from_millis(300), channel.send(vec![7; SIZE])).await {
            Ok(outcome) => outcome.expect("open"),
            Err(_) => return sent,
        }
    }
    unreachable!("the loop has no end")
}

#[tokio::test]
async fn flush_means_acknowledged() {
    let mut pair = Pair::new(Configuration::default(), Configuration::default()).await;
    within("nothing to wait for", pair.a_channel.flush()).await.expect("open");
    for number in 0..200_u32 {
        pair.a_channel.send(number.to_be_bytes().to_vec()).await.expect("open");
        if number % 50 == 0 {
            within("acknowledged", pair.a_channel.flush()).await.expect("open");
            assert_eq!((pair.a_channel.buffered_amount(), pair.a_channel.outstanding_amount()), (0, 0));
        }
    }
    within("acknowledged", pair.a_channel.flush()).await.expect("open");
    // The peer's transport has them all, although its application has read none: they need no further datagram.
    pair.a.close().await;
    for number in 0..200_u32 {
        let received = within("a message", pair.b_channel.recv()).await;
        assert_eq!(received, Some(Message::from(number.to_be_bytes().to_vec())));
    }
}

#[tokio::test]
async fn flush_waits_for_a_slow_reader_and_is_cancel_safe() {
    let mut pair = Pair::new(small(), small()).await;
    let sent = fill(&pair.a_channel).await;
    for polls in 0..4 {
        assert!(poll_times(pair.a_channel.flush(), polls).await.is_none(), "it cannot be acknowledged yet");
    }
    let read = async {
        for _ in 0..sent {
            assert_eq!(pair.b_channel.recv().await.map(|message| message.len()), Some(SIZE));
        }
    };
    within("acknowledged", async { tokio::join!(pair.a_channel.flush(), read).0 }).await.expect("open");
    assert_eq!((pair.a_channel.buffered_amount(), pair.a_channel.outstanding_amount()), (0, 0));
}

/// Users 56: three figures that are not mixed up.
#[tokio::test]
async fn users_56_three_figures() {
    let pair = Pair::new(small(), small()).await;
    let channel = &pair.a_channel;
    assert_eq!((channel.buffered_amount(), channel.outstanding_amount()), (0, 0));
    assert_eq!(channel.buffered_amount_low_threshold(), 0);
    // Before anybody else had a turn it is all buffered, and nothing under way.
    channel.try_send(vec![1; 1_000]).expect("room");
    channel.try_send("five!").expect("room");
    assert_eq!((channel.buffered_amount(), channel.outstanding_amount()), (1_005, 0));
    within("acknowledged", channel.flush()).await.expect("open");
    assert_eq!((channel.buffered_amount(), channel.outstanding_amount()), (0, 0));
    fill(channel).await;
    assert!(channel.buffered_amount() > 0, "the buffer is full");
    channel.set_buffered_amount_low_threshold(BUFFER);
    assert_eq!(channel.buffered_amount_low_threshold(), BUFFER);
    within("it is below", channel.buffered_amount_low()).await;
    assert!(channel.buffered_amount() > 0, "and that is not empty");
}

#[tokio::test]
async fn flush_tells_why_it_cannot_be() {
    // The connection is closed here.
    let pair = Pair::new(small(), small()).await;
    fill(&pair.a_channel).await;
    let (sender, _receiver) = pair.a_channel.split();
    let waiter = sender.clone();
    let waiting = tokio::spawn(async move { waiter.flush().await });
    sleep(Duration::from_millis(50)).await;
    within("close", pair.a.close()).await;
    assert_eq!(within("flush", waiting).await.expect("no panic"), Err(DataChannelEnd::ConnectionClosed));
    assert_eq!(within("flush", sender.flush()).await, Err(DataChannelEnd::ConnectionClosed));
    assert_eq!(sender.end(), Some(DataChannelEnd::ConnectionClosed));

    // The peer's whole connection goes.
    let pair = Pair::new(small(), small()).await;
    fill(&pair.a_channel).await;
    let (flushed, ()) = within("both", async { tokio::join!(pair.a_channel.flush(), pair.b.close()) }).await;
    assert_eq!(flushed, Err(DataChannelEnd::Association));
    assert_eq!(within("closed", pair.a_channel.closed()).await, DataChannelEnd::Association);
}

#[tokio::test]
async fn what_was_acknowledged_stays_flushed_after_the_end() {
    let pair = Pair::new(Configuration::default(), Configuration::default()).await;
    pair.a_channel.send("hello").await.expect("open");
    within("acknowledged", pair.a_channel.flush()).await.expect("open");
    within("close", pair.b_channel.close()).await;
    assert_eq!(within("the end", pair.a_channel.closed()).await, DataChannelEnd::ClosedByPeer);
    within("nothing was lost", pair.a_channel.flush()).await.expect("flushed");
    assert!(matches!(pair.a_channel.send("late").await, Err(SendError::Closed(_))));
}

/// Users 57: the close is known at once, before the backlog is read; and the backlog can still be read.
#[tokio::test]
async fn users_57_closed_overtakes_a_backlog() {
    let mut pair = Pair::new(Configuration::default(), Configuration::default()).await;
    for number in 0..100_u32 {
        pair.a_channel.send(number.to_be_bytes().to_vec()).await.expect("open");
    }
    let (closer, _receiver) = pair.a_channel.split();
    let closing = tokio::spawn(async move {
        closer.close().await;
        closer.closed().await
    });
    assert_eq!(within("the end", pair.b_channel.closed()).await, DataChannelEnd::ClosedByPeer);
    assert_eq!(pair.b_channel.ready_state(), DataChannelState::Closed);
    assert_eq!(pair.b_channel.end(), Some(DataChannelEnd::ClosedByPeer));
    for number in 0..100_u32 {
        let received = within("a message", pair.b_channel.recv()).await;
        assert_eq!(received, Some(Message::from(number.to_be_bytes().to_vec())));
    }
    assert_eq!(within("then the end", pair.b_channel.recv()).await, None);
    assert_eq!(within("closed", closing).await.expect("no panic"), DataChannelEnd::Closed);
}

#[tokio::test]
async fn reasons_of_an_end() {
    // More than the peer takes, queued before it said so.
    let (a, _a_events) = connections::connection(Configuration::default()).await;
    let (b, mut b_events) =
        connections::connection(Configuration::default().with_max_message_size(1_000)).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    assert_eq!(channel.end(), None);
    channel.send(vec![1; 1_001]).await.expect("queued");
    connections::negotiate(&a, &b).await;
    let other = within("the channel", next_channel(&mut b_events)).await;
    assert_eq!(within("the end", channel.closed()).await, DataChannelEnd::MessageRefused);
    assert_eq!(within("the end", other.closed()).await, DataChannelEnd::ClosedByPeer);
}

#[tokio::test]
async fn priorities_reach_the_peer() {
    let mut pair = Pair::new(Configuration::default(), Configuration::default()).await;
    assert_eq!(pair.b_channel.priority(), DataChannelPriority::Low);
    for priority in [
        DataChannelPriority::VeryLow,
        DataChannelPriority::Low,
        DataChannelPriority::Medium,
        DataChannelPriority::High,
    ] {
        let init = DataChannelInit::new().priority(priority);
        let ours = pair.a.create_data_channel("weighted", init).await.expect("a channel");
        let theirs = within("the channel", next_channel(&mut pair.b_events)).await;
        assert_eq!((ours.priority(), theirs.priority()), (priority, priority));
    }
}

/// Four tasks on two workers fight for the credit of one channel: some wait, some try, some give up waiting. Every
/// message that was taken arrives once, in the order of its sender, and all the credit comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_is_exact_under_races() {
    const MESSAGES: u32 = 2_000;
    let pair = Pair::new(small(), small()).await;
    let (sender, _receiver) = pair.a_channel.split();
    let mut tasks = Vec::new();
    for task in 0..4_u8 {
        let sender = sender.clone();
        tasks.push(tokio::spawn(async move {
            for number in 0..MESSAGES {
                let mut bytes = vec![task; 64 + (number as usize * 37) % 3_000];
                bytes[1..5].copy_from_slice(&number.to_be_bytes());
                let mut message = Message::from(bytes);
                loop {
                    // A send that is given up sent nothing, so it may be tried again.
                    if number % 3 == 0 && poll_times(sender.send(message.clone()), number % 4).await.is_some()
                    {
                        break;
                    }
                    if number % 2 == 0 {
                        sender.send(message).await.expect("open");
                        break;
                    }
                    match sender.try_send(message) {
                        Ok(()) => break,
                        Err(SendError::Full(back)) => message = back,
                        Err(error) => panic!("{error}"),
                    }
                    tokio::task::yield_now().await;
                }
            }
        }));
    }
    let mut receiver = pair.b_channel;
    let mut next = [0_u32; 4];
    while next != [MESSAGES; 4] {
        let Some(Message::Binary(bytes)) = within("a message", receiver.recv()).await else {
            panic!("ended")
        };
        let number = u32::from_be_bytes(bytes[1..5].try_into().expect("four bytes"));
        let expected = &mut next[usize::from(bytes[0])];
        assert_eq!(number, *expected, "of task {}", bytes[0]);
        *expected += 1;
    }
    for task in tasks {
        within("a sender", task).await.expect("no panic");
    }
    within("acknowledged", sender.flush()).await.expect("open");
    // The whole buffer is there again: a message as large as it goes through at once. And no more than the buffer.
    assert_eq!((sender.buffered_amount(), sender.outstanding_amount()), (0, 0));
    sender.try_send(vec![0; BUFFER - 64]).expect("all the credit is back");
    while poll_times(sender.send(vec![0; 1_000]), 20).await.is_some() {
        assert!(sender.buffered_amount() <= BUFFER, "{} bytes", sender.buffered_amount());
    }
}
