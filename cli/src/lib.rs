//! Shared parts of Antiphon's command-line programs: start and exit, the options for model and policy, output files, and phrases; what benchmarks measure on.

pub mod console;
pub mod interrupt;
pub mod machine;
pub mod model;
pub mod output;
pub mod phrase;
pub mod policy;
pub mod synthetic;
