#![no_main]
//! What Slurm's programs print: several inputs, a zero byte between them.

use connect::slurm::{Printed, QueuesAre, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for queues_are in [QueuesAre::Partitions, QueuesAre::Accounts, QueuesAre::Qos] {
        let inputs = bytes.split(|&byte| byte == 0).enumerate();
        let inputs = inputs.map(|(index, content)| Printed { name: format!("fuzz-{index}"), content: Box::new(content) });
        let _read = read(inputs.collect(), queues_are, &connect::import::Options::default(), &mut |_| Ok(()));
    }
});
