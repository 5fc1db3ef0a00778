//! A library between a program and the C library, by which a test moves the program's clock and
//! has its disk fail. Needs the compiler that Rust links with.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Reading from the files.
pub const READS: i64 = 1;
/// Writing to them.
pub const WRITES: i64 = 2;
/// Having what was written last.
pub const FLUSHES: i64 = 4;

/// Where each thing is in the file that the library maps.
const AHEAD: u64 = 0;
const FAILS: u64 = 8;
const FAILED: u64 = 16;

/// The library, and the file by which it is told what to do. What is told holds at once, for
/// every program that was started with [`Shim::env`].
pub struct Shim {
    dir: TempDir,
    told: File,
}

impl Shim {
    /// Builds it.
    pub fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/shim.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
        compiler.arg(dir.path().join("shim.so")).arg(source);
        assert!(compiler.status().unwrap().success());
        let told = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(dir.path().join("told"))
            .unwrap();
        told.write_all_at(&[0; 24], 0).unwrap();
        Self { dir, told }
    }

    /// What a program is to be started with. The files that may fail are the databases'.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        vec![
            ("LD_PRELOAD", path("shim.so")),
            ("TEST_SHIM", path("told")),
            ("TEST_SHIM_FILES", "prefectd.db".to_owned()),
        ]
    }

    /// Sets the clock so many seconds before the machine's, or behind it.
    pub fn set_ahead(&self, secs: i64) {
        self.tell(AHEAD, secs * 1_000_000);
    }

    /// Has these kinds of access fail from now on, and no other: [`READS`], [`WRITES`],
    /// [`FLUSHES`], or several of them.
    pub fn fail(&self, kinds: i64) {
        self.tell(FAILS, kinds);
    }

    /// How many have failed.
    pub fn failed(&self) -> i64 {
        let mut bytes = [0; 8];
        self.told.read_exact_at(&mut bytes, FAILED).unwrap();
        i64::from_ne_bytes(bytes)
    }

    fn tell(&self, place: u64, value: i64) {
        self.told.write_all_at(&value.to_ne_bytes(), place).unwrap();
    }
}
