//! Stores of objects, by the addresses that people write.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use futures_util::future::join;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientConfigKey, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, ObjectStoreScheme, RetryConfig,
};
use url::Url;

use super::fetch::Fetcher;
use super::wire::{Connector, Refused};
use super::{Object, told};
use crate::cores;
use crate::memory::{Fetching, Share};
use crate::source::SourceError;
use crate::source::cache::Cache;
use crate::tune::Tuned;

/// A bucket, a container, or a server.
pub struct Bucket {
    /// What stands in front of an object's path in its address, without a slash at the end.
    address: String,
    store: Arc<dyn ObjectStore>,
    fetcher: Arc<Fetcher>,
    cache: Option<Arc<Cache>>,
}

/// The stores that a loader reads from; each is connected to once.
pub struct Buckets {
    options: BTreeMap<String, String>,
    room: Arc<Share>,
    requests: Tuned,
    cache: Option<Arc<Cache>>,
    fetcher: OnceLock<Arc<Fetcher>>,
    known: Mutex<HashMap<String, Arc<Bucket>>>,
}

impl Buckets {
    /// Stores are told `options`, beside what the environment tells them: the names are those that object_store has for each.
    /// What is fetched takes no more than its part of the memory: what it is received in is up to an eighth more than itself.
    /// Blocks of objects are kept in `cache`, where there is one.
    pub fn new(options: BTreeMap<String, String>, part: Fetching, cache: Option<Arc<Cache>>) -> Buckets {
        let (room, requests) = (Share::new(part.room / 9 * 8), part.requests);
        Buckets { options, room, requests, cache, fetcher: OnceLock::new(), known: Mutex::default() }
    }

    /// What talks to stores, where anything was asked of one.
    pub fn fetcher(&self) -> Option<&Arc<Fetcher>> {
        self.fetcher.get()
    }

    /// The object at an address.
    pub(in crate::source) fn object(&self, address: &str) -> Result<Object, SourceError> {
        let refused = |what: String| SourceError {
            name: shown(address).to_owned(),
            offset: None,
            error: io::Error::new(io::ErrorKind::InvalidInput, what),
        };
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_http = scheme.starts_with("http");
        if is_http && path.contains(['?', '#']) {
            return Err(refused("addresses with a query, such as signed ones, are not read".to_owned()));
        }
        let path = if is_http { Path::from_url_path(path) } else { Path::parse(path.trim_end_matches('/')) };
        let path = path.map_err(|error| refused(error.to_string()))?;
        let bucket = self.bucket(&format!("{scheme}://{host}")).map_err(refused)?;
        Ok(Object { bucket, path, size: None, version: None, whole: None })
    }

    fn bucket(&self, address: &str) -> Result<Arc<Bucket>, String> {
        let mut known = self.known.lock().expect("nobody panics while holding the buckets");
        if let Some(bucket) = known.get(address) {
            return Ok(Arc::clone(bucket));
        }
        let fetcher = match self.fetcher.get() {
            Some(fetcher) => Arc::clone(fetcher),
            None => {
                let fetcher = Fetcher::start(fetch_threads(), self.requests, Arc::clone(&self.room))
                    .map_err(|error| error.to_string())?;
                Arc::clone(self.fetcher.get_or_init(|| fetcher))
            }
        };
        let store = connect(address, &self.options, Connector(Arc::clone(fetcher.counts())))?;
        let bucket = Arc::new(Bucket { address: address.to_owned(), store, fetcher, cache: self.cache.clone() });
        known.insert(address.to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }
}

/// Threads that move bytes from sockets: one of them moves two gigabytes a second, and another shares its core with those that send.
fn fetch_threads() -> usize {
    cores::usable().div_ceil(4).clamp(2, 8)
}

impl Bucket {
    pub(super) fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    pub(super) fn fetcher(&self) -> &Arc<Fetcher> {
        &self.fetcher
    }

    pub(super) fn cache(&self) -> Option<&Arc<Cache>> {
        self.cache.as_ref()
    }

    /// The objects that lie directly in a folder. One list, whatever the number of objects.
    pub(in crate::source) fn list(self: &Arc<Self>, folder: &Path) -> Result<Vec<Object>, SourceError> {
        self.fetcher.counts().lists.fetch_add(1, Ordering::Relaxed);
        let listed = self.fetcher.wait(self.fetcher.tried(|| self.store.list_with_delimiter(Some(folder))));
        let listed = listed.map_err(|error| self.not_listed(folder, &error))?;
        Ok(listed.objects.into_iter().map(|meta| self.listed(meta)).collect())
    }

    /// The object of a name in a folder, of at most `bytes_max`, with all of its bytes; or where there is none, the objects that lie in
    /// it. Both are asked for at once, so that neither waits for the other.
    pub(in crate::source) fn find_or_list(
        self: &Arc<Self>,
        folder: &Path,
        name: &str,
        bytes_max: u64,
    ) -> Result<Vec<Object>, SourceError> {
        self.fetcher.counts().lists.fetch_add(1, Ordering::Relaxed);
        let path = folder.clone().join(name);
        let list = self.fetcher.tried(|| self.store.list_with_delimiter(Some(folder)));
        let (listed, found) = self.fetcher.wait(join(list, self.fetcher.tried(|| self.get_whole(&path, bytes_max))));
        if let Ok(Ok(bytes)) = found {
            let size = Some(bytes.len() as u64);
            let whole = Some(bytes.into());
            return Ok(vec![Object { bucket: Arc::clone(self), path, size, version: None, whole }]);
        }
        let listed = listed.map_err(|error| self.not_listed(folder, &error))?;
        Ok(listed.objects.into_iter().map(|meta| self.listed(meta)).collect())
    }

