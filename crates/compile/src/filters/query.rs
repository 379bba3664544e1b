use super::World;
use strait_config::filter::Query as Spec;
use strait_config::{Span, Table};
use strait_filters::query::Query;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Query> {
    let names = |list: &[String]| list.iter().map(|name| name.as_str().into()).collect();
    Some(Query {
        remove: names(&spec.remove),
        keep: names(&spec.keep),
        rename: pairs(&spec.rename),
        set: pairs(&spec.set),
        append: pairs(&spec.append),
    })
}

fn pairs(table: &Table<String>) -> Vec<(Box<str>, Box<str>)> {
    table.iter().map(|(name, value)| (name.value.as_str().into(), value.as_str().into())).collect()
}
