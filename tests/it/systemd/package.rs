//! The packages that are installed: this build, and the same as its successor.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Both packages.
pub struct Packages {
    dir: TempDir,
}

/// The successor's version.
pub const NEXT: &str = "99.0.0";

impl Packages {
    /// Builds them from the binaries that the tests use.
    pub fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let packages = Self { dir };
        // <target>/debug/prefectd
        let target = Path::new(env!("CARGO_BIN_EXE_prefectd")).ancestors().nth(2);
        let mut command = Command::new("systemd/build-deb");
        command.arg("--dev").arg(packages.this());
        succeed(command.env("CARGO_TARGET_DIR", target.unwrap()));
        let script = format!(
            "dpkg-deb --raw-extract this.deb next
             sed -i 's/^Version: .*/Version: {NEXT}/' next/DEBIAN/control
             dpkg-deb -Znone --root-owner-group --build next next.deb"
        );
        let mut command = Command::new("sh");
        command.args(["-euc", &script]);
        succeed(command.current_dir(packages.dir.path()));
        packages
    }

    /// This version.
    pub fn this(&self) -> PathBuf {
        self.dir.path().join("this.deb")
    }

    /// The next one.
    pub fn next(&self) -> PathBuf {
        self.dir.path().join("next.deb")
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
}
