//! stdin and stdout as one end of a TCP connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};

/// Copies both ways until the other side closes.
pub fn relay(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let mut to = stream.try_clone()?;
    std::thread::spawn(move || {
        let _ = copy(&mut std::io::stdin().lock(), &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    copy(&mut stream, &mut std::io::stdout().lock())
}

/// Like `std::io::copy`, but what has come is passed on at once.
fn copy(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count])?,
        }
        to.flush()?;
    }
}
