use crate::decode::Decoder;
use crate::syntax::Node;
use crate::value::{Duration, HeaderName, Percent, Status};
use strait_config_derive::Spec;

/// Makes some requests late or fail on purpose, to see how others bear it.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`fault`", check = does_something, peers(percentage = "percent", http_status = "abort", fixed_delay = "delay", error = "abort", status = "abort"))]
pub struct Fault {
    /// How long requests are delayed.
    #[spec(max = Duration::secs(3600), example = "2s")]
    pub delay: Option<Duration>,
    /// The status requests are refused with.
    pub abort: Option<Status>,
    /// How many requests each of the two befalls.
    #[spec(default = Percent::whole(100), max = Percent::whole(100))]
    pub percent: Percent,
    /// Only requests with this header are meant.
    #[spec(example = "X-Fault")]
    pub header: Option<HeaderName>,
    /// Only requests in which `header` has this value.
    pub value: Option<String>,
}

fn does_something(fault: &Fault, node: &Node, decoder: &mut Decoder) {
    if fault.delay.is_none() && fault.abort.is_none() {
        let message = "`fault` needs `delay` or `abort`";
        decoder.missing_key(node, "abort", "503", message);
    }
}
