//! TCP of the kernel with CUBIC: what a line gives to those who are in the kernel already.

use crate::{
    side::{Job, Role, Task},
    wire::{self, Wire},
};
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::AsRawFd,
};

const CONTROL: &str = "cubic";

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub fn side(task: Task, wire: &Wire) -> Result<(), String> {
    let Job::Flood(bytes) = task.job else { return Err("TCP is measured by its throughput".to_owned()) };
    let mut buffer = vec![7; bytes];
    if task.role == Role::Answer {
        let listener = TcpListener::bind((task.address, 0)).map_err(text)?;
        wire.send(&listener.local_addr().map_err(text)?.to_string());
        let (mut stream, _) = listener.accept().map_err(text)?;
        wire::say("open", "");
        loop {
            let length = stream.read(&mut buffer).map_err(text)?;
            if length == 0 {
                return Ok(());
            }
            wire::count(length);
        }
    }
    let address = wire.recv()?;
    let mut stream = TcpStream::connect(address).map_err(text)?;
    control(&stream).map_err(|error| format!("{CONTROL} is not to be had: {error}"))?;
    wire::say("open", "");
    loop {
        stream.write_all(&buffer).map_err(text)?;
    }
}

fn control(stream: &TcpStream) -> io::Result<()> {
    // SAFETY: the name outlives the call, and its length is given.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_CONGESTION,
            CONTROL.as_ptr().cast(),
            CONTROL.len() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
