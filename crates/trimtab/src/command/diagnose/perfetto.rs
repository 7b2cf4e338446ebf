//! A timeline as a file for Perfetto: written while its trace is at hand, and given its name when all went well.

use std::path::{Path, PathBuf};

use ::diagnose::pipeline::{self, Chosen, Timeline, Trace};
use ::diagnose::recognise::FileKind;
use connect::file::Output;

use crate::failure::{Failure, Outcome};
use crate::shown;

/// The file that was asked for.
pub(super) struct Perfetto {
    path: PathBuf,
    output: Output,
    chosen: Chosen,
    /// Whose timeline it holds, and how many steps of how many.
    written: Option<(String, usize, usize)>,
}

impl Perfetto {
    /// Begins it, so that a place where nothing can be written is told before the work.
    pub(super) fn create(path: &Path, chosen: Chosen) -> Outcome<Self> {
        if path.as_os_str() == "-" {
            return Err(Failure::input("--perfetto takes the name of a file: what is found goes to standard output"));
        }
        let output = Output::create(path).map_err(|error| Failure::writing(path.display(), &error))?;
        Ok(Self { path: path.to_owned(), output, chosen, written: None })
    }

    /// Writes the timeline of a trace.
    pub(super) fn write(&mut self, trace: &Trace, name: &str) -> Outcome {
        if let Some((first, ..)) = &self.written {
            return Err(Failure::input(format!(
                "--perfetto: {first} and {name} both have a timeline, and one file holds one; name one of them"
            )));
        }
        let of_file = |reason: String| Failure::input(format!("{name}: {reason}"));
        let timeline = Timeline::of(trace).map_err(of_file)?;
        let steps = pipeline::chosen(&timeline, self.chosen).map_err(of_file)?;
        pipeline::write_chrome(&timeline, &steps, &mut self.output)
            .map_err(|error| Failure::writing(self.path.display(), &error))?;
        self.written = Some((name.to_owned(), steps.len(), trace.steps.len()));
        Ok(())
    }

    /// Gives it its name; says what is in it.
    pub(super) fn finish(self) -> Outcome<String> {
        let Some((_, steps, all)) = self.written else { return Err(nothing()) };
        let path = self.path.display();
        self.output.finish().map_err(|error| Failure::writing(path, &error))?;
        let path = self.path.display();
        let which = match (steps, self.chosen) {
            _ if steps == all => shown::count(steps, "step"),
            (_, Chosen::Step(number)) => format!("step {number}"),
            (_, Chosen::Default) => {
                format!("one step that stands for {all}, which would be too many; --step takes another")
            }
        };
        Ok(format!("wrote {path} ({which}); https://ui.perfetto.dev opens it"))
    }
}

fn nothing() -> Failure {
    Failure::input(format!(
        "--perfetto: there is no what-if timeline in what was read; of the kinds that are read these have one: {}",
        FileKind::PipelineOperations.about()
    ))
}
