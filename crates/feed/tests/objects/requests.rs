//! What a store is asked for, and how often.

use std::fs;

use object_rig::Behaviour;
use tempfile::TempDir;

use crate::made::*;
use crate::{epoch, open, open_as, open_with, refused, spec, start};

/// The index of part-0.tar, as DALI's wds2idx writes it.
fn index() -> String {
    let mut text = "v1.2 50\n".to_owned();
    let mut at = 0;
    for number in 0..50 {
        let (bytes, digits) = (data(number).len(), number.to_string().len());
        let class = at + 512 + bytes.next_multiple_of(512);
        text += &format!("bin {} {bytes} {number:04}.bin cls {} {digits} {number:04}.cls\n", at + 512, class + 512);
        at = class + 1024;
    }
    text
}

#[test]
fn one_list_and_few_requests() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    for (name, column) in ASKED {
        let server = start(&folder, Behaviour::default());
        let loader = open(&server.url(name), column).unwrap();
        let lists = u64::from(!name.ends_with(".bin") && !name.contains('{'));
        // The folder of folders is listed once to see what it is, and once with all that is in it.
        let lists = if name == "animals" { 2 } else { lists };
        assert_eq!(server.requests_of("PROPFIND"), lists, "{name}");
        let opening = server.requests();
        let samples = epoch(&loader).unwrap().len() as u64;
        let reading = server.requests() - opening;
        // What comes next is asked for ahead, and that is up to two more epochs of so few samples.
        assert!(reading <= 3 * samples, "{name}: {reading} requests for {samples} samples");
        assert!(opening <= 12, "{name}: {opening} requests to begin");
    }
}

#[test]
fn an_index_beside_a_tar_file_spares_its_headers() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    let (_, column) = ASKED[0];
    let path = |name: &str| folder.path().join(name);
    let address = path("part-0.tar").display().to_string();
    let expected = epoch(&open(&address, column).unwrap());
    write(&path("part-0.idx"), index());
    assert_eq!(epoch(&open(&address, column).unwrap()), expected);
    let server = start(&folder, Behaviour::default());
    let loader = open(&server.url("part-0.tar"), column).unwrap();
    assert_eq!(server.requests(), 2, "the index, and the file's size");
    assert_eq!(epoch(&loader), expected);

    // The index of another file of the same size, and one that cannot be.
    write(&path("part-0.idx"), index().replacen("bin 512 100 ", "bin 512 99 ", 50));
    let all: String = index().lines().map(|line| line.replace(" cls", " x")).collect::<Vec<_>>().join("\n");
    write(&path("part-1.idx"), all);
    let error = epoch(&open(&path("part-1.tar").display().to_string(), column).unwrap()).err();
    let error = error.expect("part-1.tar has other sizes");
    assert!(error.contains("part-1.tar") && error.contains("is of another file"), "{error}");
    write(&path("part-2.idx"), "v1.2 1\nbin 512 100000000 a.bin\n");
    let error = refused(open(&path("part-2.tar").display().to_string(), column));
    assert!(error.contains("part-2.idx, line 2"), "{error}");
}

#[test]
fn what_is_kept_on_this_machine_is_not_asked_for_again() {
    let (folder, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fill(folder.path());
    for (name, column) in ASKED {
        let server = start(&folder, Behaviour::default());
        let here = epoch(&open(&folder.path().join(name).display().to_string(), column).unwrap()).unwrap();
        let kept = |bytes: u64| {
            let more = format!(r#", "cache": {{"folder": "{}", "bytes": {bytes}}}"#, cache.path().display());
            open_with(&server.url(name), column, &more).unwrap()
        };
        // The first loader writes, the second one reads: whole blocks came, so that all is there.
        let first = kept(1 << 30);
        assert_eq!(epoch(&first), Ok(here.clone()), "{name}");
        drop(first);
        let second = kept(1 << 30);
        let opening = server.requests();
        assert_eq!(epoch(&second), Ok(here.clone()), "{name}");
        assert_eq!(server.requests(), opening, "{name}");
        drop(second);
        // Without room, everything comes from the store.
        fs::remove_dir_all(cache.path()).unwrap();
        let third = kept(100);
        assert_eq!(epoch(&third), Ok(here.clone()), "{name}");
        drop(third);
        fs::remove_dir_all(cache.path()).unwrap();
    }
}

/// Requests for one sample, of so many of one size, where memory holds a tenth of the data.
fn requests_each(samples: usize, bytes: usize, order: &str) -> f64 {
    let folder = TempDir::new().expect("there is room for a folder");
    let members: Vec<_> = (0..samples).map(|number| (format!("{number:04}.bin"), vec![number as u8; bytes])).collect();
    write(&folder.path().join("large.tar"), tar(&members));
    let server = start(&folder, Behaviour::default());
    let (_, column) = ASKED[0];
    let told = spec(&server.url("large.tar"), column, r#", "memory": 41943040"#).replace(r#""global""#, order);
    let loader = open_as(&told).expect("it is told well");
    let opening = server.requests();
    for _ in 0..3 {
        assert_eq!(epoch(&loader).expect("nothing goes wrong").len(), samples);
    }
    (server.requests() - opening) as f64 / (3 * samples) as f64
}

#[test]
fn neighbours_come_together_where_memory_is_scarce() {
    // Headers between small samples are much of what comes.
    let each = requests_each(6000, 4 << 10, r#""none""#);
    assert!(each < 0.05, "{each} requests for a sample");
    // Four neighbours are a request, also where they are mixed with four others.
    let each = requests_each(600, 60 << 10, r#"{"windowed": {"block": 4, "blocks": 2}}"#);
    assert!(each < 0.35, "{each} requests for a sample");
}
