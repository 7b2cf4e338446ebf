//! Where an agent reports to, and what it keeps while that cannot be reached.

use std::path::PathBuf;

use connect::machine::host_name;
use fleet::quantity::Bytes;

use crate::failure::{Failure, Outcome};
use crate::installation::{self, SECRET_MIN};
use crate::reporter::{Address, Reporter, Server};
use crate::{length, small_file};

/// The variable that holds the token, where no file does.
const TOKEN: &str = "TRIMTAB_TOKEN";

#[derive(Debug, clap::Args)]
pub(super) struct Reporting {
    /// Report to the `trimtab up` at this address, with a token of --token-file or in TRIMTAB_TOKEN
    #[arg(long, value_name = "URL", env = "TRIMTAB_REPORT_TO")]
    report_to: Option<String>,
    /// A file with the token that may report: the secret alone
    #[arg(long, value_name = "FILE", requires = "report_to")]
    token_file: Option<PathBuf>,
    /// Trust these certificates (PEM) instead of those that the system trusts
    #[arg(long, value_name = "FILE", requires = "report_to")]
    ca_file: Option<PathBuf>,
    /// What this machine is called there; its host name, if nothing is said
    #[arg(long, value_name = "NAME", requires = "report_to")]
    node: Option<String>,
    /// Where reports wait until they are taken; `trimtab/spool` in the user's folder for state, if nothing is said
    #[arg(long, value_name = "FOLDER", requires = "report_to")]
    spool: Option<PathBuf>,
    /// How much may wait there; beyond that the oldest give way
    #[arg(long, value_name = "SIZE", value_parser = spool_size, default_value = "256MiB", requires = "report_to")]
    spool_max: Bytes,
}

impl Reporting {
    /// Begins to report, if it was asked for.
    pub(super) fn begin(&self, quiet: bool) -> Outcome<Option<Reporter>> {
        let Some(url) = &self.report_to else { return Ok(None) };
        let node = self.node.clone().unwrap_or_else(|| host_name(std::path::Path::new("/")));
        let address = Address { url, node: &node, token: self.token()?, authority: self.ca_file.as_deref() };
        let server = Server::at(address)?;
        let spool = match &self.spool {
            Some(folder) => folder.clone(),
            None => installation::state_folder("--spool")?.join("spool"),
        };
        Reporter::begin(server, spool, self.spool_max, quiet).map(Some)
    }

    fn token(&self) -> Outcome<String> {
        let (text, from) = match &self.token_file {
            Some(path) => (small_file::read(path, 1)?, path.display().to_string()),
            None => {
                let text = std::env::var(TOKEN).map_err(|_| {
                    Failure::input(format!("to report takes a token: say --token-file FILE, or set {TOKEN}"))
                })?;
                (text, TOKEN.to_owned())
            }
        };
        let secret = text.trim();
        if secret.split_whitespace().count() != 1 || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::input(format!(
                "{from}: the secret is expected, alone; a line `report NODE SECRET` is for the server"
            )));
        }
        if secret.len() < SECRET_MIN {
            return Err(Failure::input(format!("{from}: a secret has {SECRET_MIN} letters at least")));
        }
        Ok(secret.to_owned())
    }
}

fn spool_size(text: &str) -> Result<Bytes, String> {
    let size = length::size(text)?;
    if size < store::SPOOL_MIN { Err(format!("{} at least are expected", store::SPOOL_MIN)) } else { Ok(size) }
}
