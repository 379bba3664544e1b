#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strait_fuzz::import::import_nginx(input));
