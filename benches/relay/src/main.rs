//! `cargo xtask relay`: two networks and a bad line between them, for any programs.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

use relay::{Counters, Impairments, Relay, Side, Spoken};
use std::{
    env,
    process::{Child, Command, ExitCode},
    thread,
    time::Duration,
};

const USAGE: &str = "usage: cargo xtask relay [--both LINE] [--to-right LINE] [--to-left LINE] [--mtu BYTES] [--left COMMAND] [--right COMMAND]

Makes two networks on this machine, 10.77.0.1 (left) and 10.77.0.2 (right), and carries IP packets between them: UDP and
TCP meet the same line. Linux only; as root, or within `unshare --map-root-user`. Nothing is left behind.

  --both LINE      what the line does in both directions, for instance delay=30ms,loss=1
  --to-right LINE  the same for one direction; later options win
  --to-left LINE   the same for the other direction
  --mtu BYTES      of both devices; 1500 without it
  --left COMMAND   a shell command within the left network; when it ends, all ends, with its status
  --right COMMAND  a shell command within the right network; it is started first, and ended by SIGKILL

LINE is a list of
  delay=TIME       time on the way: 50us, 30ms, 1.5s
  jitter=TIME      up to so much more, without a change of the order
  loss=PERCENT     each packet on its own: 0.1
  rate=RATE        of IP packets: 500kbit, 100mbit, 1gbit, unlimited
  queue=BYTES      what may wait for the rate: 64000, 375k, 4m; 131072 without it
  seed=NUMBER      of the choices; 1 without it

Without --left it runs until it is interrupted, and says how other programs get in.";

struct Options {
    impairments: Impairments,
    mtu: u16,
    left: Option<String>,
    right: Option<String>,
}

/// The program on the right has so much time before the one on the left starts: a server must listen.
const HEAD_START: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match parse(&arguments).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { impairments: Impairments::default(), mtu: 1_500, left: None, right: None };
    let mut rest = arguments.iter();
    // Two directions with one seed would lose the same packets of each.
    options.impairments.to_left.seed = 2;
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
        let Impairments { to_right, to_left, .. } = &mut options.impairments;
        match argument.as_str() {
            "--both" => {
                let text = value()?;
                to_right.change(text)?;
                to_left.change(text)?;
                if to_left.seed == to_right.seed {
                    to_left.seed += 1;
                }
            }
            "--to-right" => to_right.change(value()?)?,
            "--to-left" => to_left.change(value()?)?,
            "--mtu" => {
                let text = value()?;
                let mtu = text.parse().ok().filter(|mtu| *mtu >= 576);
                options.mtu = mtu.ok_or_else(|| format!("{text:?} is no MTU: 576 to 65535"))?;
            }
            "--left" => options.left = Some(value()?.clone()),
            "--right" => options.right = Some(value()?.clone()),
            other => return Err(format!("{other:?} is not an option\n{USAGE}")),
        }
    }
    Ok(options)
}

/// Ends its process when it is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let text = |error: std::io::Error| error.to_string();
    let relay = Relay::start(&options.impairments, options.mtu).map_err(|error| error.to_string())?;
    println!("left 10.77.0.1, right 10.77.0.2, MTU {}", options.mtu);
    println!("to right: {}", Spoken(&options.impairments.to_right));
    println!("to left:  {}", Spoken(&options.impairments.to_left));
    let start = |side: Side, line: &str| {
        let mut command = Command::new("sh");
        relay.namespace(side).spawn(command.args(["-c", line])).map(Ended).map_err(text)
    };
    let _right = options.right.as_deref().map(|line| start(Side::Right, line)).transpose()?;
    let Some(line) = &options.left else {
        for (name, side) in [("left", Side::Left), ("right", Side::Right)] {
            println!("{name}: nsenter --net={} COMMAND", relay.namespace(side).path().display());
        }
        println!("until Ctrl-C");
        loop {
            thread::park();
        }
    };
    if options.right.is_some() {
        thread::sleep(HEAD_START);
    }
    let mut left = start(Side::Left, line)?;
    let status = left.0.wait().map_err(text)?;
    for (name, counters) in ["to right", "to left"].into_iter().zip(relay.counters()) {
        println!("{name}: {}", told(&counters));
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn told(counters: &Counters) -> String {
    let Counters { offered, carried, carried_bytes, lost, dropped, refused, .. } = counters;
    format!(
        "{offered} packets, {carried} carried ({carried_bytes} bytes), {lost} lost, {dropped} found the queue full, \
         {refused} refused"
    )
}
