//! Prints what is in an RTP or RTCP packet given in hexadecimal:
//! `cargo run --example dump -- 80c800060000000100000000000000000000000000000000000000000`.

use rtp::rtcp::Compound;
use rtp::{HeaderView, is_rtcp};

#[expect(clippy::print_stdout, reason = "an example speaks to its user")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = std::env::args().nth(1).unwrap_or_else(|| String::from("81ce00020000000100000002"));
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16))
        .collect::<Result<_, _>>()?;
    if is_rtcp(&bytes) {
        for packet in Compound::new(&bytes) {
            match packet {
                Ok(packet) => println!("{packet:?}"),
                Err(error) => println!("malformed: {error}"),
            }
        }
    } else {
        let view = HeaderView::parse(&bytes)?;
        println!("{:?}", view.header());
        for csrc in view.csrcs() {
            println!("contributing source {csrc}");
        }
        for (id, data) in view.extensions() {
            println!("extension {}: {data:02x?}", id.value());
        }
        println!("{} bytes of payload, {} of padding", view.payload().len(), view.padding_len());
    }
    Ok(())
}
