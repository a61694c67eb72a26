//! Any bytes as a file of a model or a network. The digest at its end is made right, or nothing behind it would be reached.
#![no_main]

use ir::Network;
use ir::digest::Digest;
use ir::file::Stored;
use libfuzzer_sys::fuzz_target;
use runtime::tensors::Limits;
use smidgen_fuzz::guarded;

fuzz_target!(|bytes: &[u8]| {
    guarded(|| {
        let mut file = bytes.to_vec();
        if let Some((body, stored)) = file.split_last_chunk_mut::<8>() {
            let mut digest = Digest::new();
            digest.bytes(body);
            *stored = digest.finish().to_le_bytes();
        }
        let model = match ir::file::read_any(&file) {
            Ok(Stored::Model(model)) => *model,
            Ok(Stored::Network(network)) => return check_network(&network),
            Err(_) => return,
        };
        let written = ir::file::write(&model);
        let again = ir::file::read(&written).expect("what was written can be read");
        assert!(ir::file::write(&again) == written, "a model changes when it is written and read");
        assert!(again.graph() == model.graph() && again.signature() == model.signature());
        // An error says that the model asks for more than this version does; a panic is a defect.
        let first = runtime::verify(&model).ok();
        assert!(first == runtime::verify(&again).ok());
    });
});

/// A network that was read is written and read again as it is. It is run where it is small: how long a network computes
/// is not limited, its memory and its loops are.
fn check_network(network: &Network) {
    let written = ir::file::write_network(network);
    let again = ir::file::read_network(&written).expect("what was written can be read");
    assert!(ir::file::write_network(&again) == written, "a network changes when it is written and read");
    assert!(again.signature() == network.signature());
    if network.graph().nodes().len() <= 4 {
        let limits = Limits { bytes: 1 << 16, steps: 100 };
        let first = runtime::verify_network(network, limits).ok();
        assert!(first == runtime::verify_network(&again, limits).ok());
    }
}