    /// What lies in a folder and the folders in it.
    pub(in crate::source) fn list_all(self: &Arc<Self>, folder: &Path) -> Result<Vec<Object>, SourceError> {
        self.fetcher.counts().lists.fetch_add(1, Ordering::Relaxed);
        let all = || self.store.list(Some(folder)).try_collect::<Vec<ObjectMeta>>();
        let listed = self.fetcher.wait(self.fetcher.tried(all)).map_err(|error| self.not_listed(folder, &error))?;
        Ok(listed.into_iter().map(|meta| self.listed(meta)).collect())
    }

    fn listed(self: &Arc<Self>, meta: ObjectMeta) -> Object {
        let ObjectMeta { location: path, size, e_tag: version, last_modified, .. } = meta;
        // A list of HTTP's kind has no tags.
        let version = version.or_else(|| Some(last_modified.timestamp_millis().to_string()));
        Object { bucket: Arc::clone(self), path, size: Some(size), version, whole: None }
    }

    /// What is told of an object.
    pub(super) fn head(self: &Arc<Self>, path: &Path) -> Result<Object, SourceError> {
        let head = self.fetcher.wait(self.fetcher.tried(|| self.store.head(path)));
        Ok(self.listed(head.map_err(|error| self.failed(path, &error))?))
    }

    /// All of an object, of at most `bytes_max`.
    pub(super) fn whole(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, SourceError> {
        let got = self.fetcher.wait(self.fetcher.tried(|| self.get_whole(path, bytes_max)));
        let got = got.map_err(|error| self.failed(path, &error))?;
        got.map_err(|bytes| {
            let what = format!("it has {bytes} bytes, and no more than {bytes_max} are read of a file of its kind");
            SourceError { name: self.name(path), offset: None, error: io::Error::other(what) }
        })
    }

    /// All of an object; or its size, where that is more than `bytes_max`.
    async fn get_whole(&self, path: &Path, bytes_max: u64) -> object_store::Result<Result<Vec<u8>, u64>> {
        let got = self.store.get_opts(path, GetOptions::default()).await?;
        if got.meta.size > bytes_max {
            return Ok(Err(got.meta.size));
        }
        let mut bytes = Vec::with_capacity(got.meta.size as usize);
        let mut stream = got.into_stream();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok(Ok(bytes))
    }

    /// The address of an object.
    pub(super) fn name(&self, path: &Path) -> String {
        format!("{}/{path}", self.address)
    }

    fn not_listed(&self, folder: &Path, error: &object_store::Error) -> SourceError {
        if !Refused::within(error).is_some_and(Refused::is_unknown_method) {
            return self.failed(folder, error);
        }
        let what = "the server does not tell what lies there (PROPFIND, as WebDAV has it): name the files, such as part-{000..127}.tar";
        SourceError { name: self.name(folder), offset: None, error: io::Error::new(io::ErrorKind::Unsupported, what) }
    }

    fn failed(&self, path: &Path, error: &object_store::Error) -> SourceError {
        SourceError { name: self.name(path), offset: None, error: told(error) }
    }
}

/// An address without what may be secret in it.
fn shown(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or(address)
}

/// The store of an address.
fn connect(
    address: &str,
    options: &BTreeMap<String, String>,
    connector: Connector,
) -> Result<Arc<dyn ObjectStore>, String> {
    // Where another part of the process chose already, that stays.
    drop(rustls::crypto::ring::default_provider().install_default());
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    let (scheme, _) = ObjectStoreScheme::parse(&url).map_err(|error| error.to_string())?;
    // Tries are made by the fetcher, which counts them.
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 0, ..RetryConfig::default() };
    macro_rules! built {
        ($builder:expr) => {{
            let mut builder = $builder.with_retry(retry).with_http_connector(connector);
            for (name, value) in options {
                let name = FromStr::from_str(&name.to_ascii_lowercase())
                    .map_err(|_| format!("the store has no option {name:?}"))?;
                builder = builder.with_config(name, value);
            }
            Arc::new(builder.build().map_err(|error| error.to_string())?)
        }};
    }
    Ok(match scheme {
        ObjectStoreScheme::AmazonS3 => built!(AmazonS3Builder::from_env().with_url(address)),
        ObjectStoreScheme::GoogleCloudStorage => built!(GoogleCloudStorageBuilder::from_env().with_url(address)),
        ObjectStoreScheme::MicrosoftAzure => built!(MicrosoftAzureBuilder::from_env().with_url(address)),
        // Without TLS only where the address says so.
        ObjectStoreScheme::Http => {
            let is_plain = (url.scheme() == "http").to_string();
            built!(HttpBuilder::new().with_url(address).with_config(ClientConfigKey::AllowHttp, is_plain))
        }
        _ => return Err("addresses begin with s3://, gs://, az://, https:// or http://".to_owned()),
    })
}
