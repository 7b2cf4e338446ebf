//! From the sources that are told to what a loader goes through.

use std::sync::Arc;

use super::LoaderError;
use crate::dataset::Dataset;
use crate::order::{Buckets, Course, Mix, Order, Sizes, Weights};
use crate::source::remote::Buckets as Stores;
use crate::source::{Location, find};
use crate::spec::{KindSpec, MixSpec, Spec};

/// Samples that are looked at, at most, for whether the index tells sizes.
const LOOKED_AT_MAX: u64 = 100;

/// The files of each source.
pub(super) fn files(spec: &Spec, stores: &Stores) -> Result<Vec<Vec<Location>>, LoaderError> {
    spec.data_of_sources().map(|data| find(data, stores).map_err(LoaderError::Find)).collect()
}

/// What a loader of some data goes through.
pub(super) fn course(spec: &Spec, dataset: &Arc<Dataset>) -> Result<Course, LoaderError> {
    let mix = spec.mix.as_ref().map(|told| mix(told, dataset)).transpose()?;
    let samples = match (&mix, &spec.mix) {
        (Some(mix), Some(told)) => epoch_samples(mix, told)?,
        _ => dataset.samples(),
    };
    let buckets = buckets(spec, dataset)?;
    Ok(Course { order: Order { samples, shuffle: spec.shuffle, seed: spec.seed }, mix, buckets })
}

fn mix(told: &MixSpec, dataset: &Dataset) -> Result<Arc<Mix>, LoaderError> {
    let weights: Vec<f64> = told.sources.iter().map(|source| source.weight).collect();
    let weights = Weights::of(&weights).expect("weights were checked before the data were opened");
    let mut sources = Vec::new();
    for (source, samples) in told.sources.iter().zip(dataset.source_samples()) {
        if *samples == 0 {
            let problem = "there is no sample in its data: leave it out, or name other files".to_owned();
            return Err(LoaderError::Spec { what: format!("source {:?}", source.name), problem });
        }
        sources.push((source.name.clone(), *samples));
    }
    Ok(Arc::new(Mix::new(sources, &weights)))
}

fn epoch_samples(mix: &Mix, told: &MixSpec) -> Result<u64, LoaderError> {
    told.epoch_samples.or_else(|| mix.epoch_samples()).ok_or_else(|| LoaderError::Spec {
        what: "epoch_samples".to_owned(),
        problem: "until the source that lasts longest came once, more samples would come than can be counted: tell how many an epoch has"
            .to_owned(),
    })
}

/// How sizes are brought together, and where they are told.
fn buckets(spec: &Spec, dataset: &Arc<Dataset>) -> Result<Option<(Buckets, Sizes)>, LoaderError> {
    let Some(told) = &spec.buckets else { return Ok(None) };
    let fields = if told.fields.is_empty() { fields_of_columns(spec) } else { vec![told.fields.clone()] };
    let size = {
        let (dataset, fields) = (Arc::clone(dataset), fields.clone());
        move |sample| {
            let (shard, place) = dataset.find(sample);
            // What cannot be told is told as an error when it is read.
            fields.iter().map(|names| shard.bytes(place, names).unwrap_or(0)).sum::<u64>()
        }
    };
    // Some from all over the data.
    let step = dataset.samples().div_ceil(LOOKED_AT_MAX);
    let mut looked_at = (0..dataset.samples()).step_by(step as usize);
    if looked_at.all(|sample| size(sample) == 0) {
        let names = fields.iter().flatten().map(String::as_str).collect::<Vec<&str>>().join(", ");
        let problem = format!(
            "buckets bring samples of similar size together, and none has bytes of a field [{names}]: name another"
        );
        return Err(LoaderError::Spec { what: "shuffle".to_owned(), problem });
    }
    Ok(Some((Buckets { group: told.group, groups: told.groups, fields }, Sizes::new(size))))
}

/// The fields that columns are made from, each once.
fn fields_of_columns(spec: &Spec) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for column in &spec.columns {
        let is_read = match column.kind {
            KindSpec::Image(_)
            | KindSpec::Integer
            | KindSpec::Bytes
            | KindSpec::Text
            | KindSpec::Sequences(_)
            | KindSpec::Tokens(_) => true,
            // A part is of an image that is a column itself.
            KindSpec::Part { .. } | KindSpec::Number | KindSpec::SourceName | KindSpec::SourceNumber => false,
        };
        if is_read && !all.contains(&column.fields) {
            all.push(column.fields.clone());
        }
    }
    all
}
