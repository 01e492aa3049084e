//! Cargo notices a new descriptor or Containerfile: they are compiled in.

fn main() {
    println!("cargo:rerun-if-changed=resources/providers");
    println!("cargo:rerun-if-changed=images");
}
