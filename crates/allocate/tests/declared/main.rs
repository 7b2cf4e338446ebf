//! Small clusters, written down, and who must start where: the rules of placement, quota and policy, each at its plainest. The
//! language is told in `cluster`.

mod cluster;
mod keeping;
mod order;
mod placing;
