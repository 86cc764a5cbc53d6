//! Data channels as streams of bytes, and as sinks and streams of messages.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{Pair, next_channel, poll_times, within};
use peerconnection::{
    Configuration, DataChannelEnd, DataChannelInit, DataChannelState,
    tokio::{ByteStream, Message},
};
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional, split},
    time::timeout,
};

const BUFFER: usize = 64 * 1024;

fn small() -> Configuration {
    Configuration::default().with_send_buffer(BUFFER).with_receive_buffer(BUFFER)
}

fn streams(pair: Pair) -> (ByteStream, ByteStream, [peerconnection::tokio::PeerConnection; 2]) {
    let Pair { a, b, a_channel, b_channel, .. } = pair;
    let a_stream = a_channel.into_byte_stream().expect("reliable");
    (a_stream, b_channel.into_byte_stream().expect("reliable"), [a, b])
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at / 251 + at) as u8).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_go_both_ways_at_once() {
    let pair = Pair::new(small(), small()).await;
    let (a, b, _kept) = streams(pair);
    let (mut a_in, mut a_out) = split(a);
    let (mut b_in, mut b_out) = split(b.with_half_close());
    let (there, back) = (pattern(3_000_000), pattern(1_000_003));
    let (expected_there, expected_back) = (there.clone(), back.clone());
    let sending = tokio::spawn(async move {
        // In pieces of all sizes, far beyond the buffers.
        for piece in there.chunks(70_001) {
            a_out.write_all(piece).await.expect("open");
        }
        a_out
    });
    let answering = tokio::spawn(async move {
        b_out.write_all(&back).await.expect("open");
        b_out
    });
    let reading = tokio::spawn(async move {
        let mut all = vec![0; expected_there.len()];
        b_in.read_exact(&mut all).await.expect("all of it");
        assert!(all == expected_there, "the same bytes");
        b_in
    });
    let mut all = vec![0; expected_back.len()];
    within("the answer", a_in.read_exact(&mut all)).await.expect("all of it");
    assert!(all == expected_back, "the same bytes");
    let _halves =
        within("all", async { tokio::try_join!(sending, answering, reading) }).await.expect("no panic");
}

#[tokio::test]
async fn a_shutdown_delivers_everything_and_closes() {
    let pair = Pair::new(small(), small()).await;
    let (mut a, mut b, _kept) = streams(pair);
    let sent = pattern(300_000);
    let expected = sent.clone();
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        b.read_to_end(&mut all).await.expect("a clean end");
        assert!(all == expected, "the same bytes");
        b
    });
    a.write_all(&sent).await.expect("open");
    within("shutdown", a.shutdown()).await.expect("acknowledged");
    assert_eq!((a.ready_state(), a.end()), (DataChannelState::Closed, Some(DataChannelEnd::Closed)));
    within("again", a.shutdown()).await.expect("nothing to do");
    assert_eq!(a.write(b"late").await.expect_err("closed").kind(), ErrorKind::BrokenPipe);
    let b = within("the reader", reading).await.expect("no panic");
    assert_eq!(b.end(), Some(DataChannelEnd::ClosedByPeer));
}

/// With half-close each direction ends by itself, as with TCP: the answer comes after the end of the question.
#[tokio::test]
async fn half_close_leaves_the_other_half() {
    let pair = Pair::new(small(), small()).await;
    let (a, b, _kept) = streams(pair);
    let (mut a, mut b) = (a.with_half_close(), b.with_half_close());
    let answering = tokio::spawn(async move {
        let mut question = String::new();
        b.read_to_string(&mut question).await.expect("the end of the question");
        b.write_all(question.to_uppercase().as_bytes()).await.expect("still open");
        b.shutdown().await.expect("acknowledged");
    });
    a.write_all(b"what is it?").await.expect("open");
    within("shutdown", a.shutdown()).await.expect("acknowledged");
    assert_eq!(a.ready_state(), DataChannelState::Open);
    let mut answer = String::new();
    within("the answer", a.read_to_string(&mut answer)).await.expect("the end of the answer");
    assert_eq!(answer, "WHAT IS IT?");
    within("the other side", answering).await.expect("no panic");
}

