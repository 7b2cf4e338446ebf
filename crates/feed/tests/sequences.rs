//! Documents in rows: each token once, whoever makes them and wherever they begin; and what is said of those that cannot be.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use feed::loader::Loader;
use feed::pipeline::{Batch, Next};
use feed::spec::Spec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The letter that stands for a byte, as GPT-2's vocabulary has it: printable ones for themselves, others from U+0100 on.
fn letter(byte: u8) -> char {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if is_printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|byte| !is_printable(*byte)).count() as u32;
    char::from_u32(256 + before).expect("it is a letter")
}

const MERGES: [(&str, &str); 7] =
    [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("Ġ", "w"), ("o", "r"), ("Ġw", "or")];
const END: i64 = 263;

/// A byte-level tokenizer: 256 bytes, seven merges and an end of text.
fn tokenizer_json() -> Value {
    let bytes = (0..=255).map(|byte| letter(byte).to_string());
    let merged = MERGES.iter().map(|(left, right)| format!("{left}{right}"));
    let vocabulary: serde_json::Map<String, Value> =
        bytes.chain(merged).enumerate().map(|(id, token)| (token, json!(id))).collect();
    json!({
        "version": "1.0",
        // What is told here about lengths is not what counts.
        "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "!"},
        "added_tokens": [
            {"id": END, "content": "<|end|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
        ],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|end|>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [END], "tokens": ["<|end|>"]}},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "vocab": vocabulary, "merges": MERGES},
    })
}

/// The bytes that tokens stand for; an end of text is no byte.
fn text_of(tokens: &[i64]) -> String {
    let letters: BTreeMap<char, u8> = (0..=255).map(|byte| (letter(byte), byte)).collect();
    let bytes = tokens.iter().filter(|token| **token != END).flat_map(|token| match u8::try_from(*token) {
        Ok(byte) => vec![byte],
        Err(_) => {
            let (left, right) = MERGES[*token as usize - 256];
            format!("{left}{right}").chars().map(|letter| letters[&letter]).collect()
        }
    });
    String::from_utf8(bytes.collect()).expect("it was text")
}

/// A folder with a tokenizer and lines of text.
struct Texts {
    folder: TempDir,
}

