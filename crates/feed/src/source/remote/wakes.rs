//! When whoever receives is woken up: not for each packet, where much is to come. To be woken up for 100 kB at a time takes as long as
//! to receive them, for both sides of a connection.

use std::cell::Cell;
use std::os::fd::AsRawFd;

use tokio::net::TcpStream;

/// Bytes that are waited for, at most. The system makes room for them on its side.
const TOGETHER_MAX: usize = 4 << 20;

/// How many bytes have to be there before somebody is woken up; one, once this is gone.
pub(super) struct Wakes<'a> {
    stream: &'a TcpStream,
    bytes: Cell<usize>,
}

impl<'a> Wakes<'a> {
    pub(super) fn of(stream: &'a TcpStream) -> Wakes<'a> {
        Wakes { stream, bytes: Cell::new(1) }
    }

    /// So many are still to come.
    pub(super) fn at(&self, to_come: usize) {
        let bytes = to_come.clamp(1, TOGETHER_MAX);
        if self.bytes.replace(bytes) != bytes {
            self.tell(bytes);
        }
    }

    fn tell(&self, bytes: usize) {
        let bytes = bytes as libc::c_int;
        // SAFETY: the number lives as long as the call, and the socket as long as the stream. Where the system refuses, it wakes up for
        // each packet.
        #[expect(unsafe_code, reason = "no library that is here sets this option")]
        unsafe {
            let size = size_of::<libc::c_int>() as libc::socklen_t;
            libc::setsockopt(
                self.stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVLOWAT,
                (&raw const bytes).cast(),
                size,
            );
        }
    }
}

impl Drop for Wakes<'_> {
    fn drop(&mut self) {
        if self.bytes.get() != 1 {
            self.tell(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::time::timeout;

    use super::*;

    /// A machine may be busy.
    const LONG: Duration = Duration::from_secs(10);
    const MOMENT: Duration = Duration::from_millis(100);

    /// Whether somebody is woken up within a time.
    async fn wakes(stream: &TcpStream, within: Duration) -> bool {
        timeout(within, stream.readable()).await.is_ok()
    }

    #[test]
    fn nobody_is_woken_up_before_enough_is_there() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut other, _) = listener.accept().unwrap();
            let counts = Wakes::of(&stream);
            counts.at(1000);
            other.write_all(&[1; 999]).unwrap();
            assert!(!wakes(&stream, MOMENT).await, "999 of 1000 are there");
            other.write_all(&[1]).unwrap();
            assert!(wakes(&stream, LONG).await, "all are there");
            assert_eq!(stream.try_read(&mut [0; 2000]).unwrap(), 1000);
            drop(counts);
            assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
            other.write_all(&[1]).unwrap();
            assert!(wakes(&stream, LONG).await, "one is enough again");
        });
    }
}
