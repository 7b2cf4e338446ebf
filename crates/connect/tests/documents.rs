//! What the documents show is read by the readers they speak of.

use std::fs;
use std::path::Path;

use connect::csv::Mapping;
use fleet::fleet_file::FleetFile;
use fleet::history::Reader;

/// The blocks of a kind in a document.
fn blocks(document: &str, kind: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(document);
    let text = fs::read_to_string(path).expect("the document is there");
    let fence = format!("```{kind}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_fleet_files_shown_are_fleet_files() {
    let blocks = blocks("FLEET-FILE.md", "toml");
    assert_eq!(blocks.len(), 1);
    for block in blocks {
        let file = FleetFile::parse(&block, "FLEET-FILE.md").unwrap();
        assert_eq!(file.node_records().count(), 76);
    }
}

#[test]
fn the_mappings_shown_are_mappings() {
    let blocks = blocks("HISTORY.md", "toml");
    assert_eq!(blocks.len(), 2);
    let table = b"job_id,team,owner,submitted_at,started,finished,nodes,gpus,mem,limit,state,hosts\n\
        1,A,ann,2020-03-02 10:00:05,1583139610,02/03/2020 11:00:10,2,16,64,90,OK,n1 n2\n";
    for (block, sound) in blocks.iter().zip([true, false]) {
        let mapping = Mapping::parse(block, "HISTORY.md").unwrap();
        let result = connect::csv::read(&table[..], "t", &mapping, &Default::default(), &mut |_| Ok(()));
        assert_eq!(result.is_ok(), sound, "{result:?}");
    }
}

#[test]
fn the_history_shown_is_a_history() {
    let blocks = blocks("HISTORY.md", "json");
    assert_eq!(blocks.len(), 1);
    let mut reader = Reader::begin(blocks[0].as_bytes(), "HISTORY.md").unwrap();
    let mut records = 0;
    while reader.next_record().unwrap().is_some() {
        records += 1;
    }
    assert_eq!(records, 5);
}
