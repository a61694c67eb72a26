//! A file of either kind: a model of tables, or a network.
//!
//! Who knows tables alone uses [`super::read`], which needs none of this.

use super::bytes::Writer;
use super::{CARD, NETWORK, Sections, header_of, ill_formed, joined, network, signature, unasked, weights};
use crate::{Error, Model, Network};
use alloc::boxed::Box;
use alloc::vec::Vec;

const NODES: u8 = 129;
const WEIGHTS: u8 = 130;
const NETWORK_TEST: u8 = 131;
const LARGE_WEIGHTS: u8 = 132;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// A model of tables.
    Model(Box<Model>),
    /// A network.
    Network(Box<Network>),
}

/// The bytes of a network. What is not stored is the names of inner values; equal networks give equal bytes, and a network
/// that was read gives the bytes that it was read from.
pub fn write_network(network: &Network) -> Vec<u8> {
    let (nodes, small, large) = network::write(network);
    let mut sections: Vec<(u8, Vec<u8>)> = alloc::vec![
        (NETWORK, network::write_signature(network.signature())),
        (NODES, nodes),
        (WEIGHTS, small),
        (CARD, signature::write_card(&network.card)),
    ];
    if let Some(test) = &network.self_test {
        sections.push((NETWORK_TEST, network::write_test(test)));
    }
    let before = header_of(&sections).len() + sections.iter().map(|(_, b)| b.len()).sum::<usize>();
    let large = weights::place(&large, |length| {
        let mut own = Writer::default();
        own.count(length);
        before + 1 + own.bytes().len()
    });
    sections.push((LARGE_WEIGHTS, large));
    joined(sections)
}

/// The network of these bytes.
///
/// # Errors
/// As [`super::read`]; `Graph` for a model of tables.
pub fn read_network(bytes: &[u8]) -> Result<Network, Error> {
    match read_any(bytes)? {
        Stored::Network(network) => Ok(*network),
        Stored::Model(_) => Err(unasked("a network", "a model of tables")),
    }
}

/// The model or the network of these bytes.
///
/// # Errors
/// As [`super::read`], but for a network.
pub fn read_any(bytes: &[u8]) -> Result<Stored, Error> {
    let sections = Sections::of(bytes)?;
    if sections.is_network() {
        return sections.network().map(|network| Stored::Network(Box::new(network)));
    }
    sections.model().map(|model| Stored::Model(Box::new(model)))
}

impl Sections<'_> {
    fn network(&self) -> Result<Network, Error> {
        self.all_known(&[NETWORK, NODES, WEIGHTS, NETWORK_TEST, LARGE_WEIGHTS])?;
        let signature = network::read_signature(&mut self.find(NETWORK, "signature"))?;
        let mut large = self.find(LARGE_WEIGHTS, "large constants");
        let constants = weights::read(&mut self.find(WEIGHTS, "constants"), &mut large)?;
        let graph = network::read(&mut self.find(NODES, "nodes"), constants)?;
        let card = signature::read_card(&mut self.find(CARD, "card"))?;
        let mut network = Network::try_new(graph, signature, card).map_err(|e| ill_formed(&e))?;
        if self.has(NETWORK_TEST) {
            network.self_test = Some(network::read_test(&mut self.find(NETWORK_TEST, "self-test"))?);
        }
        Ok(network)
    }
}
