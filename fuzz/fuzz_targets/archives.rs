//! Any bytes as an archive: opened, and every item read.

#![no_main]

use casebook::bundle::{Bundle, Limits, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        item: 1 << 20,
        unpacked: 1 << 24,
        memory: 1 << 22,
        members: 1000,
        ..Limits::default()
    };
    if let Ok(bundle) = Bundle::from_bytes("fuzz", data.to_vec(), &limits) {
        for path in bundle.files() {
            if let Ok(bytes) = bundle.read(path) {
                assert!(bytes.len() as u64 <= limits.item);
            }
        }
        let _ = verify(&bundle);
    }
});
