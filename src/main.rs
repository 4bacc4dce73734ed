//! The program `rpa`.

use rpa::cli::{self, Console};
use std::process::ExitCode;

/// Runs make and drop many small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stack of the thread that does the work: deeply nested scripts recurse deeply, and must end in a
/// finding rather than in a crash. The memory is only taken as it is used.
const STACK: usize = 256 * 1024 * 1024;

fn main() -> ExitCode {
    let work = || cli::run(std::env::args_os(), &mut Console::of_process()).code();
    let worker = std::thread::Builder::new().name("main".to_string()).stack_size(STACK).spawn(work);
    match worker {
        // A panic has said what it is already; 101 is what it ends a Rust program with.
        Ok(worker) => ExitCode::from(worker.join().unwrap_or(101)),
        Err(_) => ExitCode::from(work()),
    }
}
