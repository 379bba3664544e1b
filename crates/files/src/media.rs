//! Content-Type by the end of a name.

/// The media type of a file of this name. Text is in UTF-8, as all of it is today; of what nobody knows only that it is
/// octets, so that browsers do not guess.
pub fn media_type(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let extension =
        name.rsplit('/').next().and_then(|file| file.rsplit_once('.')).map_or("", |(_, extension)| extension);
    let kind = match extension.to_ascii_lowercase().as_str() {
        // RFC 9239 §6: text/javascript, and .mjs is the same.
        "js" | "mjs" => "text/javascript".to_owned(),
        // Younger than the table of the crate, or other there.
        "avif" => "image/avif".to_owned(),
        "webmanifest" => "application/manifest+json".to_owned(),
        "map" => "application/json".to_owned(),
        _ => mime_guess::from_ext(extension).first_or_octet_stream().essence_str().to_owned(),
    };
    match kind.starts_with("text/") {
        true => kind + "; charset=utf-8",
        false => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn types_of_everyday_names() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b.CSS", "text/css; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("data.json", "application/json"),
            ("app.js.map", "application/json"),
            ("x.svg", "image/svg+xml"),
            ("x.png", "image/png"),
            ("x.webp", "image/webp"),
            ("x.avif", "image/avif"),
            ("x.woff2", "font/woff2"),
            ("x.wasm", "application/wasm"),
            ("x.pdf", "application/pdf"),
            ("x.mp4", "video/mp4"),
            ("x.txt", "text/plain; charset=utf-8"),
            ("x.xml", "text/xml; charset=utf-8"),
            ("site.webmanifest", "application/manifest+json"),
            ("a.html/LICENSE", "application/octet-stream"),
            ("x.unheard-of", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(media_type(name.as_bytes()), expected, "{name}");
        }
    }
}
