use std::process::Command;

use super::Setup;

pub(super) fn configure(command: &mut Command, setup: &Setup) {
    command.arg("floor").arg(setup.listen.to_string()).arg(setup.origin.to_string());
}
