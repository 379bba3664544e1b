//! Static files over the real process: names, ranges, conditions, codings, listings, links, and what must not be served.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use support::Strait;

/// A folder of files, gone with the test.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("strait-files-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let site = Self(folder);
        site.put("index.html", b"<p>home");
        site.put("a.txt", b"0123456789");
        site.put("app.js", b"let x = 1");
        site.put("app.js.br", b"brotli");
        site.put("app.js.gz", b"gzipped");
        site.put("about.html", b"<p>about");
        site.put("docs/index.html", b"<p>docs");
        site.put("empty/x y&.txt", b"");
        site.put(".env", b"secret");
        site.put(".well-known/security.txt", b"Contact: mailto:a@b.example");
        site.put("large.bin", &(0..1_000_003_u32).map(|at| (at % 251) as u8).collect::<Vec<_>>());
        site
    }

    fn put(&self, name: &str, octets: &[u8]) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, octets).unwrap();
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn serving(site: &Site, routes: &str) -> Strait {
    let routes = routes.replace("SITE", site.path().to_str().unwrap());
    Strait::run(&format!("listeners: {{web: \"127.0.0.1:0\"}}\nadmin: \"off\"\nworkers: 1\nroutes:\n{routes}"))
}

fn ask(address: SocketAddr, method: &str, path: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{fields}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status, and the body.
fn get(address: SocketAddr, path: &str, fields: &str) -> (String, String) {
    let answer = ask(address, "GET", path, fields);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    (head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned())
}

fn field(answer: &str, name: &str) -> String {
    let lines = answer.split("\r\n\r\n").next().unwrap().lines();
    let value = lines.filter_map(|line| line.split_once(": ")).find(|(other, _)| other.eq_ignore_ascii_case(name));
    value.map_or_else(String::new, |(_, value)| value.to_owned())
}

#[test]
fn names_are_looked_up_below_the_folder() {
    let site = Site::new("names");
    let strait = serving(
        &site,
        "  /s/*: {files: SITE}\n  /try/*: {files: {root: SITE, extensions: .html}}\n  /spa/*: {files: {root: SITE, fallback: index.html}}\n  /one: {files: SITE/a.txt}\n  /cut/*: {files: SITE, filters: [strip_prefix: /cut]}\n",
    );
    let address = strait.ready();
    for (path, status, body) in [
        ("/s/a.txt", "200", "0123456789"),
        ("/s/", "200", "<p>home"),
        ("/s", "200", "<p>home"),
        ("/s/docs/", "200", "<p>docs"),
        ("/s/docs/index.html", "200", "<p>docs"),
        ("/s/empty/x%20y&.txt", "200", ""),
        ("/s/.well-known/security.txt", "200", "Contact: mailto:a@b.example"),
        ("/try/about", "200", "<p>about"),
        ("/spa/some/where", "200", "<p>home"),
        ("/one", "200", "0123456789"),
        ("/cut/docs/index.html", "200", "<p>docs"),
    ] {
        assert_eq!(get(address, path, ""), (status.to_owned(), body.to_owned()), "{path}");
    }
    for path in [
        "/s/none",
        "/s/.env",
        "/s/%2eenv",
        "/s/a.txt/",
        "/s/a.txt/b",
        "/s/empty/",
        "/s/a%2Ftxt",
        "/try/none",
        "/s/..%2f..%2fetc/passwd",
        "/s/%252e%252e/x",
    ] {
        // What is no canonical path is refused before it comes to files.
        assert!(matches!(&*get(address, path, "").0, "404" | "400"), "{path}");
    }
    assert_eq!(get(address, "/s/%00", "").0, "400");
    let folder = ask(address, "GET", "/s/docs?x=1", "");
    assert!(folder.starts_with("HTTP/1.1 308 ") && field(&folder, "Location") == "/s/docs/?x=1", "{folder}");
    let post = ask(address, "POST", "/s/a.txt", "Content-Length: 0\r\n");
    assert!(post.starts_with("HTTP/1.1 405 ") && field(&post, "Allow") == "GET, HEAD", "{post}");
    let missing = ask(address, "GET", "/s/none", "");
    assert!(missing.contains("\"code\":\"file.missing\"") && missing.contains("no such file"), "{missing}");
}

#[test]
fn a_folder_is_served_without_a_file() {
    let site = Site::new("serve");
    let strait =
        Strait::start("", &["serve", "--listen", "127.0.0.1:0", "--set", "admin=off", site.path().to_str().unwrap()]);
    let address = strait.ready();
    assert_eq!(get(address, "/a.txt", "").1, "0123456789");
    assert!(get(address, "/empty/", "").1.contains("x y&amp;.txt"));
    assert_eq!(get(address, "/.env", "").0, "404");
}

#[test]
fn ranges_conditions_and_heads() {
    let site = Site::new("ranges");
    let strait = serving(&site, "  /: {files: SITE}\n");
    let address = strait.ready();
    let plain = ask(address, "GET", "/a.txt", "");
    assert_eq!(field(&plain, "Content-Type"), "text/plain; charset=utf-8");
    assert_eq!(field(&plain, "Accept-Ranges"), "bytes");
    let (etag, date) = (field(&plain, "ETag"), field(&plain, "Last-Modified"));
    let head = ask(address, "HEAD", "/a.txt", "");
    assert_eq!((field(&head, "Content-Length"), head.ends_with("\r\n\r\n")), ("10".to_owned(), true), "{head}");
    for (fields, status, body) in [
        (format!("If-None-Match: {etag}\r\n"), "304", ""),
        (format!("If-None-Match: \"x\", W/{etag}\r\n"), "304", ""),
        (format!("If-Modified-Since: {date}\r\n"), "304", ""),
        ("If-None-Match: \"x\"\r\n".to_owned(), "200", "0123456789"),
        ("If-Match: \"x\"\r\n".to_owned(), "412", ""),
        ("Range: bytes=2-4\r\n".to_owned(), "206", "234"),
        ("Range: bytes=-2\r\n".to_owned(), "206", "89"),
        ("Range: bytes=10-\r\n".to_owned(), "416", ""),
        ("Range: bytes=4-2\r\n".to_owned(), "200", "0123456789"),
        (format!("Range: bytes=2-4\r\nIf-Range: {etag}\r\n"), "206", "234"),
        ("Range: bytes=2-4\r\nIf-Range: \"x\"\r\n".to_owned(), "200", "0123456789"),
    ] {
        assert_eq!(get(address, "/a.txt", &fields), (status.to_owned(), body.to_owned()), "{fields}");
    }
    let same = ask(address, "GET", "/a.txt", &format!("If-None-Match: {etag}\r\n"));
    assert!(field(&same, "ETag") == etag && field(&same, "Content-Length").is_empty(), "{same}");
    let parts = ask(address, "GET", "/a.txt", "Range: bytes=0-1,8-8\r\n");
    let kind = field(&parts, "Content-Type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let body = parts.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(field(&parts, "Content-Length"), body.len().to_string());
    assert!(
        body.contains("Content-Range: bytes 0-1/10\r\n\r\n01\r\n") && body.contains("bytes 8-8/10\r\n\r\n8\r\n"),
        "{body}"
    );
    assert!(body.ends_with(&format!("--{boundary}--\r\n")), "{body}");
}

#[test]
fn what_lies_beside_is_served_to_those_who_take_it() {
    let site = Site::new("codings");
    let strait =
        serving(&site, "  /: {files: {root: SITE, precompressed: [br, gzip]}, filters: [compress: {min_size: 1B}]}\n");
    let address = strait.ready();
    for (accept, coding, body) in [
        ("gzip, br", "br", "brotli"),
        ("gzip", "gzip", "gzipped"),
        ("br;q=0.5, gzip", "gzip", "gzipped"),
        ("identity", "", "let x = 1"),
    ] {
        let answer = ask(address, "GET", "/app.js", &format!("Accept-Encoding: {accept}\r\n"));
        assert_eq!(field(&answer, "Content-Encoding"), coding, "{answer}");
        assert!(answer.ends_with(body) && field(&answer, "Vary").contains("Accept-Encoding"), "{answer}");
        assert_eq!(field(&answer, "Content-Type"), "text/javascript; charset=utf-8");
    }
    // Without a file beside it, the filter codes on the way.
    let coded = ask(address, "GET", "/about.html", "Accept-Encoding: gzip\r\n");
    assert_eq!(
        (field(&coded, "Content-Encoding").as_str(), field(&coded, "ETag").starts_with("W/")),
        ("gzip", true),
        "{coded}"
    );
}

#[test]
fn large_files_come_whole_and_in_parts() {
    let site = Site::new("large");
    let strait = serving(&site, "  /: {files: SITE}\n");
    let address = strait.ready();
    let expected = std::fs::read(site.path().join("large.bin")).unwrap();
    let read = |fields: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(format!("GET /large.bin HTTP/1.1\r\nHost: h\r\n{fields}Connection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        answer.split_off(end + 4)
    };
    assert!(read("") == expected);
    assert!(read("Range: bytes=100000-700000\r\n") == expected[100_000..=700_000]);
    assert!(read("Range: bytes=999990-\r\n") == expected[999_990..]);
}

#[test]
fn folders_are_listed_only_where_that_is_asked_for() {
    let site = Site::new("listing");
    let strait = serving(&site, "  /l/*: {files: {root: SITE, listing: true, index: []}}\n  /n/*: {files: SITE}\n");
    let address = strait.ready();
    assert_eq!(get(address, "/n/empty/", "").0, "404");
    let (status, page) = get(address, "/l/empty/", "");
    assert!(status == "200" && page.contains("./x%20y%26.txt") && page.contains("x y&amp;.txt"), "{page}");
    let (_, list) = get(address, "/l/", "Accept: application/json\r\n");
    assert!(list.contains("{\"name\":\"docs\",\"type\":\"folder\"") && list.contains("\"size\":10"), "{list}");
    assert!(!list.contains(".env"), "{list}");
}

#[test]
fn links_lead_out_only_where_that_is_asked_for() {
    let site = Site::new("links");
    std::os::unix::fs::symlink("a.txt", site.path().join("inside.txt")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", site.path().join("outside.txt")).unwrap();
    std::os::unix::fs::symlink("../../../../../../etc/hostname", site.path().join("climbs.txt")).unwrap();
    let strait = serving(
        &site,
        "  /d/*: {files: SITE}\n  /n/*: {files: {root: SITE, symlinks: none}}\n  /a/*: {files: {root: SITE, symlinks: anywhere}}\n",
    );
    let address = strait.ready();
    for (path, status) in [
        ("/d/inside.txt", "200"),
        ("/d/outside.txt", "404"),
        ("/d/climbs.txt", "404"),
        ("/n/inside.txt", "404"),
        ("/n/a.txt", "200"),
        ("/a/outside.txt", "200"),
    ] {
        assert_eq!(get(address, path, "").0, status, "{path}");
    }
}

#[test]
fn a_folder_put_in_the_place_of_another_is_served_at_once() {
    let site = Site::new("swap");
    site.put("one/v.txt", b"one");
    site.put("two/v.txt", b"two");
    let current = site.path().join("current");
    std::os::unix::fs::symlink("one", &current).unwrap();
    let strait = serving(&site, "  /: {files: SITE/current}\n");
    let address = strait.ready();
    assert_eq!(get(address, "/v.txt", "").1, "one");
    std::os::unix::fs::symlink("two", site.path().join("next")).unwrap();
    std::fs::rename(site.path().join("next"), &current).unwrap();
    assert_eq!(get(address, "/v.txt", "").1, "two");
}
