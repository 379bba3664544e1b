use crate::exit::Exit;
use crate::source::Output;
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {}
impl Demo { pub(crate) fn run(self, _: Output) -> Exit { Exit::Failed } }
