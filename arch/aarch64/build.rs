//! Hands the linker the image's layout. Here and not in `RUSTFLAGS`, because a changed flag rebuilds `core`.

fn main() {
    println!("cargo:rerun-if-changed=kernel.ld");
    // From the top of the workspace, where cargo starts rustc and with it the linker: an absolute path would be kept
    // among the build's results, and be wrong after the tree has moved.
    println!("cargo:rustc-link-arg-bins=-Tarch/aarch64/kernel.ld");
    println!("cargo:rustc-link-arg-bins=--build-id=sha1");
    println!("cargo:rustc-link-arg-bins=-zmax-page-size=4096");
}
