//! THE list of filters. A line here is a filter; what is missing for it elsewhere does not compile.

use crate::flow::{Answer, Behaviour, Flow};
use crate::{Request, Response};

/// Hands every filter to the macro `$with`, one `Variant module;` a filter, in the order of the manual.
///
/// Whoever needs something of each filter (the language its spec types, the compiler their meaning) calls this with a
/// macro of its own, so that nothing can be forgotten.
#[macro_export]
macro_rules! for_each_filter {
    ($with:ident) => {
        $with! {
            StripPrefix strip_prefix;
            AddPrefix add_prefix;
            Rewrite rewrite;
            Query query;
            SetHeaders set_headers;
            RemoveHeaders remove_headers;
            Cookies cookies;
            IpAllow ip_allow;
            IpDeny ip_deny;
            FilterRedirect redirect;
            ErrorPages error_pages;
            Cors cors;
            SecurityHeaders security_headers;
            Csrf csrf;
            Referer referer;
            BodyLimit body_limit;
            RequestId request_id;
            RateLimit rate_limit;
            ConcurrencyLimit concurrency_limit;
            Compress compress;
            Fault fault;
        }
    };
}

macro_rules! filters {
    ($($variant:ident $module:ident;)*) => {
        /// A compiled filter. Each variant is documented in its module.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "each is documented in its module")]
        pub enum Filter {
            $($variant(crate::$module::$variant),)*
        }

        /// Which filter this is: an index for counters and labels.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is named after its filter")]
        pub enum Kind {
            $($variant,)*
        }

        /// Every kind, in the order of the list.
        pub const KINDS: &[Kind] = &[$(Kind::$variant,)*];

        impl Kind {
            /// Its name in the language, in labels and in logs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($module),)*
                }
            }
        }

        impl Filter {
            /// Which filter this is.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$variant(_) => Kind::$variant,)*
                }
            }
        }

        impl Behaviour for Filter {
            #[inline]
            fn request(&self, request: &mut Request<'_>) -> Flow {
                match self {
                    $(Self::$variant(filter) => filter.request(request),)*
                }
            }

            fn answered(&self, answer: Answer, request: &mut Request<'_>) -> Flow {
                match self {
                    $(Self::$variant(filter) => filter.answered(answer, request),)*
                }
            }

            #[inline]
            fn response(&self, response: &mut Response<'_>) {
                match self {
                    $(Self::$variant(filter) => filter.response(response),)*
                }
            }

            fn describe(&self) -> String {
                match self {
                    $(Self::$variant(filter) => filter.describe(),)*
                }
            }
        }
    };
}

for_each_filter!(filters);