impl Texts {
    fn new(lines: &[String]) -> Texts {
        let folder = TempDir::new().expect("there is room");
        fs::write(folder.path().join("tokenizer.json"), tokenizer_json().to_string()).expect("there is room");
        fs::write(folder.path().join("texts.txt"), lines.join("\n")).expect("there is room");
        Texts { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A column of their tokens.
    fn column(&self, overlong: &str, length: usize, layout: &Value) -> Value {
        json!({
            "length": length,
            "source": {"text": {"tokenizer": self.path("tokenizer.json")}},
            "overlong": overlong,
            "layout": layout,
        })
    }

    fn spec(&self, column: &Value, options: &Value) -> Spec {
        spec(&self.path("texts.txt"), column, options)
    }
}

fn spec(data: &str, column: &Value, options: &Value) -> Spec {
    let mut spec = json!({
        "data": [data],
        "columns": [{"name": "ids", "kind": {"sequences": column}}, {"name": "number", "kind": "number"}],
        "batch": 5,
        "shuffle": "none",
        "threads": 2,
        "ahead": 2,
        "memory": 64 << 20,
    });
    for (name, value) in options.as_object().expect("options are an object") {
        spec[name] = value.clone();
    }
    serde_json::from_value(spec).expect("it is a spec")
}

/// An array of a batch: its sides and its numbers.
fn array(batch: &Batch, name: &str) -> (Vec<usize>, Vec<i64>) {
    let mut columns = batch.columns();
    let joined = columns
        .find_map(|column| column.made.joined().iter().find(|array| array.name == name))
        .expect("the batch has it");
    let numbers = match joined.number.bytes() {
        8 => joined.bytes().as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect(),
        _ => joined.bytes().as_chunks().0.iter().map(|bytes| i64::from(i32::from_le_bytes(*bytes))).collect(),
    };
    (joined.shape.clone(), numbers)
}

/// The samples of a batch, by its other column.
fn samples(batch: &Batch) -> Vec<u64> {
    let column = batch.columns().find(|column| column.output.name == "number").expect("it was asked for");
    let numbers = column.made.numbers().expect("it is numbers").as_chunks().0;
    numbers[..batch.samples].iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

/// The next batch; none at the end of an epoch.
fn next(loader: &Loader) -> Option<Batch> {
    match loader.next(Duration::from_secs(60)) {
        Next::Batch(batch) => Some(batch),
        Next::EndOfEpoch(_) => None,
        Next::NotYet | Next::NoRoom { .. } => panic!("nothing came for a minute"),
    }
}

fn open(spec: &Spec) -> Loader {
    Loader::open(spec).expect("it makes sense")
}

/// What is said of what cannot be opened.
fn refused(spec: &Spec) -> String {
    Loader::open(spec).err().expect("it makes no sense").to_string()
}

fn longest(multiple_of: usize) -> Value {
    json!({"padded": {"to": "longest", "multiple_of": multiple_of}})
}

fn packed(rows: Option<usize>) -> Value {
    json!({"packed": {"rows": rows, "cu_seqlens": true}})
}

#[test]
fn padded_rows_are_as_wide_as_is_told() {
    let texts = Texts::new(&["hello world".into(), "é<|end|>x".into(), "hello hello hello".into()]);
    let hello = [259, 262, 108, 100];
    let expected: [&[i64]; 3] = [&hello, &[0xc3, 0xa9, END, 120], &[259, 32, 259, 32, 259]];
    let check = |column: &Value, width: usize, expected: [&[i64]; 3], pad: i64| {
        let batch = next(&open(&texts.spec(column, &json!({})))).unwrap();
        assert!(batch.failed.is_empty(), "{:?}", batch.failed);
        let (shape, ids) = array(&batch, "ids");
        assert_eq!(shape, [3, width]);
        assert_eq!(array(&batch, "ids_lengths"), (vec![3], expected.iter().map(|row| row.len() as i64).collect()));
        for (row, expected) in ids.chunks_exact(width).zip(expected) {
            let mut padded = expected.to_vec();
            padded.resize(width, pad);
            assert_eq!(row, padded);
        }
    };
    check(&texts.column("truncate", 16, &longest(1)), 5, expected, 0);
    check(&texts.column("truncate", 16, &longest(8)), 8, expected, 0);
    check(&texts.column("truncate", 16, &json!({"padded": {"to": "length", "multiple_of": 4}})), 16, expected, 0);
    let mut ended = texts.column("truncate", 5, &longest(1));
    (ended["end"], ended["pad"]) = (json!("<|end|>"), json!(-100));
    let expected: [&[i64]; 3] = [&[259, 262, 108, 100, END], &[0xc3, 0xa9, END, 120, END], &[259, 32, 259, 32, 259]];
    check(&ended, 5, expected, -100);
    // What the tokenizer itself puts behind a text stays where the text is cut.
    let mut special = texts.column("truncate", 4, &longest(1));
    special["source"]["text"]["special_tokens"] = json!(true);
    let expected: [&[i64]; 3] = [&[259, 262, 108, END], &[0xc3, 0xa9, END, END], &[259, 32, 259, END]];
    check(&special, 4, expected, 0);
    let loader = open(&texts.spec(&special, &json!({"ahead": 1})));
    drop(next(&loader));
    let made = loader.report().sequences.unwrap();
    assert_eq!((made.documents, made.truncated, made.tokens, made.rows), (3, 3, 12, 3));
    assert!(made.padding.abs() < 1e-9, "{made:?}");
}

#[test]
fn what_is_longer_than_a_row_is_refused_where_it_should_be() {
    let texts = Texts::new(&["ab".into(), "abcdef".into(), "".into(), "abc".into()]);
    for layout in [longest(1), packed(None)] {
        let batch = next(&open(&texts.spec(&texts.column("refuse", 3, &layout), &json!({})))).unwrap();
        assert_eq!(samples(&batch), [0, 2]);
        let [failed] = &batch.failed[..] else { panic!("{:?}", batch.failed) };
        assert!(failed.sample.ends_with("texts.txt: the line at byte 3"), "{failed}");
        assert!(failed.reason.contains("it has 6 tokens, and a row has 3"), "{failed}");
    }
}

/// Documents of a packed batch, in order, after looking at all that stands beside them. Those that are cut are one for each part.
fn documents(batch: &Batch, length: usize) -> Vec<Vec<i64>> {
    let (shape, ids) = array(batch, "ids");
    assert_eq!(shape[1], length);
    let (segments, positions) = (array(batch, "ids_segments"), array(batch, "ids_positions"));
    assert!(segments.0 == shape && positions.0 == shape);
    let (mut documents, mut ends): (Vec<Vec<i64>>, Vec<i64>) = (Vec::new(), vec![0]);
    for row in 0..shape[0] {
        let mut before = 0;
        for (place, id) in ids.iter().enumerate().skip(row * length).take(length) {
            let (id, segment, position) = (*id, segments.1[place], positions.1[place]);
            if segment != before {
                assert!(
                    segment == before + 1 || segment == 0,
                    "documents are counted from 1, and padding is behind them"
                );
                if before > 0 {
                    ends.push(place as i64);
                }
                if segment > 0 {
                    documents.push(Vec::new());
                }
                before = segment;
            }
            if segment == 0 {
                assert_eq!((id, position), (7, 0));
            } else {
                let document = documents.last_mut().expect("a document was begun");
                assert_eq!(position, document.len() as i64);
                document.push(id);
            }
        }
        ends.push(((row + 1) * length) as i64);
    }
    assert_eq!(array(batch, "ids_cu_seqlens"), (vec![ends.len()], ends));
    documents
}

fn packed_column(texts: &Texts, overlong: &str, length: usize, rows: Option<usize>) -> Value {
    let mut column = texts.column(overlong, length, &packed(rows));
    (column["end"], column["pad"]) = (json!(END), json!(7));
    column
}

/// The texts of documents that are whole, each with its end.
fn texts_of(documents: &[Vec<i64>]) -> Vec<String> {
    assert!(documents.iter().all(|document| document.last() == Some(&END)));
    documents.iter().map(|document| text_of(document)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn each_document_is_in_one_row_and_whoever_goes_on_finds_the_rest(
        lines in proptest::collection::vec("(hello| world|é|[a-z ]|中){1,12}", 1..40),
        length in 80_usize..120,
        batch in 1_usize..9,
        stop in 0_usize..4,
    ) {
        let lines: Vec<String> = lines.iter().map(|line| format!("{line}.")).collect();
        let texts = Texts::new(&lines);
        let column = packed_column(&texts, "refuse", length, None);
        let options = json!({"batch": batch, "shuffle": "global", "seed": 3, "world": 2});
        let of_rank = |rank: u64, threads: usize| {
            let mut options = options.clone();
            (options["rank"], options["threads"]) = (json!(rank), json!(threads));
            open(&texts.spec(&column, &options))
        };
        let take = |loader: &Loader, most: usize| {
            let mut all = Vec::new();
            for _ in 0..most {
                let Some(batch) = next(loader) else { break };
                prop_assert!(batch.failed.is_empty(), "{:?}", batch.failed);
                let documents = texts_of(&documents(&batch, length));
                prop_assert_eq!(documents.len(), batch.samples);
                prop_assert_eq!(samples(&batch).len(), batch.samples);
                all.extend(documents);
            }
            Ok(all)
        };
        let mut all = Vec::new();
        let ranks = [of_rank(0, 1), of_rank(1, 3)];
        for rank in &ranks {
            all.extend(take(rank, stop)?);
        }
        // A rank without a share in the last step is told of the epoch's end one step before the others.
        let state = ranks.iter().map(Loader::state).max_by_key(|state| (state.epoch, state.consumed)).expect("there are ranks");
        if state.epoch == 0 {
            let alone = open(&texts.spec(&column, &json!({"batch": 3, "shuffle": "global", "seed": 3})));
            alone.go_on_from(&state).expect("it is of the same data");
            all.extend(take(&alone, usize::MAX)?);
        }
        let mut expected = lines;
        all.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(all, expected);
    }
}

#[test]
fn long_documents_are_cut_into_rows_or_at_their_end() {
    let lines: Vec<String> = (0..9).map(|number| "abcdefgh"[..number % 5 + 3].repeat(number + 1)).collect();
    let texts = Texts::new(&lines);
    let loader = open(&texts.spec(&packed_column(&texts, "split", 10, None), &json!({"batch": 9, "ahead": 1})));
    let batch = next(&loader).unwrap();
    let parts = documents(&batch, 10);
    assert!(parts.iter().all(|part| part.len() <= 10));
    let mut tokens: Vec<i64> = parts.concat();
    let mut expected: Vec<i64> = lines.iter().flat_map(|line| line.bytes().map(i64::from).chain([END])).collect();
    tokens.sort_unstable();
    expected.sort_unstable();
    assert_eq!(tokens, expected);
    assert_eq!(parts.iter().filter(|part| part.last() == Some(&END)).count(), 9);
    let made = loader.report().sequences.unwrap();
    assert_eq!((made.documents, made.truncated, made.tokens), (9, 0, expected.len() as u64));
    let (shape, _) = array(&batch, "ids");
    let padding = 1.0 - expected.len() as f64 / (10 * shape[0]) as f64;
    assert!((made.padding - padding).abs() < 1e-9, "{made:?}");
    let truncated = open(&texts.spec(&packed_column(&texts, "truncate", 10, None), &json!({"batch": 9})));
    let parts = documents(&next(&truncated).unwrap(), 10);
    assert_eq!(parts.len(), 9);
    assert!(lines.iter().zip(&parts).filter(|(line, _)| line.len() >= 10).all(|(_, part)| part.len() == 10));
}

#[test]
fn rows_that_are_told_hold_what_fits_and_the_rest_is_named() {
    let lines: Vec<String> = [7, 6, 3, 5, 1].iter().map(|length| "x".repeat(*length)).collect();
    let texts = Texts::new(&lines);
    let batch = next(&open(&texts.spec(&packed_column(&texts, "split", 10, Some(2)), &json!({})))).unwrap();
    // With their ends they are 8, 7, 4, 6 and 2 long: 8 and 2 fill a row, 7 leaves no room for 6 and 4.
    assert_eq!(samples(&batch), [0, 1, 4]);
    assert_eq!(texts_of(&documents(&batch, 10)), ["x".repeat(7), "x".to_owned(), "x".repeat(6)]);
    let reasons: Vec<String> = batch.failed.iter().map(ToString::to_string).collect();
    assert!(reasons[0].ends_with(
        "texts.txt: the line at byte 15: ids: 2 rows of 10 tokens have no room for it beside the others of its batch: \
         ask for more rows, or a smaller batch_size"
    ), "{reasons:?}");
    assert_eq!(reasons.len(), 2);
    // Where there is room for more, rows of padding make them as many as are told.
    let batch = next(&open(&texts.spec(&packed_column(&texts, "split", 10, Some(6)), &json!({})))).unwrap();
    assert_eq!(array(&batch, "ids").0, [6, 10]);
    assert_eq!(documents(&batch, 10).len(), 5);
}

#[test]
fn tokens_that_are_stored_are_taken_as_they_are() {
    use arrow_array::types::Int32Type;
    use arrow_array::{ListArray, RecordBatch};

    let folder = TempDir::new().unwrap();
    let lists = vec![Some(vec![Some(5), Some(6)]), Some(vec![]), None, Some(vec![Some(1), Some(-1)])];
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    let batch =
        RecordBatch::try_from_iter_with_nullable([("input_ids", std::sync::Arc::new(lists) as _, true)]).unwrap();
    let table = folder.path().join("a.parquet");
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(fs::File::create(&table).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let lines = folder.path().join("a.jsonl");
    fs::write(&lines, "{\"input_ids\": [5, 6]}\n{\"input_ids\": []}\n{}\n{\"input_ids\": \"no\"}\n").unwrap();
    for (path, reason) in [(&table, "its token 1 is -1"), (&lines, "no list of whole numbers")] {
        let column = json!({
            "length": 4, "source": {"stored": {"dtype": "int32"}}, "end": 9, "overlong": "truncate", "layout": longest(1),
        });
        let cache = json!({"folder": folder.path().join("cache").display().to_string(), "bytes": 1 << 24});
        let mut spec = spec(&path.display().to_string(), &column, &json!({"cache": cache}));
        spec.columns[0].fields = vec!["input_ids".to_owned()];
        let batch = next(&open(&spec)).unwrap();
        assert_eq!(array(&batch, "ids"), (vec![2, 3], vec![5, 6, 9, 9, 0, 0]));
        assert_eq!(batch.failed.len(), 2);
        assert!(batch.failed[0].reason.contains("it has no field input_ids"), "{:?}", batch.failed);
        assert!(batch.failed[1].reason.contains(reason), "{:?}", batch.failed);
    }
}

#[test]
fn what_is_no_text_fails_alone() {
    let texts = Texts::new(&[]);
    fs::write(texts.path("texts.txt"), b"one\ntw\xff\nthree\n").unwrap();
    let batch = next(&open(&texts.spec(&packed_column(&texts, "split", 10, None), &json!({})))).unwrap();
    assert_eq!(texts_of(&documents(&batch, 10)), ["one", "three"]);
    let [failed] = &batch.failed[..] else { panic!("{:?}", batch.failed) };
    assert!(
        failed.to_string().ends_with("texts.txt: the line at byte 4: it is no text in UTF-8 from byte 2 on"),
        "{failed}"
    );
}

#[test]
fn tokenizers_that_cannot_be_used_are_refused_by_name() {
    let texts = Texts::new(&["a".into()]);
    let column = texts.column("truncate", 4, &longest(1));
    let check = |file: &str, words: &str| {
        fs::write(texts.path("tokenizer.json"), file).unwrap();
        let said = refused(&texts.spec(&column, &json!({})));
        assert!(said.starts_with("ids: ") && said.contains("tokenizer.json: ") && said.contains(words), "{said}");
    };
    check("", "it is no tokenizer as Hugging Face's tokenizers save them");
    check("{\"model\": {}}", "it is no tokenizer");
    check(&tokenizer_json().to_string()[..2000], "it is no tokenizer");
    let mut file = tokenizer_json();
    file["model"]["merges"] = json!([["h", "zzz"]]);
    check(&file.to_string(), "it is no tokenizer");
    let mut file = tokenizer_json();
    file["model"]["dropout"] = json!(0.1);
    check(&file.to_string(), "set \"dropout\" to null");
    fs::remove_file(texts.path("tokenizer.json")).unwrap();
    let said = refused(&texts.spec(&column, &json!({})));
    assert!(said.contains("tokenizer.json: failed to read the tokenizer"), "{said}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let texts = Texts::new(&["a".into()]);
    let with = |overlong: &str, length: usize, layout: &Value, name: &str, value: Value| {
        let mut column = texts.column(overlong, length, layout);
        column[name] = value;
        refused(&texts.spec(&column, &json!({})))
    };
    for (said, words) in [
        (with("split", 8, &longest(1), "pad", json!(0)), "a padded row is one sample's"),
        (with("truncate", 9, &longest(8), "pad", json!(0)), "length is a multiple of pad_to_multiple_of"),
        (with("truncate", 0, &longest(1), "pad", json!(0)), "a row has between 1 and"),
        (with("split", 8, &packed(Some(0)), "pad", json!(0)), "a batch has between 1 and 16,777,216 rows"),
        (with("split", 8, &packed(None), "end", json!("<eos>")), "has no token \"<eos>\", which eos asks for"),
        (with("split", 8, &packed(None), "end", json!(-1)), "eos is -1"),
        (with("split", 8, &packed(None), "pad", json!("<pad>")), "has no token \"<pad>\", which pad asks for"),
    ] {
        assert!(said.starts_with("ids: ") && said.contains(words), "{said}");
    }
    let mut spec = texts.spec(&texts.column("split", 8, &packed(None)), &json!({}));
    spec.columns[1].name = "ids_positions".to_owned();
    assert!(refused(&spec).contains("ids_positions: ids has an array of this name beside it"));
}

#[test]
fn a_state_of_another_tokenizer_is_refused() {
    let texts = Texts::new(&["a".into(), "b".into()]);
    let spec = texts.spec(&texts.column("truncate", 4, &longest(1)), &json!({"batch": 1}));
    let loader = open(&spec);
    drop(next(&loader));
    let state = loader.state();
    open(&spec).go_on_from(&state).unwrap();
    // How rows are laid is no part of where a loader is.
    open(&texts.spec(&texts.column("split", 9, &packed(None)), &json!({"batch": 1}))).go_on_from(&state).unwrap();
    let mut file = tokenizer_json();
    file["model"]["merges"].as_array_mut().unwrap().pop();
    fs::write(texts.path("tokenizer.json"), file.to_string()).unwrap();
    let said = open(&spec).go_on_from(&state).unwrap_err().to_string();
    assert!(said.contains("the tokenizer (told by its file's sha256) was"), "{said}");
}

#[test]
fn a_batch_is_counted_as_what_it_takes_until_it_is_let_go() {
    let texts = Texts::new(&["hello world ".repeat(200), "x".to_owned()]);
    let spec = texts.spec(&packed_column(&texts, "split", 64, None), &json!({"ahead": 1, "threads": 1}));
    let loader = open(&spec);
    let batch = next(&loader).unwrap();
    let rows = array(&batch, "ids").0[0];
    let ends = array(&batch, "ids_cu_seqlens").0[0];
    // Each place has a token, a position and a segment; and each sample its number.
    let taken = rows * 64 * (8 + 8 + 4) + 4 * ends;
    let counted = || loader.report().memory.batches;
    let numbers = 5 * 8;
    // What was not needed of what was set aside went back at once.
    assert_eq!(counted(), taken + numbers);
    drop(batch);
    assert_eq!(counted(), numbers);
}

#[test]
fn a_text_that_does_not_fit_where_it_is_divided_is_named() {
    let texts = Texts::new(&["small".to_owned(), "large ".repeat(50_000)]);
    let spec = texts.spec(&packed_column(&texts, "split", 64, None), &json!({"memory": 64 << 20}));
    let batch = next(&open(&spec)).unwrap();
    assert_eq!(samples(&batch), [0]);
    let said = batch.failed[0].to_string();
    assert!(said.contains("the line at byte 6: it takes ") && said.contains("memory_limit leaves"), "{said}");
}

#[test]
fn a_batch_that_cannot_fit_is_told_before_it_is_made() {
    let texts = Texts::new(&(0..64).map(|_| "a ".repeat(10_000)).collect::<Vec<String>>());
    let spec = texts.spec(&packed_column(&texts, "split", 2048, None), &json!({"memory": 48 << 20, "batch": 64}));
    match open(&spec).next(Duration::from_secs(1)) {
        Next::NoRoom { batch, limit } => assert!(batch > limit),
        Next::Batch(_) | Next::EndOfEpoch(_) | Next::NotYet => panic!("there is no room"),
    }
}