#[tokio::test]
async fn a_reader_that_does_not_read_makes_the_writer_wait() {
    let pair = Pair::new(small(), small()).await;
    let (mut a, mut b, _kept) = streams(pair);
    let piece = pattern(10_000);
    let mut written = 0_usize;
    while timeout(Duration::from_millis(300), a.write_all(&piece)).await.is_ok() {
        written += piece.len();
        assert!(written < 1_000_000, "nobody reads {written} bytes");
    }
    // A write that waits and is given up has written nothing of what it did not tell.
    assert!(poll_times(a.write(b"nothing"), 3).await.is_none());
    let mut read = 0;
    let mut buffer = vec![0; 4_096];
    while read < written {
        let len = within("a piece", b.read(&mut buffer)).await.expect("open");
        for (at, byte) in buffer.iter().take(len).enumerate() {
            assert_eq!(*byte, piece[(read + at) % piece.len()], "at {}", read + at);
        }
        read += len;
    }
}

#[tokio::test]
async fn an_end_that_is_none_is_an_error() {
    let pair = Pair::new(small(), small()).await;
    let (mut a, b, [_ours, their_connection]) = streams(pair);
    a.write_all(b"hello").await.expect("open");
    within("flushed", a.flushed()).await.expect("open");
    within("close", their_connection.close()).await;
    let error = within("the end", a.read(&mut [0; 10])).await.expect_err("not a clean end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<DataChannelEnd>());
    assert_eq!(inner, Some(&DataChannelEnd::Association));
    drop(b);
}

#[tokio::test]
async fn only_ordered_reliable_channels_are_streams_of_bytes() {
    let mut pair = Pair::new(Configuration::default(), Configuration::default()).await;
    for init in [
        DataChannelInit::new().unordered(),
        DataChannelInit::new().max_retransmits(3),
        DataChannelInit::new().max_packet_life_time(Duration::from_millis(100)),
    ] {
        let channel = pair.a.create_data_channel("lossy", init).await.expect("a channel");
        let mut other = within("the channel", next_channel(&mut pair.b_events)).await;
        let refused = channel.into_byte_stream().expect_err("it may lose or reorder");
        assert!(refused.to_string().contains("ordered and reliable"));
        // It is as good as before.
        let channel = refused.into_channel();
        channel.send("still a channel").await.expect("open");
        assert_eq!(within("it", other.recv()).await, Some(Message::from("still a channel")));
        assert!(other.into_byte_stream().is_err());
    }
}

/// Two TCP-like streams joined by the functions that people use for that.
#[tokio::test]
async fn it_fits_copy_bidirectional() {
    let pair = Pair::new(small(), small()).await;
    let (a, b, _kept) = streams(pair);
    let (mut a, mut b) = (a.with_half_close(), b.with_half_close());
    let (mut near, mut inside) = tokio::io::duplex(1_000);
    let carrying = tokio::spawn(async move { copy_bidirectional(&mut inside, &mut a).await });
    let echo = tokio::spawn(async move {
        let mut all = Vec::new();
        b.read_to_end(&mut all).await.expect("the end");
        b.write_all(&all).await.expect("open");
        b.shutdown().await.expect("acknowledged");
    });
    let sent = pattern(100_000);
    near.write_all(&sent).await.expect("open");
    near.shutdown().await.expect("open");
    let mut back = Vec::new();
    within("the echo", near.read_to_end(&mut back)).await.expect("the end");
    assert!(back == sent, "the same bytes");
    assert_eq!(within("carrying", carrying).await.expect("no panic").expect("no error"), (100_000, 100_000));
    within("echo", echo).await.expect("no panic");
}

#[cfg(feature = "futures")]
#[tokio::test]
async fn messages_as_sink_and_stream() {
    use futures_util::{SinkExt, StreamExt};

    let pair = Pair::new(small(), small()).await;
    let mut a = pair.a_channel.into_message_stream();
    let (b_sink, mut b_stream) = pair.b_channel.into_message_stream().split::<Message>();
    let reading = tokio::spawn(async move {
        for number in 0..200_u32 {
            let expected = Message::from(vec![number as u8; 10_000]);
            assert_eq!(b_stream.next().await, Some(expected), "message {number}");
        }
        assert_eq!(b_stream.next().await, None, "then the end");
    });
    // More than the buffers: the sink waits for room.
    for number in 0..199_u32 {
        within("room", a.feed(Message::from(vec![number as u8; 10_000]))).await.expect("open");
    }
    within("sent and acknowledged", a.send(Message::from(vec![199; 10_000]))).await.expect("open");
    within("closed", a.close()).await.expect("all acknowledged");
    within("the reader", reading).await.expect("no panic");
    within("closed", async {
        while a.ready_state() != DataChannelState::Closed {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(a.feed(Message::from("late")).await.is_err());
    drop(b_sink);
}
