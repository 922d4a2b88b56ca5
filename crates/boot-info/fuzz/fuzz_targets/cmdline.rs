//! Any bytes as a command line, and its values as every kind of value.
#![no_main]

use boot_info::{
    CommandLine,
    cmdline::{list, memparse, parse_args, parse_bool, parse_u64},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut line = CommandLine::EMPTY;
    line.set(data);
    assert_eq!(line.as_str().len(), line.as_bytes().len());
    for arg in line.params() {
        assert!(line.as_str().contains(arg.raw));
        let value = arg.value.unwrap_or(arg.name);
        let _ = (
            memparse(value),
            parse_u64(value),
            parse_bool(arg.value),
            list(value).count(),
        );
    }
    parse_args(line.as_str(), &[], &mut |_| ());
});
