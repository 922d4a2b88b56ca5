//! Any bytes as a cpio archive.
#![no_main]

use boot_info::initrd::{Archive, Format};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut archive = Archive::new(data);
    let bytes: usize = archive
        .by_ref()
        .map(|entry| entry.name.len() + entry.data.len())
        .sum();
    assert!(bytes <= data.len());
    if archive.is_complete() {
        assert_eq!(Format::of(data), Format::Cpio);
    }
});
