//! Which model and which ONNX Runtime a command uses.

use std::path::{Path, PathBuf};

use antiphon_engine::model::{Model, Runtime, RuntimeSearch};
use anyhow::Result;

/// The options every command with a model has.
#[derive(clap::Args)]
pub struct ModelArgs {
    /// Model to use instead of the one in this program: an ONNX file exported by models/training
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// ONNX Runtime's library, or the folder that holds it
    ///
    /// Without this option it is looked for in the variable ANTIPHON_ONNXRUNTIME, beside this program, and in the user's data folder.
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
}

impl ModelArgs {
    /// Loads ONNX Runtime.
    pub fn runtime(&self) -> Result<&'static Runtime> {
        Ok(Runtime::load(&RuntimeSearch { explicit: self.onnxruntime.clone(), folders: Vec::new() })?)
    }

    /// Loads a model other than the one chosen.
    pub fn open_other(&self, path: &Path) -> Result<Model> {
        Ok(Model::open(self.runtime()?, path)?)
    }

    /// Loads ONNX Runtime and the model.
    pub fn open(&self) -> Result<Model> {
        let runtime = self.runtime()?;
        Ok(match &self.model {
            Some(path) => Model::open(runtime, path)?,
            None => Model::shipped(runtime)?,
        })
    }
}
