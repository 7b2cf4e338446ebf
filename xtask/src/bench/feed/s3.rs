//! Bar 7: a real server that speaks as S3 does, behind one that makes it fail: every sample once, in the order of files.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use object_rig::{Behaviour, Behind, Fault, Server};

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::http::Arrived;
use super::peers::Own;
use super::shards::{self, Shape};
use crate::workspace;

const SHAPE: Shape = Shape { shards: 40, samples: 100, bytes: 100_000 };
/// The server may take so long to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of S3's kind; killed when it is dropped.
struct Moto {
    process: Child,
    address: SocketAddr,
}

impl Moto {
    fn start(own: &Own) -> anyhow::Result<Moto> {
        // Free a moment ago; the server cannot choose one and tell.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let mut command = own.program("moto_server");
        command.args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
        let process =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("moto_server did not start")?;
        let moto = Moto { process, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            ensure!(start.elapsed() < PATIENCE, "moto_server does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(moto)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let folder = workspace::target_folder().join("bench/feed/s3");
    shards::write(&folder, SHAPE)?;
    let own = Own::install()?;
    let moto = Moto::start(&own)?;
    let endpoint = format!("http://{}", moto.address);
    own.run("s3_fill.py", &[endpoint.as_str(), "bucket", &folder.display().to_string()])?;
    let here = read(&own, &folder.join("*.tar").display().to_string(), None)?;
    // Every third answer fails: cut off, not at all, with an error, or as a store answers that is asked too often.
    let faults = vec![
        (6, Fault::Status(503)),
        (9, Fault::Cut),
        (15, Fault::Reset),
        (21, Fault::Status(500)),
        (3, Fault::Status(429)),
    ];
    let server = Server::start(Behind::Server(moto.address), Behaviour { faults, ..Behaviour::default() })?;
    let store = read(&own, "s3://bucket/*.tar", Some(&format!("http://{}", server.address())))?;
    let number = |is: bool| f64::from(u8::from(is));
    session.add(Row::new(7, "answers that failed", server.faults() as f64, Target::AtLeast(20.0), ""));
    session.add(Row::new(7, "each sample once", number(store.once), Target::AtLeast(1.0), ""));
    session.add(Row::new(7, "in the order of files", number(store.order == here.order), Target::AtLeast(1.0), ""));
    session.add(Row::new(7, "with the bytes of files", number(store.digest == here.digest), Target::AtLeast(1.0), ""));
    Ok(())
}

/// Reads all samples, from files or from a store.
fn read(own: &Own, data: &str, endpoint: Option<&str>) -> anyhow::Result<Arrived> {
    let mut arguments = vec!["global".to_owned(), "1".to_owned(), data.to_owned()];
    if let Some(endpoint) = endpoint {
        let options = ["aws_access_key_id=a", "aws_secret_access_key=b", "aws_region=us-east-1", "aws_allow_http=true"];
        arguments.extend(options.map(str::to_owned));
        arguments.push(format!("aws_endpoint={endpoint}"));
    }
    let printed = own.run("objects_trimtab.py", &arguments)?;
    serde_json::from_str(&printed).with_context(|| printed)
}
