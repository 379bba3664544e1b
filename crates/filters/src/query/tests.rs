use super::Query;
use crate::testing::Case;

fn pairs(list: &[(&str, &str)]) -> Vec<(Box<str>, Box<str>)> {
    list.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect()
}

#[track_caller]
fn check(query: &Query, target: &str, expected: &str) {
    let mut case = Case::new(&format!("GET {target}"), "");
    case.run(query);
    assert_eq!(case.target(), expected);
}

#[test]
fn parameters_are_removed_kept_and_renamed_with_the_octets_of_the_others() {
    let remove = Query { remove: vec!["utm_source".into(), "a b".into()], ..Query::default() };
    check(&remove, "/?x=%2f&utm_source=1&y=a+b", "/?x=%2f&y=a+b");
    check(&remove, "/?utm%5Fsource=1&a+b=2&a%20b", "/");
    check(&remove, "/", "/");
    let keep = Query { keep: vec!["q".into()], ..Query::default() };
    check(&keep, "/?p=1&q=%zz&q=2&&", "/?q=%zz&q=2");
    let rename = Query { rename: pairs(&[("q", "suche ö")]), ..Query::default() };
    check(&rename, "/?q=1&Q=2&q", "/?suche%20%C3%B6=1&Q=2&suche%20%C3%B6");
}

#[test]
fn parameters_are_set_and_appended() {
    let set = Query { set: pairs(&[("lang", "en&x=1")]), append: pairs(&[("lang", "de")]), ..Query::default() };
    check(&set, "/?lang=fr&a=1&lang=it", "/?a=1&lang=en%26x%3D1&lang=de");
    check(&set, "/", "/?lang=en%26x%3D1&lang=de");
    check(&set, "*", "*");
}
