//! For whom room is kept, and who may use it meanwhile.

use crate::cluster::check;

#[test]
fn backfill_lets_those_ahead_that_are_gone_in_time() {
    check(
        "policy backfill
         node a 8
         0 submit j1 6 limit=100
         1 submit j2 8 limit=100
         2 submit j3 2 limit=200
         3 submit j4 2 limit=97
         60 submit j5 1 limit=41",
        "0 j1 a:0-5
         3 j4 a:6-7
         waits j2: TooLittleFree
         waits j3: TooLittleFree
         waits j5: TooLittleFree
         keeps a for j2",
    );
}

#[test]
fn backfill_lets_those_ahead_that_leave_what_is_needed() {
    check(
        "policy backfill
         node a 8
         node b 8
         0 submit j1 4 limit=100
         0 submit j2 8
         1 submit j3 6
         2 submit j4 2 limit=900
         3 submit j5 1 limit=900",
        "0 j1 a:0-3
         0 j2 b:0-7
         2 j4 a:4-5
         waits j3: TooLittleFree
         waits j5: KeptForOthers
         keeps a for j3",
    );
}

/// Seed 16: of those who ask the same only the first was tried.
#[test]
fn backfill_tries_those_with_shorter_limits_too() {
    check(
        "policy backfill
         node a 8
         0 submit j1 4 limit=100
         1 submit j2 8 limit=100
         2 submit j3 2
         2 submit j4 2 limit=500
         2 submit j5 2 limit=90
         2 submit j6 2 limit=98
         2 submit j7 2 limit=10",
        "0 j1 a:0-3
         2 j5 a:4-5
         2 j6 a:6-7
         waits j2: TooLittleFree
         waits j3: TooLittleFree
         waits j4: TooLittleFree
         waits j7: TooLittleFree
         keeps a for j2",
    );
}

#[test]
fn backfill_at_intervals_looks_past_the_head_only_then() {
    check(
        "policy backfill interval=30
         node a 8
         0 submit j1 4 limit=100
         1 submit j2 8 limit=100
         2 submit j3 2 limit=10
         29
         30
         31 submit j4 2 limit=10
         59
         60",
        "0 j1 a:0-3
         30 j3 a:4-5
         60 j4 a:6-7
         waits j2: TooLittleFree
         keeps a for j2",
    );
}

/// Seed 74 and its like: x2 goes ahead of x1 and brings their user to the limit, so nobody is held back for x1 any more.
#[test]
fn room_is_not_kept_for_one_at_its_limit() {
    check(
        "policy backfill
         node a 8
         queue x limit_per_user=8
         0 submit j1 4 queue=y limit=100
         1 submit x1 8 queue=x user=ann
         2 submit j2 1 queue=y
         2 submit x2 2 queue=x user=ann limit=50",
        "0 j1 a:0-3
         2 x2 a:4-5
         2 j2 a:6
         waits x1: Limit(User)",
    );
}

/// Seed 60: seven tenths fit once on each device, whatever is left of eight together.
#[test]
fn room_for_shares_is_kept_on_nodes_that_can_take_them() {
    check(
        "policy trimtab
         node a 2
         node b 2
         node c 2
         0 submit j1 2
         0 submit j2 2
         0 submit j3 2
         1 submit j4 5x0.7 spread=any",
        "0 j1 a:0-1
         0 j2 b:0-1
         0 j3 c:0-1
         waits j4: TooLittleFree
         keeps a b c for j4",
    );
}

/// Seed 528: each arrival that asked the same had room kept once more for the first of them.
#[test]
fn room_is_kept_once_for_a_gang() {
    check(
        "policy trimtab
         node a 1
         node b 1
         0 submit j1 1
         0 submit j2 1
         1 submit j3 1
         2 submit j4 1",
        "0 j1 a:0
         0 j2 b:0
         waits j3: TooLittleFree
         waits j4: TooLittleFree
         keeps a for j3",
    );
}

#[test]
fn trimtab_keeps_room_for_two_within_quota_and_three_that_borrow() {
    check(
        "policy trimtab
         queue x quota=4
         node a 2
         node b 2
         node c 2
         node d 2
         node e 2
         node f 2
         node g 2
         0 submit j1 2x2 queue=x
         0 submit j2 5x2 queue=y
         1 submit y1 2 queue=y
         2 submit y2 2x1 queue=y
         3 submit y3 2x1 queue=y spread=any
         4 submit x1 2x2 queue=x
         5 submit x2 2x2 queue=x spread=any
         6 submit x3 2x1 queue=x
         7 submit x4 1x2 queue=x",
        "0 j2 a:0-1 b:0-1 c:0-1 d:0-1 e:0-1
         0 j1 f:0-1 g:0-1
         waits x1: TooLittleFree
         waits x2: TooLittleFree
         waits x3: TooLittleFree
         waits x4: TooLittleFree
         waits y1: TooLittleFree
         waits y2: TooLittleFree
         waits y3: TooLittleFree
         keeps f for y1
         keeps g for y2
         keeps a b for x1
         keeps c d for x2
         keeps e for x3",
    );
}

#[test]
fn trimtab_learns_who_is_short_and_lets_them_go_first() {
    check(
        "policy trimtab
         node a 2
         0 submit s1 2 name=short
         60 end s1
         60 submit s2 2 name=short
         120 end s2
         120 submit s3 2 name=short
         180 end s3
         180 submit l1 2 name=long
         18180 end l1
         18180 submit l2 2 name=long
         36180 end l2
         36180 submit r1 2 name=short
         36181 submit l3 2 name=long
         36182 submit s4 2 name=short
         36240 end r1
         36300 end s4",
        "0 s1 a:0-1
         60 s2 a:0-1
         120 s3 a:0-1
         180 l1 a:0-1
         18180 l2 a:0-1
         36180 r1 a:0-1
         36240 s4 a:0-1
         36300 l3 a:0-1",
    );
}
