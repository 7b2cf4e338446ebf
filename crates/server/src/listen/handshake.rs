//! The first words of a connection by TLS.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long whoever connects may take until they are understood.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long someone who speaks no TLS is heard out, so that the answer reaches them.
const HEARD_OUT_MAX: Duration = Duration::from_secs(1);
/// The first byte of all that TLS begins with (RFC 8446, 5.1: a record of the handshake).
const HANDSHAKE_RECORD: u8 = 22;

/// What those are told who speak HTTP without TLS.
const NOT_TLS: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 82\r\n\r\n\
    {\"error\":\"this port speaks TLS\",\"hint\":\"ask for the same address with https://\"}\r\n";

/// A connection that can be spoken on; none where the other end speaks something else, or nothing in time.
pub(super) async fn shake_hands(tls: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let shaken = async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE_RECORD {
            refuse(stream).await?;
            return Ok(None);
        }
        tls.accept(stream).await.map(Some)
    };
    // Scanners and browsers that do not trust a certificate end here all day: that is nobody's error.
    let shaken: Option<io::Result<_>> = tokio::time::timeout(HANDSHAKE_MAX, shaken).await.ok();
    shaken?.ok()?
}

async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(NOT_TLS.as_bytes()).await?;
    stream.shutdown().await?;
    // A connection that is closed with something unread is reset, and the answer may be lost with it.
    let mut rest = [0; 4_096];
    let heard_out = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    let _late = tokio::time::timeout(HEARD_OUT_MAX, heard_out).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::NOT_TLS;

    #[test]
    fn the_length_that_is_told_is_the_length() {
        let (head, body) = NOT_TLS.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
