//! Connections from the host to a port on the container's own loopback.
//!
//! No port is published. An exec'd command in the container joins its standard streams to the port, with whichever
//! common tool the image has.

use std::{future::ready, io};

use bollard::{
    container::LogOutput,
    exec::{StartExecOptions, StartExecResults},
    models::ExecConfig,
};
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio_util::io::StreamReader;

use super::{Container, EngineError, error::api};

/// Joins standard input and output to port `$1` of the loopback (IPv4, else IPv6) with bash, node, python3, socat or nc.
/// Prints one byte first: [`CONNECTED`], [`NOBODY_LISTENS`] or [`NO_TOOL`]. The last two tools cannot print it once they
/// have connected, so the listening sockets are looked up.
const JOIN: &str = r#"
if command -v bash >/dev/null 2>&1; then
  exec bash -c '
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || { exec 3<>"/dev/tcp/::1/$1"; } 2>/dev/null || { printf -; exit; }
    printf +
    exec 4<&0
    cat <&4 >&3 & cat <&3; kill $! 2>/dev/null' bash "$1"
elif command -v node >/dev/null 2>&1; then
  exec node -e '
    const out = process.stdout, to = (host, otherwise) => {
      const c = require("net").connect({port: +process.argv[1], host});
      c.on("connect", () => { otherwise = () => process.exit(); out.write("+"); process.stdin.pipe(c).pipe(out); });
      c.on("error", () => otherwise());
      c.on("end", () => out.write("", () => process.exit()));
    };
    to("127.0.0.1", () => to("::1", () => out.write("-", () => process.exit())));' "$1"
elif command -v python3 >/dev/null 2>&1; then
  exec python3 -c '
import socket,sys,threading,os
def to(*hosts):
    for host in hosts:
        try: return socket.create_connection((host,int(sys.argv[1])))
        except OSError: pass
    os.write(1,b"-"); sys.exit()
c=to("127.0.0.1","::1")
os.write(1,b"+")
def up():
    while d:=os.read(0,65536): c.sendall(d)
threading.Thread(target=up,daemon=True).start()
while d:=c.recv(65536): os.write(1,d)' "$1"
fi
tool=$(command -v socat || command -v nc) || { printf 0; exit; }
host=127.0.0.1 name=$host
case $(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null) in
  *"$(printf '01000000:%04X %032d:0000 0A' "$1" 0)"*) host=::1 name=[::1] ;;
  *"$(printf ':%04X 00000000:0000 0A' "$1")"* | *"$(printf ':%04X %032d:0000 0A' "$1" 0)"*) ;;
  *) printf -; exit ;;
esac
printf +
case $tool in */socat) exec socat - "TCP:$name:$1" ;; esac
exec nc "$host" "$1"
"#;
const CONNECTED: u8 = b'+';
const NOBODY_LISTENS: u8 = b'-';
const NO_TOOL: u8 = b'0';

impl Container {
    /// Connects to a port on the container's loopback.
    ///
    /// # Errors
    /// [`EngineError::Api`] when the engine does not run the command that connects, [`EngineError::Io`] when the command
    /// has not connected: nothing was sent then.
    pub async fn relay(
        &self,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, EngineError> {
        let action = "connect to the login's container";
        let command = ["/bin/sh", "-c", JOIN, "sh", &port.to_string()].map(str::to_owned).to_vec();
        let exec = ExecConfig {
            cmd: Some(command),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(false),
            ..Default::default()
        };
        let exec = self.engine.api.create_exec(&self.id, exec).await.map_err(api(action))?;
        let options = StartExecOptions { output_capacity: Some(64 * 1024), ..Default::default() };
        match self.engine.api.start_exec(&exec.id, Some(options)).await.map_err(api(action))? {
            StartExecResults::Attached { output, input } => {
                let output = output.filter_map(|piece| {
                    ready(match piece {
                        Ok(LogOutput::StdOut { message }) => Some(Ok(message)),
                        Ok(_) => None,
                        Err(error) => Some(Err(io::Error::other(error))),
                    })
                });
                let mut output = Box::pin(StreamReader::new(output));
                let source = match output.read_u8().await {
                    Ok(CONNECTED) => return Ok(tokio::io::join(output, input)),
                    Ok(NOBODY_LISTENS) => io::Error::other("nothing listens there"),
                    Ok(NO_TOOL) => {
                        io::Error::other("the image has none of bash, node, python3, socat and nc")
                    }
                    Ok(_) => io::Error::other("the command that connects cannot run"),
                    Err(source) => source,
                };
                Err(EngineError::Io {
                    action: format!("connect to port {port} in the login's container"),
                    source,
                })
            }
            StartExecResults::Detached => {
                Err(api(action)(bollard::errors::Error::DockerStreamError { error: "not attached".into() }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        process::{Command, Stdio},
    };

    use super::*;

    fn relay_to(port: u16) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", JOIN, "sh", &port.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    #[test]
    fn relay_joins_to_either_address_once_it_has_said_so() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let mut relay = relay_to(port).spawn().expect("started");
            let (mut connection, _) = listener.accept().expect("connected");
            let mut input = relay.stdin.take().expect("piped");
            input.write_all(b"ping").expect("sent");
            let mut got = [0; 4];
            connection.read_exact(&mut got).expect("read");
            connection.write_all(b"pong").expect("sent");
            drop(connection);
            let mut said = Vec::new();
            relay.stdout.take().expect("piped").read_to_end(&mut said).expect("read");
            assert_eq!((&got, said.as_slice()), (b"ping", &b"+pong"[..]), "{address}");
            drop(input);
            relay.wait().expect("ended");
        }
    }

    #[test]
    fn relay_without_listener_or_tool_says_so() {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let said = |command: &mut Command| command.output().expect("ended").stdout;
        assert_eq!(said(&mut relay_to(port)), [NOBODY_LISTENS]);
        assert_eq!(said(relay_to(port).env("PATH", "/nonexistent")), [NO_TOOL]);
    }
}
