#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| crossmem_fuzz::queue_records::run(input));
