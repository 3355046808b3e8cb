//! What Antiphon's command-line programs share: how they start and end, the options that name a model and a policy, output files, and phrases.

pub mod console;
pub mod interrupt;
pub mod model;
pub mod output;
pub mod phrase;
pub mod policy;
