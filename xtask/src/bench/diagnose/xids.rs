//! Bar 6: lines of kernel logs about NVIDIA GPUs, each with what it says by NVIDIA's catalogue; three lines are none, but text of
//! programs that write or look for such lines.

use anyhow::Context;
use diagnose::xid::{Action, event};

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 6;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(path) = session.data(BAR, "xid/kmsg_lines.txt") else { return Ok(()) };
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut right, mut bait) = (0, 0);
    for (line, number) in text.lines().zip(1..) {
        let told = event(line);
        let Some(&(_, gpu, code, action, then)) = LABELS.iter().find(|label| label.0 == number) else {
            bait += u32::from(told.is_some());
            continue;
        };
        let is_right = told.as_ref().is_some_and(|event| {
            (event.gpu.as_str(), event.code) == (gpu, code)
                && (event.action.map(Action::name), event.then.map(Action::name)) == (action, then)
        });
        if !is_right {
            eprintln!("line {number}: {told:?}");
        }
        right += u32::from(is_right);
    }
    let case = format!("of {} lines: GPU, code and action told", LABELS.len());
    session.add(Row::new(BAR, case, f64::from(right), Target::AtLeast(LABELS.len() as f64), ""));
    session.add(Row::new(BAR, "lines that are none, told", f64::from(bait), Target::AtMost(0.0), ""));
    Ok(())
}

/// The line, the GPU, the code, the catalogue's immediate action, and what that comes to where it is a matter of what the line says.
type Label = (u32, &'static str, Option<u32>, Option<&'static str>, Option<&'static str>);

/// Written by reading each line beside the catalogue, not by the program.
#[rustfmt::skip]
const LABELS: &[Label] = &[
    (1, "0000:18:00", None, Some("RESTART_BM"), None),
    (2, "0000:29:00", None, Some("RESTART_BM"), None),
    (3, "0000:91:00", None, Some("RESTART_BM"), None),
    (4, "0000:91:00", None, None, None),
    (5, "0000:18:00", None, Some("RESTART_BM"), None),
    (6, "0000:01:00", Some(144), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (7, "0000:01:00", Some(31), Some("RESTART_APP"), None),
    (8, "0000:01:00", Some(31), Some("RESTART_APP"), None),
    (9, "0000:01:00", Some(63), Some("IGNORE"), None),
    (10, "0000:02:00", Some(64), Some("RESET_GPU"), None),
    (11, "0000:03:00", Some(31), Some("RESTART_APP"), None),
    (12, "0000:03:00", Some(79), Some("RESTART_BM"), None),
    (13, "0000:04:00", Some(144), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (14, "0000:04:00", Some(144), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (15, "0000:04:00", Some(144), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (16, "0000:04:00", Some(144), Some("WORKFLOW_NVLINK5_ERR"), None),
    (18, "0000:04:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (19, "0000:04:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (20, "0000:04:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (21, "0000:04:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (22, "0000:04:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (23, "0000:04:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (24, "0000:04:00", Some(146), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (25, "0000:04:00", Some(146), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (26, "0000:04:00", Some(146), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (27, "0000:04:00", Some(146), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (28, "0000:04:00", Some(146), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (29, "0000:04:00", Some(146), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (30, "0000:04:00", Some(148), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (31, "0000:04:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (32, "0000:04:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (33, "0000:04:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (34, "0000:04:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (35, "0000:04:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (36, "0000:04:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (37, "0000:04:00", Some(64), Some("RESET_GPU"), None),
    (38, "0000:04:00", Some(64), Some("RESET_GPU"), None),
    (39, "0000:04:00", Some(69), Some("RESTART_APP"), None),
    (40, "0000:04:00", Some(69), Some("RESTART_APP"), None),
    (41, "0000:05:00", Some(94), Some("RESTART_APP"), None),
    (42, "0000:05:00", Some(99999), None, None),
    (43, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (44, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (45, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (46, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (47, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (48, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (49, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (50, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (51, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (52, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (53, "0000:38:00", Some(13), Some("RESTART_APP"), None),
    (54, "0000:91:00", Some(79), Some("RESTART_BM"), None),
    (55, "0000:9b:00", Some(119), Some("RESET_GPU"), None),
    (56, "0000:9b:00", Some(119), Some("RESET_GPU"), None),
    (57, "0000:9b:00", Some(119), Some("RESET_GPU"), None),
    (58, "0008:01:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("XID_154_EVAL")),
    (59, "0008:01:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("XID_154_EVAL")),
    (60, "0008:01:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("XID_154_EVAL")),
    (61, "0008:01:00", Some(154), Some("XID_154"), Some("RESET_GPU")),
    (62, "0009:01:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (63, "0018:01:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
    (64, "0018:01:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("XID_154_EVAL")),
    (65, "0018:01:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (66, "0018:01:00", Some(149), Some("WORKFLOW_NVLINK5_ERR"), Some("RESET_GPU")),
    (67, "0019:01:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("XID_154_EVAL")),
    (68, "0019:01:00", Some(145), Some("WORKFLOW_NVLINK5_ERR"), Some("IGNORE")),
];
