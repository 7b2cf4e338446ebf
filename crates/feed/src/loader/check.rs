//! What is asked for and makes no sense, whatever the data are.

use super::LoaderError;
use crate::order::{PLACES_MAX, Shuffle, WINDOW_MAX, Weights};
use crate::sequence;
use crate::spec::{CropSpec, ImageSpec, JitterSpec, KindSpec, MixSpec, PixelType, Spec};

/// What makes no sense, whatever the data are.
pub(super) fn check(spec: &Spec) -> Result<(), LoaderError> {
    let wrong =
        |what: &str, problem: &str| Err(LoaderError::Spec { what: what.to_owned(), problem: problem.to_owned() });
    match &spec.mix {
        None if spec.data.is_empty() => return wrong("data", "no file is named"),
        Some(_) if !spec.data.is_empty() => {
            return wrong("data", "sources that are mixed name their own: leave data out, or the mixture");
        }
        Some(mix) => check_mix(mix)?,
        None => {}
    }
    if spec.columns.is_empty() {
        return wrong("columns", "a batch has at least one column");
    }
    if spec.batch == 0 || spec.batch > 1 << 20 {
        return wrong("batch_size", "a batch has between 1 and 1,048,576 samples");
    }
    if let Shuffle::Windowed { block, blocks } = spec.shuffle
        && (block == 0 || blocks == 0 || block.checked_mul(blocks).is_none())
    {
        return wrong("shuffle", "a block has at least one sample, and a window at least one block");
    }
    if let Some(buckets) = &spec.buckets
        && (buckets.group == 0
            || buckets.groups == 0
            || buckets.group.checked_mul(buckets.groups).is_none_or(|window| window > WINDOW_MAX))
    {
        return wrong(
            "shuffle",
            "a group has at least one sample, and its window, all groups together, at most 1,048,576",
        );
    }
    if spec.world == 0 || spec.rank >= spec.world {
        return wrong("rank", "ranks are counted from 0, and there are `world_size` of them");
    }
    if spec.workers == 0 || spec.worker >= spec.workers {
        return wrong("worker", "workers are counted from 0, and there are `workers` of them");
    }
    if spec.threads.is_some_and(|threads| !(1..=1024).contains(&threads)) {
        return wrong("threads", "there are between 1 and 1,024");
    }
    if spec.ahead.is_some_and(|ahead| !(1..=1024).contains(&ahead)) {
        return wrong("prefetch", "between 1 and 1,024 batches are made ahead");
    }
    if spec.requests.is_some_and(|requests| !(1..=256).contains(&requests)) {
        return wrong("requests", "between 1 and 256 are under way at once");
    }
    if let Some(price) = &spec.price_per_hour
        && (price.micros < 0 || price.currency.len() != 3 || !price.currency.bytes().all(|b| b.is_ascii_uppercase()))
    {
        return wrong(
            "price_per_hour",
            "a price is not below 0, and its currency three letters, such as 2.50 (dollars) or \"EUR 2.50\"",
        );
    }
    for (place, column) in spec.columns.iter().enumerate() {
        if spec.columns[..place].iter().any(|before| before.name == column.name) {
            return wrong(&column.name, "two columns have this name");
        }
        if matches!(column.kind, KindSpec::SourceName | KindSpec::SourceNumber) && spec.mix.is_none() {
            return wrong(
                &column.name,
                "there is one source; of several, mixed by a Mix, a column tells which a sample is of",
            );
        }
        if let KindSpec::Sequences(sequences) = &column.kind {
            let names = sequence::names(&column.name, sequences.layout);
            if let Some(taken) = spec.columns.iter().find(|other| names[1..].contains(&other.name)) {
                return wrong(
                    &taken.name,
                    &format!("{} has an array of this name beside it: call one of them otherwise", column.name),
                );
            }
        }
        if let KindSpec::Image(image) = &column.kind
            && let Some(problem) = image_problem(image)
        {
            return wrong(&column.name, problem);
        }
        if matches!(&column.kind, KindSpec::Image(image) if image.dct_scaling)
            && spec.decoded_cache.is_some_and(|bytes| bytes > 0)
        {
            return wrong(&column.name, "images are kept decoded as they are: leave decoded_cache out, or dct_scaling");
        }
        if let KindSpec::Tokens(tokens) = &column.kind
            && (!(1..=1 << 24).contains(&tokens.length) || tokens.stride == Some(0))
        {
            return wrong(
                &column.name,
                "a sample has between 1 and 16,777,216 tokens, and the next begins after it does",
            );
        }
    }
    Ok(())
}

