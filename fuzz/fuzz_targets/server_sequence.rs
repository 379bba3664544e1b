#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strait_fuzz::http1::server_sequence(input));
