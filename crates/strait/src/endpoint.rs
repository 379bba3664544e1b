//! `strait endpoint`: drains, undrains and weighs endpoints of a running Strait.

use crate::exit::Exit;
use crate::live::{self, escaped};
use crate::operator::print;
use crate::source::Output;
use crate::status::{self, Admin};
use clap::{Args, Subcommand};
use serde_json::Value;

/// Drain an endpoint, take it back, or change its weight, without a reload
#[derive(Debug, Args)]
pub(crate) struct Endpoint {
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Send no new clients; those that stick to it, and requests under way, still finish
    Drain(Which),
    /// Send clients again
    Undrain(Which),
    /// Give it this weight in place of the configuration's
    Weight {
        #[command(flatten)]
        which: Which,
        /// The weight, or `config` for the configuration's
        weight: String,
    },
    /// Show it
    Show(Which),
}

#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    admin: Admin,
    /// The upstream's name, as `strait status` shows it
    upstream: String,
    /// The endpoint's name, as `strait status` shows it
    endpoint: String,
}

impl Endpoint {
    pub(crate) fn run(self, output: Output) -> Exit {
        match self.order {
            Order::Drain(which) => which.ask(Some("drain=true"), output),
            Order::Undrain(which) => which.ask(Some("drain=false"), output),
            Order::Show(which) => which.ask(None, output),
            Order::Weight { which, weight } => {
                let weight = if weight == "config" { "null" } else { weight.as_str() };
                which.ask(Some(&format!("weight={}", escaped(weight))), output)
            }
        }
    }
}

impl Which {
    fn ask(self, order: Option<&str>, output: Output) -> Exit {
        let address = match self.admin.address() {
            Ok(address) => address,
            Err(exit) => return exit,
        };
        let path = format!("/upstreams/{}/endpoints/{}", escaped(&self.upstream), escaped(&self.endpoint));
        let answer = match order {
            Some(order) => live::order(&address, &format!("{path}?{order}")),
            None => live::ask(&address, &path),
        };
        match answer {
            Ok(body) => {
                let report: Value = serde_json::from_str(&body).unwrap_or_default();
                print(&if output == Output::Json { format!("{report:#}\n") } else { status::endpoint(&report) });
                Exit::Done
            }
            Err(exit) => exit,
        }
    }
}
