//! Who comes before whom: quota and borrowing, limits, priorities.

use crate::cluster::check;

#[test]
fn whoever_stays_within_quota_comes_before_whoever_borrows() {
    check(
        "policy fifo
         node a 8
         queue x quota=4
         queue y quota=4
         0 submit x1 4 queue=x
         0 submit x2 4 queue=x
         0 submit y1 4 queue=y",
        "0 x1 a:0-3
         0 y1 a:4-7
         waits x2: TooLittleFree",
    );
}

#[test]
fn what_nobody_else_wants_may_be_borrowed() {
    check(
        "policy trimtab
         node a 8
         queue x quota=2
         queue y quota=6
         0 submit x1 2 queue=x
         0 submit x2 4 queue=x
         5 submit y1 4 queue=y
         9 end x1",
        "0 x1 a:0-1
         0 x2 a:2-5
         9 y1 a:0,1,6,7",
    );
}

#[test]
fn a_queue_under_its_quota_is_not_held_back_by_room_kept_for_borrowers() {
    for policy in ["backfill", "trimtab"] {
        check(
            &format!(
                "policy {policy}
                 node a 8
                 queue x quota=4
                 queue y quota=4
                 0 submit x1 4 queue=x
                 1 submit x2 8 queue=x
                 2 submit y1 4 queue=y"
            ),
            "0 x1 a:0-3
             2 y1 a:4-7
             waits x2: TooLittleFree
             keeps a for x2",
        );
    }
}

#[test]
fn limits_hold_back_without_holding_up() {
    check(
        "policy fifo
         node a 8
         queue x limit=4 limit_per_user=3
         queue y limit_running=1
         queue z limit_running_per_user=1
         0 submit x1 3 queue=x user=ann
         0 submit x2 1 queue=x user=ann
         0 submit x3 2 queue=x user=bob
         0 submit x4 1 queue=x user=bob
         0 submit y1 1 queue=y
         0 submit y2 1 queue=y
         0 submit z1 1 queue=z user=ann
         0 submit z2 1 queue=z user=ann
         0 submit z3 1 queue=z user=bob",
        "0 x1 a:0-2
         0 x4 a:3
         0 y1 a:4
         0 z1 a:5
         0 z3 a:6
         waits x2: Limit(Queue)
         waits x3: Limit(Queue)
         waits y2: Limit(QueueRunning)
         waits z2: Limit(UserRunning)",
    );
}

#[test]
fn priorities_of_queues_come_before_those_of_workloads() {
    check(
        "policy fifo
         node a 2
         queue x priority=1
         0 submit j1 1
         0 submit j2 1 priority=5
         0 submit j3 1 queue=x
         1 end j3",
        "0 j3 a:0
         0 j2 a:1
         1 j1 a:0",
    );
}

#[test]
fn first_in_first_out_holds_up_only_who_could_use_the_same_nodes() {
    check(
        "policy fifo
         node a 4 pool=day
         node b 4 pool=night
         0 submit j1 2 pool=day
         1 submit j2 4 pool=day
         2 submit j3 1 pool=day
         2 submit j4 1 pool=night",
        "0 j1 a:0-1
         2 j4 b:0
         waits j2: TooLittleFree
         waits j3: KeptForOthers",
    );
}

#[test]
fn nobody_is_held_up_by_one_that_could_never_start() {
    check(
        "policy fifo
         node a 4
         node b 4
         0 drain b
         0 submit j1 2x4
         0 submit j2 1
         0 submit j3 16",
        "0 j2 a:0
         waits j1: TooLittleFree
         waits j3: Impossible",
    );
}

/// Seed 120: they shared only nodes that were drained.
#[test]
fn nobody_is_held_up_over_nodes_that_are_down() {
    check(
        "policy fifo
         node a 4 pool=p
         node b 4 pool=q
         node c 8 pool=p,q
         0 drain c
         0 submit j1 2 pool=p
         1 submit j2 4 pool=p
         2 submit j3 1 pool=q",
        "0 j1 a:0-1
         2 j3 b:0
         waits j2: TooLittleFree",
    );
}

/// Seed 280: x2 held up z1 before x3 brought its queue to its quota; after that it comes behind z1.
#[test]
fn whoever_passes_its_quota_does_not_hold_up_those_who_do_not() {
    check(
        "policy fifo
         node a 4 pool=p
         node b 8 pool=q
         queue x quota=12
         queue z quota=8
         0 submit x1 1 queue=x pool=p
         1 submit x2 4 queue=x pool=p
         1 submit x3 8 queue=x pool=q
         1 submit z1 1 queue=z pool=p",
        "0 x1 a:0
         1 x3 b:0-7
         1 z1 a:1
         waits x2: TooLittleFree",
    );
}

#[test]
fn under_trimtab_more_nodes_go_earlier_and_what_is_left_over_is_shared() {
    check(
        "policy trimtab
         node a 4
         node b 4
         node c 4
         queue x quota=0
         queue y quota=0
         0 submit x1 4 queue=x
         1 submit x2 4 queue=x
         1 submit x3 4 queue=x
         1 submit y1 4 queue=y
         1 submit y2 2x4 queue=y
         2 end x1",
        "0 x1 a:0-3
         1 y2 b:0-3 c:0-3
         2 x2 a:0-3
         waits x3: TooLittleFree
         waits y1: TooLittleFree
         keeps b for x3
         keeps c for y1",
    );
}
