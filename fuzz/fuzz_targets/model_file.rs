//! Any bytes as a model file. The digest at its end is made right, or nothing behind it would be reached.
#![no_main]

use ir::digest::Digest;
use libfuzzer_sys::fuzz_target;
use smidgen_fuzz::guarded;

fuzz_target!(|bytes: &[u8]| {
    guarded(|| {
        let mut file = bytes.to_vec();
        if let Some((body, stored)) = file.split_last_chunk_mut::<8>() {
            let mut digest = Digest::new();
            digest.bytes(body);
            *stored = digest.finish().to_le_bytes();
        }
        let Ok(model) = ir::file::read(&file) else { return };
        let written = ir::file::write(&model);
        let again = ir::file::read(&written).expect("what was written can be read");
        assert!(ir::file::write(&again) == written, "a model changes when it is written and read");
        assert!(again.graph() == model.graph() && again.signature() == model.signature());
        // An error says that the model asks for more than this version does; a panic is a defect.
        let first = runtime::verify(&model).ok();
        assert!(first == runtime::verify(&again).ok());
    });
});
