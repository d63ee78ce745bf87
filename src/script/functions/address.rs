//! Network addresses.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use rhai::Dynamic;

use super::text::keep_place;
use super::{Context, Function};
use crate::script::problem::{Error, not_known};
use crate::script::values;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "ip",
        parameters: &["text"],
        about: "The IPv4 or IPv6 address that a text says, which compares as a number does. Unknown if it says none.",
        example: r#"ip("10.0.0.9") < ip("10.0.0.10")"#,
        mutates: false,
        call: ip,
    },
    Function {
        name: "cidr_contains",
        parameters: &["network", "address"],
        about: "Whether an address lies in a network such as `10.0.0.0/8`; a bare address is the network of itself. \
                Both are texts or addresses. Unknown if a text is neither.",
        example: r#"cidr_contains("10.0.0.0/8", "10.1.2.3") && !cidr_contains("fd00::/8", ip("10.1.2.3"))"#,
        mutates: false,
        call: cidr_contains,
    },
];

/// An IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ip(pub IpAddr);

impl fmt::Display for Ip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

fn address(function: &str, value: &Dynamic) -> Result<IpAddr, Error> {
    if let Some(ip) = value.read_lock::<Ip>() {
        return Ok(ip.0);
    }
    let text = values::text(function, value)?;
    text.trim()
        .parse()
        .map_err(|_| not_known(format!("`{text}` is not an IP address")))
}

fn network(value: &Dynamic) -> Result<IpNet, Error> {
    if let Some(ip) = value.read_lock::<Ip>() {
        return Ok(IpNet::from(ip.0));
    }
    let text = values::text("cidr_contains", value)?;
    let network = text
        .trim()
        .parse()
        .or_else(|_| text.trim().parse().map(|ip: IpAddr| IpNet::from(ip)));
    network.map_err(|_| not_known(format!("`{text}` is not a network")))
}

fn ip(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    address("ip", args[0]).map(|ip| keep_place(args[0], Dynamic::from(Ip(ip))))
}

fn cidr_contains(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let (network, address) = (network(args[0])?, address("cidr_contains", args[1])?);
    Ok(network.contains(&address).into())
}
