//! Migrations and queries are read at compile time; a new file among them must rebuild.

fn main() {
    println!("cargo:rerun-if-changed=sql");
    println!("cargo:rerun-if-changed=build.rs");
}
