//! Messages in pieces, and what becomes of messages.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{Pair, next_channel, poll_times, within};
use peerconnection::{
    Configuration, DataChannelEnd, DataChannelInit, DataChannelState,
    datachannel::Kind,
    tokio::{DataChannel, Message, MessageFate, MessageGivenUp, MessageReader, MessageWriteError},
};
use std::time::Duration;
use tokio::time::timeout;

const BUFFER: usize = 64 * 1024;

/// Small buffers, and messages of any size in pieces.
fn small() -> Configuration {
    Configuration::default()
        .with_send_buffer(BUFFER)
        .with_receive_buffer(BUFFER)
        .with_max_message_size(BUFFER)
        .with_max_streamed_size(0)
}

fn pattern(from: usize, len: usize) -> Vec<u8> {
    (from..from + len).map(|at| (at / 251 + at) as u8).collect()
}

/// Reads a message to its end and checks that it is the pattern.
async fn check(mut reader: MessageReader<'_>) -> Result<usize, MessageGivenUp> {
    let mut len = 0;
    while let Some(piece) = reader.read().await? {
        assert!(!piece.is_empty() && piece == pattern(len, piece.len()), "at {len}");
        len += piece.len();
    }
    assert_eq!(reader.read().await, Ok(None), "the end stays the end");
    Ok(len)
}

async fn next(channel: &mut DataChannel) -> MessageReader<'_> {
    within("a message", channel.recv_streamed()).await.expect("open")
}

/// P29: a hundred times the buffers, which is more than `send` takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_larger_than_all_buffers() {
    const SIZE: usize = 100 * BUFFER + 1;
    let mut pair = Pair::new(small(), small()).await;
    let sender = pair.a_channel;
    let sending = tokio::spawn(async move {
        let mut writer = sender.writer(Kind::Binary).await.expect("open");
        let mut written = 0;
        while written < SIZE {
            let len = (SIZE - written).min(100_000);
            writer.write(pattern(written, len)).await.expect("open");
            written += len;
            assert!(
                sender.buffered_amount() <= 3 * BUFFER,
                "{} bytes are buffered",
                sender.buffered_amount()
            );
        }
        assert_eq!(writer.written(), SIZE as u64);
        writer.finish().await.expect("open");
        sender.send("and a whole one").await.expect("open");
        within("acknowledged", sender.flush()).await.expect("open");
        sender
    });
    let reader = next(&mut pair.b_channel).await;
    assert_eq!(reader.kind(), Kind::Binary);
    assert_eq!(within("all of it", check(reader)).await, Ok(SIZE));
    let mut reader = next(&mut pair.b_channel).await;
    assert_eq!(reader.kind(), Kind::Text);
    assert_eq!(within("it", reader.read()).await, Ok(Some("and a whole one".into())));
    assert_eq!(within("its end", reader.read()).await, Ok(None));
    within("the sender", sending).await.expect("no panic");
}

#[tokio::test]
async fn a_reader_that_does_not_read_makes_the_writer_wait() {
    let mut pair = Pair::new(small(), small()).await;
    // So that the first piece is not held as a whole message.
    assert!(poll_times(pair.b_channel.recv_streamed(), 3).await.is_none());
    let mut writer = pair.a_channel.writer(Kind::Binary).await.expect("open");
    let mut written = 0;
    while timeout(Duration::from_millis(300), writer.write(pattern(written, 10_000))).await.is_ok() {
        written += 10_000;
        assert!(written < 20 * BUFFER, "nobody reads {written} bytes");
    }
    assert!(written > BUFFER, "the buffers are used");
    let mut reader = next(&mut pair.b_channel).await;
    let mut read = 0;
    // The last byte waits for the end: there is no packet without one (RFC 9260 §3.3.1).
    while read < written - 1 {
        let piece = within("a piece", reader.read()).await.expect("whole").expect("more");
        assert_eq!(piece, pattern(read, piece.len()));
        read += piece.len();
    }
}

