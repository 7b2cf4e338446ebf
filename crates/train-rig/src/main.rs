//! The process of a rank, or of a neighbour that wants the processor, both of which the rig starts; and a run to look at.

/// Runs what is asked for.
#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("rank"), None) => train_rig::rank::run(),
        (Some("hog"), Some(core)) => train_rig::hog::run(&core),
        (Some("run"), Some(folder)) => run(folder.as_ref()),
        _ => anyhow::bail!("`train-rig run <folder>` trains until it is ended; all else is started by the rig"),
    }
}

/// A healthy run, until somebody ends it. It tells its steps to whom `TRIMTAB_STEPS` names.
#[cfg(target_os = "linux")]
fn run(folder: &std::path::Path) -> anyhow::Result<()> {
    use train_rig::{Limit, Run, Shape, Start};
    let steps_socket = std::env::var_os("TRIMTAB_STEPS").map(std::path::PathBuf::from);
    let run = Run::start(&Start {
        program: &std::env::current_exe()?,
        job: "look",
        shape: &Shape::default(),
        seed: 0,
        limit: Limit::default(),
        steps_socket: steps_socket.as_deref(),
        folder,
    })?;
    while run.wait(std::time::Duration::from_secs(10)).iter().any(Option::is_none) {
        println!("{} steps", run.steps()?);
    }
    anyhow::bail!("every rank has ended; rank 0 said: {}", run.said(0))
}

/// Says that there is nothing to run.
#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the rig is for Linux: its faults are made by the kernel");
}