/// What makes no sense in a mixture, whatever its sources hold.
fn check_mix(mix: &MixSpec) -> Result<(), LoaderError> {
    let wrong = |what: String, problem: String| Err(LoaderError::Spec { what, problem });
    let of = |place: usize| format!("source {:?}", mix.sources[place].name);
    for (place, source) in mix.sources.iter().enumerate() {
        if mix.sources[..place].iter().any(|before| before.name == source.name) {
            return wrong(of(place), "two sources have this name".to_owned());
        }
        if source.data.is_empty() {
            return wrong(of(place), "no file is named".to_owned());
        }
    }
    let weights: Vec<f64> = mix.sources.iter().map(|source| source.weight).collect();
    if let Err(error) = Weights::of(&weights) {
        return wrong(error.place().map_or("mix".to_owned(), of), error.to_string());
    }
    match mix.epoch_samples {
        Some(samples) if !(1..=PLACES_MAX).contains(&samples) => {
            wrong("epoch_samples".to_owned(), "an epoch has between 1 and 2^62 samples".to_owned())
        }
        _ => Ok(()),
    }
}

fn image_problem(image: &ImageSpec) -> Option<&'static str> {
    let sides = 1..=1 << 14;
    if !sides.contains(&image.width) || !sides.contains(&image.height) {
        return Some("an image is drawn to between 1 and 16,384 pixels each way");
    }
    if !(0.0..=1.0).contains(&image.flip) {
        return Some("the share of images that are flipped is between 0 and 1");
    }
    if image.std.iter().any(|deviation| !deviation.is_normal()) || image.mean.iter().any(|mean| !mean.is_finite()) {
        return Some("mean and std are three numbers each, and std is not 0");
    }
    let differs = |number: &f32, usual: f32| number.to_bits() != usual.to_bits();
    let is_normalised =
        image.mean.iter().any(|mean| differs(mean, 0.0)) || image.std.iter().any(|deviation| differs(deviation, 1.0));
    if image.dtype == PixelType::UInt8 && is_normalised {
        return Some("bytes are not normalised: leave mean and std out, or ask for float32");
    }
    if let Some(problem) = image.jitter.as_ref().and_then(jitter_problem) {
        return Some(problem);
    }
    match image.crop {
        CropSpec::Random { area, ratio } => {
            let areas = 0.0 < area.0 && area.0 <= area.1 && area.1 <= 1.0;
            let ratios = 0.0 < ratio.0 && ratio.0 <= ratio.1 && ratio.1.is_finite();
            (!(areas && ratios))
                .then_some("a crop's scale lies within 0 to 1 and its ratio above 0, each from low to high")
        }
        CropSpec::Centre { shorter: 0 } => Some("the shorter side is at least one pixel"),
        CropSpec::Centre { .. } | CropSpec::Whole => None,
    }
}

/// The largest factor: far beyond what leaves anything of a picture, and far from where factors stop being numbers.
const FACTOR_MAX: f64 = 1000.0;

fn jitter_problem(jitter: &JitterSpec) -> Option<&'static str> {
    let lies_within = |range: Option<(f64, f64)>, least: f64, most: f64| {
        range.is_none_or(|(low, high)| least <= low && low <= high && high <= most)
    };
    let factors = [jitter.brightness, jitter.contrast, jitter.saturation];
    if !factors.into_iter().all(|range| lies_within(range, 0.0, FACTOR_MAX)) {
        return Some("a jitter's brightness, contrast and saturation lie within 0 to 1,000, each from low to high");
    }
    if !lies_within(jitter.hue, -0.5, 0.5) {
        return Some("a jitter's hue lies within -0.5 to 0.5, from low to high");
    }
    let are_shares = [jitter.chance, jitter.gray].iter().all(|share| (0.0..=1.0).contains(share));
    (!are_shares).then_some("the shares of images that are jittered and that are gray are between 0 and 1")
}
