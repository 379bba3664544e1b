use super::SecurityHeaders;
use crate::FieldName;
use crate::testing::{Case, shown};

#[test]
fn fields_are_set_where_the_origin_has_none_and_hsts_over_tls_only() {
    let fields = vec![(FieldName::new("X-Frame-Options"), "DENY".into()), (FieldName::new("X-A"), "b".into())];
    let filter = SecurityHeaders { fields, hsts: "max-age=60".into() };
    let mut case = Case::new("GET /", "");
    assert_eq!(
        shown(&case.respond(&filter, 200, "x-frame-options: SAMEORIGIN").headers),
        "x-frame-options: SAMEORIGIN\nX-A: b\n"
    );
    case.scheme = "https";
    assert_eq!(
        shown(&case.respond(&filter, 200, "").headers),
        "X-Frame-Options: DENY\nX-A: b\nStrict-Transport-Security: max-age=60\n"
    );
}
