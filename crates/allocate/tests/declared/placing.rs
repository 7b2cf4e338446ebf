//! Where a gang lies, and where it may not.

use crate::cluster::check;

#[test]
fn of_unlike_nodes_the_fullest_that_does_is_taken() {
    check(
        "policy fifo
         node small 2
         node large 8
         0 submit j1 1
         1 submit j2 2
         2 submit j3 4",
        "0 j1 small:0
         1 j2 large:0-1
         2 j3 large:2-5",
    );
}

#[test]
fn a_packed_gang_lies_on_the_fewest_nodes() {
    check(
        "policy fifo
         node a 4
         node b 4
         node c 4
         0 submit j1 1
         0 submit j2 6x1
         0 submit j3 6x1 spread=any",
        "0 j1 a:0
         0 j2 b:0-3 a:1-2
         waits j3: TooLittleFree",
    );
}

#[test]
fn a_gang_starts_whole_or_not_at_all() {
    check(
        "policy fifo
         node a 4
         node b 4
         0 submit j1 3
         0 submit j2 2x3
         5 end j1",
        "0 j1 a:0-2
         5 j2 a:0-2 b:0-2",
    );
}

#[test]
fn one_task_a_node_is_never_two() {
    check(
        "policy fifo
         node a 4
         node b 4
         0 submit j1 2x1 spread=one
         0 submit j2 3x1 spread=one
         0 submit j3 3x1 spread=any",
        "0 j1 a:0 b:0
         0 j3 a:1-3
         waits j2: Pieces",
    );
}

#[test]
fn shares_fill_a_device_before_the_next_is_broken() {
    check(
        "policy fifo
         node a 2
         0 submit j1 0.3
         0 submit j2 0.3
         0 submit j3 0.5
         0 submit j4 0.4
         0 submit j5 1",
        "0 j1 a:0
         0 j2 a:0
         0 j3 a:1
         0 j4 a:0
         waits j5: TooLittleFree",
    );
}

#[test]
fn a_share_of_more_than_one_device_is_refused() {
    check(
        "policy fifo
         node a 4
         0 submit j1 1.5
         0 submit j2 0x1
         0 submit j3 2
         0 node big 65
         0 submit j4 0.999",
        "0 ignored: Malformed
         0 ignored: Malformed
         0 ignored: Malformed
         0 j3 a:0-1
         0 j4 a:2",
    );
}

#[test]
fn pools_and_models_say_where() {
    check(
        "policy fifo
         node a 4 pool=day model=h100
         node b 4 pool=night,day model=a100
         node c 4 pool=night
         0 submit j1 1 pool=night
         0 submit j2 1 model=h100
         0 submit j3 1 pool=day model=a100
         0 submit j4 4 model=a100
         0 submit j5 1 model=v100
         0 submit j6 4 pool=night",
        "0 j1 b:0
         0 j2 a:0
         0 j3 b:1
         waits j4: TooLittleFree
         waits j5: Impossible
         waits j6: KeptForOthers",
    );
}

#[test]
fn cores_and_memory_run_out_too() {
    check(
        "policy fifo
         node a 4 cpu=16 memory=64
         0 submit j1 1 cpu=8 memory=8
         0 submit j2 1 cpu=8 memory=8
         0 submit j3 1 cpu=1
         3 end j1
         3 submit j4 1 cpu=1 memory=60",
        "0 j1 a:0
         0 j2 a:1
         3 j3 a:0
         waits j4: TooLittleFree",
    );
}

#[test]
fn work_without_devices_goes_beside() {
    check(
        "policy fifo
         node a 2 cpu=8
         0 submit j1 2 cpu=2
         0 submit j2 3x0 cpu=2
         0 submit j3 0 cpu=1",
        "0 j1 a:0-1
         0 j2 a*3
         waits j3: TooLittleFree",
    );
}

#[test]
fn a_drained_node_finishes_and_takes_nothing() {
    check(
        "policy fifo
         node a 4
         node b 2
         0 submit j1 4
         1 drain a
         2 submit j2 2
         3 end j1
         4 submit j3 1
         5 return a",
        "0 j1 a:0-3
         2 j2 b:0-1
         5 j3 a:0",
    );
}

#[test]
fn what_ran_on_a_lost_node_waits_again_in_its_old_place() {
    check(
        "policy fifo
         node a 4
         node b 4
         0 submit j1 4
         0 submit j2 2x4
         9 submit j3 4
         9 lose a
         9 return a",
        "0 j1 a:0-3
         9 1 wait again
         9 j1 a:0-3
         waits j2: TooLittleFree
         waits j3: KeptForOthers",
    );
}

#[test]
fn news_of_an_earlier_run_changes_nothing() {
    check(
        "policy fifo
         node a 4
         0 submit j1 4
         1 evict j1
         1 submit j2 1
         2 fail j2
         2 end j3
         3 withdraw j1",
        "0 j1 a:0-3
         1 j1 a:0-3
         2 ignored: SettledAction
         2 ignored: UnknownWorkload
         3 ignored: NotWaiting
         waits j2: TooLittleFree",
    );
}
