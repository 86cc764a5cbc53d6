//! Standard input and output through a data channel, or TCP connections through data channels.
//!
//! ```text
//! cargo run -p peerlane --example netcat -- --listen 127.0.0.1:9000 > copy
//! cargo run -p peerlane --example netcat -- --connect 127.0.0.1:9000 < original
//! ```
//!
//! With `--from ADDRESS` on one side and `--to ADDRESS` on the other, each TCP connection to the first address is carried
//! by a channel of its own and ends at the second: a web server behind a translator, for example.
//!
//! ```text
//! cargo run -p peerlane --example netcat -- --listen 0.0.0.0:9000 --to 127.0.0.1:80
//! cargo run -p peerlane --example netcat -- --connect server:9000 --from 127.0.0.1:8080
//! ```

#[path = "common/signaling.rs"]
#[allow(dead_code, reason = "each example uses a part of it")]
mod signaling;

use peerlane::{ByteStream, DataChannelInit};
use signaling::{Failure, Met, Options, say};
use tokio::{
    io::{AsyncWriteExt, ReadHalf, WriteHalf, copy, copy_bidirectional, split},
    net::{TcpListener, TcpStream},
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse(std::env::args())?;
    let rest: Vec<&str> = options.rest.iter().map(String::as_str).collect();
    let mut met = options.meet().await?;
    let outcome = match rest.as_slice() {
        [] => pipe(&mut met).await,
        ["--from", address] => forward_from(&mut met, address).await,
        ["--to", address] => forward_to(&mut met, address).await,
        _ => Err("it takes --from ADDRESS or --to ADDRESS".into()),
    };
    met.connection.close().await;
    outcome
}

/// Our input goes there, its input comes here. Each direction ends by itself.
async fn pipe(met: &mut Met) -> Result<(), Failure> {
    let stream = met.channel("netcat", DataChannelInit::new()).await?.into_byte_stream()?.with_half_close();
    let (input, output) = split(stream);
    let (output, input) = tokio::try_join!(send(output), receive(input))?;
    // The other side may still wait to hear that we have its last bytes.
    input.unsplit(output).close().await;
    Ok(())
}

async fn send(mut output: WriteHalf<ByteStream>) -> Result<WriteHalf<ByteStream>, Failure> {
    let bytes = copy(&mut tokio::io::stdin(), &mut output).await?;
    // Returns when the other side has all of it.
    output.shutdown().await?;
    say(&format!("sent {bytes} bytes"))?;
    Ok(output)
}

async fn receive(mut input: ReadHalf<ByteStream>) -> Result<ReadHalf<ByteStream>, Failure> {
    let mut to = tokio::io::stdout();
    let bytes = copy(&mut input, &mut to).await?;
    to.flush().await?;
    say(&format!("received {bytes} bytes"))?;
    Ok(input)
}

/// A channel for each TCP connection to `address`, until the connection ends.
async fn forward_from(met: &mut Met, address: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind(address).await?;
    say(&format!("forwarding from {}", listener.local_addr()?))?;
    loop {
        let (mut tcp, from) = tokio::select! {
            accepted = listener.accept() => accepted?,
            channel = met.next_channel() => match channel {
                // The other side opens none; dropping it closes it.
                Some(_) => continue,
                None => return Ok(()),
            },
        };
        let channel = met.connection.create_data_channel("tcp", DataChannelInit::new()).await?;
        let mut stream = channel.into_byte_stream()?.with_half_close();
        tokio::spawn(async move {
            let outcome = copy_bidirectional(&mut tcp, &mut stream).await;
            say(&format!("{from}: {outcome:?}"))
        });
    }
}

/// A TCP connection to `address` for each channel that the other side opens.
async fn forward_to(met: &mut Met, address: &str) -> Result<(), Failure> {
    while let Some(channel) = met.next_channel().await {
        let (address, stream) = (address.to_owned(), channel.into_byte_stream()?.with_half_close());
        tokio::spawn(async move {
            if let Err(error) = connect(&address, stream).await {
                let _ = say(&format!("{address}: {error}"));
            }
        });
    }
    Ok(())
}

async fn connect(address: &str, mut stream: ByteStream) -> std::io::Result<()> {
    let mut tcp = TcpStream::connect(address).await?;
    copy_bidirectional(&mut tcp, &mut stream).await?;
    Ok(())
}
