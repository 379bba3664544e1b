//! The registry of diagnostic codes. A code never changes its meaning; a retired code is not reused.

/// A kind of diagnostic.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `E` and four digits.
    pub id: &'static str,
    /// One line: what is wrong.
    pub title: &'static str,
    /// What `strait help CODE` prints: why it is refused and what to do, with an example.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal, $explanation:literal;)*) => {
        $(#[doc = $title] pub const $name: &Code = &Code { id: $id, title: $title, explanation: $explanation };)*
        /// Every code, ascending.
        pub const ALL: &[&Code] = &[$($name),*];
    };
}

/// The entry of a code such as `E0102`, in any case.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

codes! {
    // The text itself: files and YAML.
    FILE = "E0001", "a file cannot be read",
        "The file or folder does not exist, may not be read, is no UTF-8 text, or is larger than 16 MiB. A folder stands for the files in it that end in .yaml, .yml or .json; a glob of `include` that contains no `*` must match a file.";
    SYNTAX = "E0002", "this is not valid YAML",
        "The text breaks a rule of YAML 1.2 for which there is no message of its own. Look at the line and the one above it: a missing quote, bracket or colon is the usual cause.";
    TAB = "E0003", "tabs cannot indent YAML",
        "YAML forbids tabs in indentation, and tools disagree about tabs elsewhere, so tabs outside quotes and comments are refused. Use spaces. In a file that is one JSON object, tabs are fine.";
    INDENTATION = "E0004", "the indentation fits no open block",
        "Lines of one block begin in the same column. A line indented deeper than its neighbours, or by a width that no block above has, belongs nowhere:\n\n    upstreams:\n      app: [localhost:3001]\n       api: [localhost:3002]     # one space too many";
    COLON_SPACE = "E0005", "a space is missing after a colon or dash",
        "YAML needs a space (or line end) after the colon of a key, `address: 8080`, and after the dash of a list item, `- item`. Without it the whole text is one value.";
    BRACKET = "E0006", "a bracket or brace is never closed",
        "`[` begins a list and `{` a map on one line; each needs its `]` or `}`.";
    QUOTE = "E0007", "a quote is never closed",
        "Text that begins with a quote ends at the next one of the same kind. Inside '…' a quote is written '' ; inside \"…\" it is written \\\".";
    LEADING = "E0008", "text that begins with this character needs quotes",
        "YAML gives `*`, `&`, `!`, `@`, `%`, `` ` `` at the start of a text a meaning of its own. Host patterns such as \"*.example.com\" are therefore quoted.";
    DUPLICATE_KEY = "E0009", "a key is written twice",
        "YAML tools keep one of two equal keys and drop the other silently; here both places are shown. Keep one.";
    TAG = "E0010", "tags are not part of the language",
        "`!tag` chooses a type in YAML. Here the key decides the type of its value, so a tag can only mislead.";
    MERGE_KEY = "E0011", "merge keys are not part of the language",
        "`<<` was never in YAML 1.2 and tools disagree about it. Use `defaults`, or repeat an anchor's whole value with `*name`.";
    SECOND_DOCUMENT = "E0012", "a file holds one document",
        "What follows a second `---` would be ignored by some tools and merged by others. Put it in a file of its own and name both with -c, or use `include`.";
    ALIAS_LIMIT = "E0013", "aliases repeat too much",
        "Aliases of aliases can make a small file unfold into gigabytes. One file may add 100,000 nodes by aliases.";
    DEPTH = "E0014", "nested too deeply",
        "Maps and lists may be nested 64 levels deep; the language itself needs fewer than ten.";
    SCALAR_KEY = "E0015", "a key must be text",
        "YAML allows maps and lists as keys; no other tool does.";
    UNKNOWN_ALIAS = "E0016", "an alias names nothing",
        "`*name` repeats the value that was marked `&name` earlier in the same file. If the text really begins with `*`, quote it.";
    REFERENCE_QUOTES = "E0017", "`${…}` needs quotes inside brackets and braces",
        "Inside `[…]` and `{…}` YAML takes `{` for the start of a map. Write \"${env:NAME}\".";
    COLON_IN_VALUE = "E0018", "a value that contains `: ` needs quotes",
        "A colon followed by a space separates key and value, so a line can hold only one. Quote the value if the colon belongs to it.";
    KEY_WITHOUT_COLON = "E0019", "a colon is missing",
        "In a map every line is `key: value`. This line has no colon.";

    // Keys and forms.
    WRONG_FORM = "E0101", "a value has the wrong form",
        "A map was written where a text or list is expected, or the reverse.";
    UNKNOWN_KEY = "E0102", "unknown key",
        "Unknown keys are errors, so that a typing mistake cannot silently switch a setting off. Keys that begin with `x-` are free for your own use. Words of nginx, HAProxy, Envoy, Traefik, Caddy and Kong are answered with ours.";
    MISSING_KEY = "E0103", "a required key is missing",
        "This key has no sensible default and must be written.";
    UNKNOWN_WORD = "E0104", "not one of the words allowed here",
        "The value is chosen from a fixed list of words.";
    EMPTY_VALUE = "E0105", "a key has no value",
        "The key is written but nothing follows it. Remove it to get the default, or give it a value.";
    RANGE = "E0106", "a value is out of range",
        "The value is understood but smaller or larger than is allowed here.";
    CONFLICTING_KEYS = "E0107", "keys exclude each other",
        "A route does exactly one thing: it goes `to` a target, serves `files`, or answers with `redirect` or `respond`.";
    EMPTY_LIST = "E0108", "an empty list where something is needed",
        "An upstream without endpoints, or a list of targets without a target, cannot serve anything.";

    // Values.
    UNIT = "E0201", "a number needs a unit",
        "A bare number could mean seconds or milliseconds, bytes or kilobytes; nginx, HAProxy and Envoy each read it differently. Units of time: ms s m h d. Units of size: B KiB MiB GiB KB MB GB.";
    DURATION = "E0202", "not a duration", "A duration is a number and a unit: 500ms, 30s, 5m, 1h, 7d; also 1h30m.";
    SIZE = "E0203", "not a size", "A size is a number and a unit: 512B, 64KiB, 1MiB, 10MB.";
    RATE = "E0204", "not a rate", "A rate is a number per unit of time: 10/s, 600/m, 1000/h; a byte rate is a size per second: 256B/s.";
    PERCENT = "E0205", "not a percentage", "A percentage is a number and `%`: 5%, 0.5%.";
    ADDRESS = "E0206", "not an address to listen on",
        "A port on all addresses (`443`), an address and port (`127.0.0.1:80`, `[::1]:80`, `localhost:8080`), or a socket file (`unix:/run/app.sock`). Names other than localhost are not resolved for listening.";
    TARGET = "E0207", "not a target",
        "A target is the name of an upstream, `host:port`, `http://host`, or `unix:/path`.";
    CIDR = "E0208", "not a network", "A network is an address with a prefix length: 10.0.0.0/8, 2001:db8::/32; a single address stands for itself.";
    NUMBER = "E0209", "not a whole number", "Write digits only: 100.";
    BOOLEAN = "E0210", "not true or false", "Write `true` or `false`. `yes`, `on` and `1` mean different things to different YAML tools.";
    HEADER = "E0211", "not a valid header",
        "A header name consists of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 section 5.1); a value holds no control characters (section 5.5).";
    REDIRECT = "E0212", "not a redirect", "Redirect to a URL (`https://example.com`) or a path (`/new`), with status 301, 302, 303, 307 or 308.";
    STATUS = "E0213", "not a status code for an answer", "A final HTTP status code: 200 to 599.";
    PATH = "E0214", "not a path", "A file path that is not empty and holds no NUL.";
    NAME = "E0215", "not a usable name",
        "Names of listeners and upstreams consist of letters, digits, `-`, `_` and `.`, at most 128 characters: they appear in metrics, logs and addresses of the admin API.";
    WEIGHT = "E0216", "the weights cannot be used", "Weights are whole numbers from 0 to 1,000,000 of which at least one is above 0. They need not add up to 100.";
    VERSION = "E0217", "unknown version of the format", "The only version of the configuration format is 1.";

    URL_PATH = "E0230", "not a path of a URL", "A path begins with `/` and holds no query: `/api`. It is compared in its canonical form.";
    REGEX = "E0231", "not a usable regular expression",
        "Expressions are those of the Rust crate regex: linear in time, without look-around and back-references, and at most 1 MiB when compiled.";
    FILE_NAME = "E0232", "not the name of a file below the folder", "Names of `files` are looked up below its folder: `index.html`, `pages/404.html`. They neither begin with `/` nor hold `..`.";
    FILES_ROOT = "E0233", "the folder of `files` cannot be read", "The folder is looked up for every request, so that one that appears later is served. Until then there is nothing to serve.";
    EXPRESSION = "E0240", "not a usable expression",
        "Conditions and values of the request are written in CEL, regular expressions in the syntax of RE2. Names and types are checked when the file is loaded, and what one evaluation may cost; the page `expressions` of the manual lists them.";
    EXPRESSION_REFERENCE = "E0241", "`${…}` inside an expression",
        "What `${env:…}` or `${file:…}` brings in would become a part of the program. Values of the request are written without `${…}` there: `client.ip`.";
    ASSERTION = "E0242", "not an assertion",
        "An assertion is one of the sentences that the page `assertions` of the manual lists, such as `/admin/** requires auth`.";

    KEY = "E0250", "nothing to count by",
        "Limits count by `client.ip`, `route`, `request.host`, `request.path`, `request.method`, `request.headers['name']` or `request.cookies['name']`.";
    WEB_ORIGIN = "E0251", "not a web origin", "An origin is a scheme, a host and a port where it is not the usual one: `https://example.com`. `https://*.example.com` means every host below, `*` every origin.";
    LIST_FILE = "E0252", "a list cannot be used", "Lists are read when the configuration is: text of at most 64 MiB, one entry a line, `#` begins a comment.";

    // Names and the whole.
    UNKNOWN_UPSTREAM = "E0301", "no upstream of this name",
        "A target without a port is the name of an entry of `upstreams`. For a host, write the port: `app:80`.";
    UNUSED_UPSTREAM = "E0302", "an upstream is never used", "Nothing routes to it. This is a warning: files may define more than one of them uses.";
    DEFINED_TWICE = "E0303", "defined in two files",
        "Maps of several files are united; the same key in two of them is an error, so that one file can never shadow another silently.";
    NO_ROUTES = "E0304", "no routes", "Without routes every request is answered with 404. This is a warning.";
    SAME_ADDRESS = "E0305", "two listeners on one address", "An address can be bound once. Give one of the listeners another port, or put both sets of routes in one listener.";
    PATTERN = "E0306", "not a valid route pattern",
        "A pattern is [METHOD[,METHOD] ][host][/path]: `example.com/api/*`, `GET /users/{id}`.";
    PATTERN_TIE = "E0307", "two patterns match the same requests",
        "The most specific pattern wins, so order never matters; two patterns of equal rank that overlap would make it matter.";

    // TLS.
    CERTIFICATE = "E0310", "a certificate cannot be used",
        "A certificate is a PEM file: the certificate itself, behind it those that issued it. It must be readable by the user that Strait runs as.";
    CERTIFICATE_KEY = "E0311", "a key cannot be used",
        "The key belongs to the certificate it stands beside, is of the same kind (ECDSA, Ed25519 or RSA) and has no passphrase.";
    CERTIFICATE_DATE = "E0312", "a certificate has expired, or will soon",
        "Clients refuse a certificate outside of its dates. One that has expired is an error; one that expires within 14 days, or is not valid yet, is a warning.";
    NO_CERTIFICATE = "E0313", "no certificate covers a host",
        "A listener with TLS serves a host of `routes` for which it has no certificate, so that every client would refuse it. Name one in `certificates.files`. For hosts that no public authority issues for (localhost, *.internal, addresses) the local authority issues one without being asked; with `certificates: {local: all}` it does for any host, and clients must trust it (`strait ca`).";
    AUTHORITY = "E0314", "certificates of authorities cannot be used",
        "`ca` and `crl` are PEM files with certificates of authorities and their revocation lists.";
    LOCAL_AUTHORITY = "E0315", "the local authority cannot be used",
        "Strait keeps its own authority in a folder (`strait ca` names it) and makes it when it is first needed. The folder must be writable then, and readable afterwards.";
    RISKY_RETRY = "E0320", "retries that may do something twice",
        "With `non_idempotent: true` a request that may have reached an origin is sent again even if its method is not idempotent (RFC 9110 section 9.2.2). This is a warning.";
    IDLE_SETTING = "E0321", "a setting that does not do what it says",
        "It is accepted, but something else in the same upstream keeps it from working. This is a warning.";
    UNKNOWN_POLICY = "E0330", "no policy of this name", "`- use: NAME` stands for the filters of the entry NAME of `policies`.";
    POLICY_CYCLE = "E0331", "a policy uses itself", "Policies may use other policies, as long as none comes back to itself.";
    UNUSED_POLICY = "E0332", "a policy is never used", "No list of filters has `use` with its name. This is a warning.";

    // Load-time values.
    REFERENCE = "E0401", "not a usable `${…}`",
        "`${env:NAME}`, `${env:NAME:-default}`, `${file:/path}` and `${cred:name}` are replaced when the file is loaded. `$${` writes a plain `${`.";
    UNSET = "E0402", "an environment variable is not set", "`${env:NAME:-default}` gives a default for when the variable is not set.";
    SECRET = "E0403", "a secret cannot be read",
        "The file of `${file:…}` or `${cred:…}` does not exist, may not be read, is no UTF-8 text or is larger than 1 MiB. `${cred:…}` reads from the folder that systemd names in $CREDENTIALS_DIRECTORY.";
    SET = "E0404", "a `--set` that cannot be applied",
        "`--set path=value` sets one value over what the files say. The path has dots between keys, and quotes around a key that holds dots itself: `--set 'routes.\"shop.example.com\".to=web'`; without quotes the longest key that exists is meant. Items of a list have numbers from 0; the number behind the last adds one. Without a value (`path=`) what is there is removed. The value is YAML: `--set 'upstreams.app=[localhost:1, localhost:2]'`.";

    REQUEST_VALUE = "E0405", "a value of the request has no meaning here",
        "`${client.ip}` and its like are known when a request comes: in headers, answers, redirects and the keys of filters. Ports, names, timeouts and the like are needed when the file is loaded.";

    // What the language has and the product does not have yet.
    NOT_BUILT = "E0501", "not built yet",
        "The word is part of the language, but this version of Strait cannot do it yet. It is refused rather than ignored: a file that loads does everything it says.";
}
