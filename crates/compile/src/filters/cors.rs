use super::World;
use strait_config::Span;
use strait_config::filter::Cors as Spec;
use strait_config::value::HeaderName;
use strait_filters::cors::Cors;
use strait_filters::origins::Origins;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Cors> {
    let names = |list: &[HeaderName]| list.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ").into();
    Some(Cors {
        origins: Origins::new(spec.origins.iter().map(|origin| origin.as_str())),
        methods: spec.methods.join(", ").into(),
        headers: spec.headers.as_deref().map(names),
        expose: names(&spec.expose),
        credentials: spec.credentials,
        max_age_s: std::time::Duration::from(spec.max_age).as_secs(),
        private_network: spec.private_network,
    })
}