#[tokio::test]
async fn an_unfinished_message_is_given_up() {
    let mut pair = Pair::new(small(), small()).await;
    let mut writer = pair.a_channel.writer(Kind::Binary).await.expect("open");
    writer.write(pattern(0, 30_000)).await.expect("open");
    let mut reader = next(&mut pair.b_channel).await;
    let mut len = 0;
    while len < 20_000 {
        len += within("a piece", reader.read()).await.expect("so far").expect("more").len();
    }
    drop(writer);
    let given_up = async {
        loop {
            match reader.read().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    };
    assert_eq!(within("the end", given_up).await, Err(MessageGivenUp));
    drop(reader);
    // A writer that wrote nothing leaves nothing.
    drop(pair.a_channel.writer(Kind::Text).await.expect("open"));
    pair.a_channel.send("next").await.expect("open");
    let mut reader = next(&mut pair.b_channel).await;
    assert_eq!(within("it", reader.read()).await, Ok(Some("next".into())));
}

/// Messages of others wait behind the one that is written, and cannot keep it from ending, however many they are.
#[tokio::test]
async fn others_wait_until_it_is_finished() {
    let mut pair = Pair::new(small(), small()).await;
    let mut writer = pair.a_channel.writer(Kind::Binary).await.expect("open");
    writer.write(pattern(0, 1_000)).await.expect("open");
    assert!(poll_times(pair.a_channel.writer(Kind::Binary), 5).await.is_none(), "one at a time");
    let mut behind = 0;
    while timeout(Duration::from_millis(200), pair.a_channel.send(vec![7; 10_000])).await.is_ok() {
        behind += 1;
        assert!(behind < 100, "the send buffer is full at some time");
    }
    assert!(behind > 0);
    // The buffer is full of them; the writer has one of its own.
    let writing = async {
        writer.write(pattern(1_000, 200_000)).await.expect("open");
        writer.finish().await.expect("open");
    };
    let reading = async {
        assert_eq!(check(next(&mut pair.b_channel).await).await, Ok(201_000));
        for number in 0..behind {
            let message = pair.b_channel.recv().await;
            assert_eq!(message, Some(Message::from(vec![7; 10_000])), "message {number} of {behind}");
        }
    };
    within("all", async { tokio::join!(writing, reading) }).await;
    let writer = within("the next", pair.a_channel.writer(Kind::Text)).await.expect("open");
    writer.finish().await.expect("open");
    let mut reader = next(&mut pair.b_channel).await;
    assert_eq!(reader.kind(), Kind::Text);
    assert_eq!(within("an empty message", reader.read()).await, Ok(None));
}

#[tokio::test]
async fn the_peer_says_how_much_it_takes() {
    let limited = Configuration::default().with_max_message_size(10_000).with_max_streamed_size(50_000);
    let mut pair = Pair::new(Configuration::default(), limited).await;
    assert!(poll_times(pair.b_channel.recv_streamed(), 3).await.is_none());
    let mut writer = pair.a_channel.writer(Kind::Binary).await.expect("open");
    writer.write(pattern(0, 50_000)).await.expect("just fits");
    let refused = writer.write("x").await;
    assert_eq!(refused, Err(MessageWriteError::TooLarge { limit: 50_000 }));
    writer.finish().await.expect("what fits is a message");
    assert_eq!(within("it", check(next(&mut pair.b_channel).await)).await, Ok(50_000));
    // A channel that takes whole messages is closed by one that is too large for that.
    let whole = pair.a.create_data_channel("whole", DataChannelInit::new()).await.expect("a channel");
    let other = within("the channel", next_channel(&mut pair.b_events)).await;
    let mut writer = whole.writer(Kind::Binary).await.expect("open");
    let _ = writer.write(pattern(0, 40_000)).await;
    let _ = writer.finish().await;
    assert_eq!(within("the end", other.closed()).await, DataChannelEnd::MessageTooLarge);
}

#[tokio::test]
async fn whole_messages_of_a_channel_that_was_read_in_pieces() {
    let mut pair = Pair::new(small(), small()).await;
    pair.a_channel.send(pattern(0, 5_000)).await.expect("open");
    assert_eq!(within("it", check(next(&mut pair.b_channel).await)).await, Ok(5_000));
    for size in [0, 1, 60_000] {
        let mut writer = pair.a_channel.writer(Kind::Text).await.expect("open");
        for _ in 0..size {
            if writer.written() < size {
                writer.write("a".repeat(usize::try_from(size).expect("small").min(999))).await.expect("open");
            }
        }
        let len = usize::try_from(writer.written()).expect("small");
        writer.finish().await.expect("open");
        let message = within("it", pair.b_channel.recv()).await;
        assert_eq!(message, Some(Message::from("a".repeat(len))));
    }
    // A reader that is dropped skips the rest of its message.
    let (sent, ()) = within("both", async {
        tokio::join!(pair.a_channel.send(pattern(0, 60_000)), async {
            let mut reader = pair.b_channel.recv_streamed().await.expect("open");
            assert!(reader.read().await.expect("whole").is_some());
        })
    })
    .await;
    sent.expect("open");
    pair.a_channel.send("next").await.expect("open");
    assert_eq!(within("it", pair.b_channel.recv()).await, Some(Message::from("next")));
}

/// Who reads whole messages holds no more than the largest that is configured, also where any size is announced.
#[tokio::test]
async fn a_whole_message_has_a_limit_on_a_channel_that_was_read_in_pieces() {
    let mut pair = Pair::new(small(), small()).await;
    pair.a_channel.send("first").await.expect("open");
    assert_eq!(within("it", check_text(next(&mut pair.b_channel).await)).await, "first");
    // Exactly as large as is taken, and behind it one byte more.
    let mut writer = pair.a_channel.writer(Kind::Binary).await.expect("open");
    let writing = async {
        writer.write(pattern(0, BUFFER)).await.expect("open");
        writer.finish().await.expect("open");
    };
    let (message, ()) = within("both", async { tokio::join!(pair.b_channel.recv(), writing) }).await;
    assert_eq!(message, Some(Message::from(pattern(0, BUFFER))));
    let writing = async {
        let mut writer = pair.a_channel.writer(Kind::Binary).await.expect("open");
        let mut written = 0;
        // It never ends.
        while writer.write(pattern(written, 10_000)).await.is_ok() {
            written += 10_000;
        }
        written
    };
    let (message, written) = within("both", async { tokio::join!(pair.b_channel.recv(), writing) }).await;
    assert_eq!(message, None);
    assert_eq!(pair.b_channel.end(), Some(DataChannelEnd::MessageTooLarge));
    assert!(written > BUFFER && written < 20 * BUFFER, "{written} bytes were written");
    assert_eq!(within("the end", pair.a_channel.closed()).await, DataChannelEnd::ClosedByPeer);
    assert!(within("nothing", pair.b_channel.recv_streamed()).await.is_none());
}

async fn check_text(mut reader: MessageReader<'_>) -> String {
    let mut text = Vec::new();
    while let Some(piece) = reader.read().await.expect("whole") {
        text.extend(piece);
    }
    String::from_utf8(text).expect("text")
}

#[tokio::test]
async fn a_writer_hears_of_the_end() {
    let pair = Pair::new(small(), small()).await;
    let mut writer = pair.a_channel.writer(Kind::Binary).await.expect("open");
    writer.write(pattern(0, 1_000)).await.expect("open");
    let waiting = async {
        loop {
            if let Err(error) = writer.write(pattern(0, 10_000)).await {
                return error;
            }
        }
    };
    let (error, ()) = within("both", async { tokio::join!(waiting, pair.b.close()) }).await;
    assert_eq!(error, MessageWriteError::Ended(DataChannelEnd::Association));
    assert_eq!(writer.finish().await, Err(MessageWriteError::Ended(DataChannelEnd::Association)));
    let refused = pair.a_channel.writer(Kind::Binary).await;
    assert_eq!(refused.err(), Some(DataChannelEnd::Association));
}

/// Closing does not wait for a writer that is held somewhere; what it wrote so far is given up.
#[tokio::test]
async fn a_close_does_not_wait_for_a_writer() {
    let mut pair = Pair::new(small(), small()).await;
    let (sender, _receiver) = pair.a_channel.split();
    let mut writer = sender.writer(Kind::Binary).await.expect("open");
    writer.write(pattern(0, 5_000)).await.expect("open");
    let mut reader = next(&mut pair.b_channel).await;
    within("closed", sender.close()).await;
    let end = async {
        loop {
            match reader.read().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    };
    assert_eq!(within("the end", end).await, Err(MessageGivenUp));
    assert_eq!(writer.write("more").await, Err(MessageWriteError::Ended(DataChannelEnd::Closed)));
}

/// A message that the closing gave up is not reported as ended, also while the peer has not confirmed.
#[tokio::test]
async fn a_message_of_a_closing_channel_cannot_be_finished() {
    let pair = Pair::new(small(), small()).await;
    let (sender, _receiver) = pair.a_channel.split();
    let mut writer = sender.writer(Kind::Binary).await.expect("open");
    writer.write(pattern(0, 10_000)).await.expect("room");
    let mut closing = Box::pin(sender.close());
    poll_times(&mut closing, 1).await;
    while sender.ready_state() == DataChannelState::Open {
        tokio::task::yield_now().await;
    }
    let (finished, ()) = within("both", async { tokio::join!(writer.finish(), closing) }).await;
    assert_eq!(finished, Err(MessageWriteError::Ended(DataChannelEnd::Closed)));
}

#[tokio::test]
async fn receipts_tell_what_became_of_messages() {
    let mut pair = Pair::new(small(), small()).await;
    let receipt = pair.a_channel.send_tracked("hello").await.expect("open");
    assert_eq!(within("acknowledged", receipt).await, MessageFate::Delivered);
    assert_eq!(within("it", pair.b_channel.recv()).await, Some(Message::from("hello")));
    // The fate of many, in any order of asking; a receipt that is dropped is no burden.
    let mut receipts = Vec::new();
    for number in 0..50_u8 {
        receipts.push(pair.a_channel.send_tracked(vec![number; 100]).await.expect("open"));
    }
    receipts.truncate(40);
    for receipt in receipts.into_iter().rev() {
        assert_eq!(within("acknowledged", receipt).await, MessageFate::Delivered);
    }
    // What cannot arrive any more is abandoned.
    let mut last = pair.a_channel.send_tracked(vec![1; 10_000]).await.expect("open");
    while let Ok(sent) =
        timeout(Duration::from_millis(200), pair.a_channel.send_tracked(vec![1; 10_000])).await
    {
        last = sent.expect("open");
    }
    let (fate, ()) = within("both", async { tokio::join!(last, pair.b.close()) }).await;
    assert_eq!(fate, MessageFate::Abandoned);
}
