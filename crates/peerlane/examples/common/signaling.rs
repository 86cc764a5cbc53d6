//! How two programs find each other: each side gives one line to the other one, by a TCP connection between the two or
//! by a person who copies it.
//!
//! ```text
//! --listen ADDRESS    waits for the other program at this TCP address, such as 0.0.0.0:9000
//! --connect ADDRESS   finds it there
//! --offer             prints a line for the other side, and reads its answer
//! --answer            reads the line of the other side, and prints the answer
//! --stun URL          asks a STUN server for the address before a translator, such as stun:stun.example.org
//! ```
//!
//! The line is a description as browsers write it: `{"type":"offer","sdp":"..."}`, all candidates inside. Whoever sees it
//! in transit can put himself between the two: use a channel that is trusted.

use peerlane::{
    Configuration, DataChannel, DataChannelInit, Description, Event, Events, IceServer, Loopback,
    PeerConnection, SdpType,
};
use std::{error::Error, io::Write};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What the arguments say.
#[derive(Debug, Default)]
pub(crate) struct Options {
    meeting: Option<Meeting>,
    stun: Vec<String>,
    /// The arguments that are not about signalling.
    pub(crate) rest: Vec<String>,
}

#[derive(Debug)]
enum Meeting {
    Answer,
    Connect(String),
    Listen(String),
    Offer,
}

/// The way to the other side.
enum Wire {
    Person(Lines<BufReader<Stdin>>),
    Tcp(Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf),
}

/// A connection, and what has to be kept for as long as it is wanted.
pub(crate) struct Met {
    pub(crate) connection: PeerConnection,
    pub(crate) events: Events,
    /// Whether this side has made the offer, and so opens the channels.
    pub(crate) offers: bool,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut arguments = arguments.skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--answer" => options.meeting = Some(Meeting::Answer),
                "--connect" => options.meeting = Some(Meeting::Connect(value()?)),
                "--listen" => options.meeting = Some(Meeting::Listen(value()?)),
                "--offer" => options.meeting = Some(Meeting::Offer),
                "--stun" => options.stun.push(value()?),
                _ => options.rest.push(argument),
            }
        }
        Ok(options)
    }

    /// Meets the other side.
    pub(crate) async fn meet(&self) -> Result<Met, Failure> {
        let meeting =
            self.meeting.as_ref().ok_or("one of --listen, --connect, --offer and --answer is needed")?;
        let (mut wire, offers) = match meeting {
            Meeting::Answer => (Wire::person(), false),
            Meeting::Connect(address) => (Wire::tcp(TcpStream::connect(address).await?), true),
            Meeting::Listen(address) => {
                let listener = TcpListener::bind(address).await?;
                // Who asked for any port learns here which one it is.
                say(&format!("listening on {}", listener.local_addr()?))?;
                (Wire::tcp(listener.accept().await?.0), false)
            }
            Meeting::Offer => (Wire::person(), true),
        };
        let servers =
            if self.stun.is_empty() { Vec::new() } else { vec![IceServer::new(self.stun.clone())?] };
        let configuration = Configuration::default().with_ice_servers(servers);
        let builder = PeerConnection::builder().configuration(configuration);
        // With loopback, two programs on a machine without a network find each other as well.
        let (connection, events) = builder.loopback(Loopback::Include).build().await?;
        if offers {
            // Something has to be offered; the application opens channels of its own.
            let first = DataChannelInit::new().negotiated(1_000);
            let _kept_until_connected = connection.create_data_channel("", first).await?;
            connection.set_local_description(None).await?;
            wire.send(&connection).await?;
            connection.set_remote_description(wire.receive().await?).await?;
            connection.connected().await?;
        } else {
            connection.set_remote_description(wire.receive().await?).await?;
            connection.set_local_description(None).await?;
            wire.send(&connection).await?;
            connection.connected().await?;
        }
        say("connected")?;
        Ok(Met { connection, events, offers })
    }
}

impl Met {
    /// One channel between the two: the offering side opens it.
    pub(crate) async fn channel(
        &mut self,
        label: &str,
        init: DataChannelInit,
    ) -> Result<DataChannel, Failure> {
        if self.offers {
            let channel = self.connection.create_data_channel(label, init).await?;
            channel.opened().await?;
            return Ok(channel);
        }
        self.next_channel().await.ok_or_else(|| "the connection has ended".into())
    }

    /// The next channel that the other side opens; `None` when the connection ends.
    pub(crate) async fn next_channel(&mut self) -> Option<DataChannel> {
        while let Some(event) = self.events.next().await {
            if let Event::DataChannel(channel) = event {
                return Some(channel);
            }
        }
        None
    }
}

impl Wire {
    fn person() -> Self {
        Self::Person(BufReader::new(tokio::io::stdin()).lines())
    }

    fn tcp(stream: TcpStream) -> Self {
        let (input, output) = stream.into_split();
        Self::Tcp(BufReader::new(input).lines(), output)
    }

    /// Sends the local description, with all candidates.
    async fn send(&mut self, connection: &PeerConnection) -> Result<(), Failure> {
        connection.gathering_complete().await?;
        let description = connection.local_description().ok_or("no description")?;
        let line =
            serde_json::json!({ "type": description.kind().as_str(), "sdp": description.sdp() }).to_string();
        match self {
            Self::Person(_) => {
                say("give this line to the other side:")?;
                writeln!(std::io::stdout(), "{line}")?;
                say("and paste the line of the other side here:")?;
            }
            Self::Tcp(_, output) => output.write_all(format!("{line}\n").as_bytes()).await?,
        }
        Ok(())
    }

    /// The description of the other side.
    async fn receive(&mut self) -> Result<Description, Failure> {
        let line = match self {
            Self::Person(lines) => lines.next_line().await?,
            Self::Tcp(lines, _) => lines.next_line().await?,
        };
        let line = line.ok_or("the other side has gone")?;
        let value: serde_json::Value = serde_json::from_str(&line)?;
        let member =
            |name| value.get(name).and_then(serde_json::Value::as_str).ok_or("that is no description");
        let kind = if member("type")? == "offer" { SdpType::Offer } else { SdpType::Answer };
        Ok(Description::parse(kind, member("sdp")?)?)
    }
}

/// Tells the person something; the standard output is for what comes through the channel.
pub(crate) fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "{text}")
}
