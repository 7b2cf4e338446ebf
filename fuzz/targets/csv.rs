#![no_main]
//! A table under a mapping that has every kind of column.

use connect::csv::{Mapping, read};
use connect::import::Options;

const MAPPING: &str = "version = 1\n[columns]\nid = \"a\"\nsubmit = \"b\"\nstart = { column = \"c\", format = \"epoch_s\" }\n\
    end = { column = \"d\", format = \"%d/%m/%Y %H:%M\" }\ntasks = \"e\"\ndevices = { column = \"f\", per = \"job\" }\n\
    memory = { column = \"g\", unit = \"GiB\" }\ntime_limit = { column = \"h\", unit = \"min\" }\n\
    cause = { column = \"i\", other = \"failed\" }\nnodes = { column = \"j\", split = \" \" }\n";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mapping = Mapping::parse(MAPPING, "mapping").expect("a mapping");
    let table = [b"a,b,c,d,e,f,g,h,i,j\n", bytes].concat();
    let _read = read(&table[..], "fuzz", &mapping, &Options::default(), &mut |_| Ok(()));
});
