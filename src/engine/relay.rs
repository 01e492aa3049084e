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
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_util::io::StreamReader;

use super::{Container, EngineError, error::api};

/// Joins standard input and output to port `$1` of the loopback (IPv4, else IPv6) with bash, socat, node, python3 or
/// nc.
const JOIN: &str = r#"
if command -v bash >/dev/null 2>&1; then
  exec bash -c '
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || { exec 3<>"/dev/tcp/::1/$1"; } 2>/dev/null || exit 1
    exec 4<&0
    cat <&4 >&3 & cat <&3; kill $! 2>/dev/null' bash "$1"
elif command -v socat >/dev/null 2>&1; then exec socat - "TCP:localhost:$1"
elif command -v node >/dev/null 2>&1; then
  exec node -e 'const c=require("net").connect({port:+process.argv[1],host:"localhost"});process.stdin.pipe(c).pipe(process.stdout);c.on("error",()=>process.exit(1));c.on("close",()=>process.exit())' "$1"
elif command -v python3 >/dev/null 2>&1; then
  exec python3 -c '
import socket,sys,threading,os
c=socket.create_connection(("localhost",int(sys.argv[1])))
def up():
    while d:=os.read(0,65536): c.sendall(d)
threading.Thread(target=up,daemon=True).start()
while d:=c.recv(65536): os.write(1,d)' "$1"
elif command -v nc >/dev/null 2>&1; then exec nc localhost "$1"
fi
exit 127
"#;

impl Container {
    /// Connects to a port on the container's loopback. If the connection is refused, the output ends at once.
    ///
    /// # Errors
    /// [`EngineError::Api`] when the engine does not run the command that connects.
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
                Ok(tokio::io::join(Box::pin(StreamReader::new(output)), input))
            }
            StartExecResults::Detached => {
                Err(api(action)(bollard::errors::Error::DockerStreamError { error: "not attached".into() }))
            }
        }
    }

    /// Joins a connection of the host to a port on the container's loopback until either side closes.
    ///
    /// # Errors
    /// As [`Container::relay`].
    pub async fn join(&self, port: u16, connection: tokio::net::TcpStream) -> Result<(), EngineError> {
        let (mut output, mut input) = tokio::io::split(self.relay(port).await?);
        let (mut from, mut to) = connection.into_split();
        let up = async {
            let _ = tokio::io::copy(&mut from, &mut input).await;
            let _ = input.shutdown().await;
        };
        let down = async {
            let _ = tokio::io::copy(&mut output, &mut to).await;
            let _ = to.shutdown().await;
        };
        tokio::pin!(up, down);
        tokio::select! {
            () = &mut down => {}
            () = &mut up => down.await,
        }
        Ok(())
    }
}
