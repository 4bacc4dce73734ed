//! A world that holds everything back until it is decided about.

use super::effect::PlannedEffect;
use super::files::{Overlay, PlannedFiles};
use super::recorder::{Recorder, Refusal, Shared};
use crate::compile::code::Code;
use crate::flow::Worker;
use crate::world::{FileError, Files, MemoryFiles, StoreError, World};

/// What is held back.
#[derive(Debug, Clone)]
pub struct Held {
    recorder: Shared,
    overlay: Overlay,
}

impl Held {
    /// From here on the world holds back what is done to it, and refuses what is not expected (where something is).
    ///
    /// # Errors
    /// When the store can't.
    pub fn begin(world: &mut World, code: &Code, expected: Option<&[PlannedEffect]>) -> Result<Held, StoreError> {
        let recorder = Recorder::of(code);
        let recorder = match expected {
            Some(planned) => recorder.expecting(planned),
            None => recorder,
        };
        let (recorder, overlay) = (recorder.shared(), Overlay::default());
        world.store.hold()?;
        let inner = std::mem::replace(&mut world.files, Box::new(MemoryFiles::default()));
        world.files = Box::new(PlannedFiles::new(inner, overlay.clone(), recorder.clone()));
        Ok(Held { recorder, overlay })
    }

    /// Who hears of the effects.
    pub fn recorder(&self) -> Shared {
        self.recorder.clone()
    }

    /// What was refused, if anything was.
    pub fn refused(&self) -> Option<Refusal> {
        self.recorder.refused()
    }

    /// Takes everything back; gives what it was.
    ///
    /// # Errors
    /// When the store fails.
    pub fn take_back(&self, worker: &mut dyn Worker) -> Result<Vec<PlannedEffect>, StoreError> {
        worker.world().store.let_go(false)?;
        Ok(self.recorder.take_effects())
    }

    /// Puts everything on disk, the files first: a record may name a file, a file no record.
    ///
    /// # Errors
    /// When a file can't be written or the store fails; the records are then taken back.
    pub fn keep(&self, worker: &mut dyn Worker, files: &mut dyn Files) -> Result<(), StoreError> {
        let store = &mut worker.world().store;
        if let Err(error) = self.overlay.write_to(files) {
            store.let_go(false)?;
            return Err(unwritten(&error));
        }
        store.let_go(true)
    }
}

fn unwritten(error: &FileError) -> StoreError {
    StoreError::Failed {
        code: "store::disk",
        message: error.to_string(),
        help: "see to the disk, then run it again: no record was changed".to_string(),
    }
}
