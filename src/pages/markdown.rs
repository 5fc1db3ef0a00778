//! Markdown that somebody wrote, as markup: no more of it than this renders itself. Markup within
//! it is text, images are links, and links lead to web pages, mail addresses and places here.

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use super::show::{Html, push};

/// The most characters that are rendered.
const LONGEST: usize = 64 * 1024;

/// Markup of a markdown text.
pub fn rendered(text: &str) -> Html {
    let mut clean = String::with_capacity(text.len().min(LONGEST));
    let mut chars = text.chars();
    for c in chars.by_ref().take(LONGEST) {
        match c {
            '\n' | '\t' => clean.push(c),
            '\r' => {}
            // What markup needs is escaped by the renderer.
            '&' | '<' | '>' | '"' | '\'' => clean.push(c),
            c => push(&mut clean, c),
        }
    }
    if chars.next().is_some() {
        clean.push('…');
    }
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(&clean, options).map(harmless);
    let mut out = String::new();
    html::push_html(&mut out, events);
    Html::of(format!("<div class=\"md\">{out}</div>"))
}

fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(
            Tag::Image {
                dest_url,
                title,
                id,
                ..
            }
            | Tag::Link {
                dest_url,
                title,
                id,
                ..
            },
        ) => Event::Start(Tag::Link {
            link_type: LinkType::Inline,
            dest_url: safe(dest_url),
            title,
            id,
        }),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        // Headings of a page are its own.
        Event::Start(Tag::Heading { .. }) => Event::Start(Tag::Heading {
            level: HeadingLevel::H4,
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(HeadingLevel::H4)),
        other => other,
    }
}

fn safe(to: CowStr<'_>) -> CowStr<'_> {
    match leads_well(&to) {
        true => to,
        false => "#".into(),
    }
}

/// Whether an address is a web page's, a mail address, or a place here.
pub fn leads_well(to: &str) -> bool {
    let is_plain = to.chars().all(|c| !c.is_control() && !c.is_whitespace());
    let lower = to.trim().to_ascii_lowercase();
    let is_here = lower.starts_with('#') || (lower.starts_with('/') && !lower.starts_with("//"));
    let kinds = ["https://", "http://", "mailto:"];
    is_plain && !to.contains('\\') && (is_here || kinds.iter().any(|kind| lower.starts_with(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_somebody_wrote_is_markup_of_theirs() {
        for (text, has, lacks) in [
            ("*a* **b** `c`", "<em>a</em>", "*a*"),
            ("<script>alert(1)</script>", "&lt;script&gt;", "<script"),
            ("a <img src=x onerror=alert(1)> b", "&lt;img", "<img"),
            ("<div onclick=x>\n\nhi\n</div>", "&lt;div", "<div onclick"),
            ("[x](javascript:alert(1))", "href=\"#\"", "javascript"),
            ("[x](  JaVaScRiPt:alert(1))", "href=\"#\"", "JaVa"),
            ("[x](data:text/html,y)", "href=\"#\"", "data:"),
            ("[x](//evil.example)", "href=\"#\"", "evil"),
            (
                "![pic](https://h/p.png)",
                "<a href=\"https://h/p.png\"",
                "<img",
            ),
            (
                "[x](https://h/\"onclick=y)",
                "<a href=\"https://h/",
                "\"onclick",
            ),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>", "|"),
            ("# Title", "<h4>Title</h4>", "<h1"),
            ("a\u{202e}b\u{7}", "a⟨202E⟩b␇", "\u{202e}"),
        ] {
            let html = rendered(text).to_string();
            assert!(html.contains(has), "{text}: {html}");
            assert!(!html.contains(lacks), "{text}: {html}");
        }
        let long = rendered(&"x".repeat(LONGEST + 5)).to_string();
        assert!(long.contains("x…") && long.len() < LONGEST + 100);
    }

    #[test]
    fn what_is_nested_without_end_takes_no_long_time() {
        for text in [
            "> ".repeat(30_000),
            "[".repeat(60_000),
            "*a ".repeat(20_000),
            "- ".repeat(30_000),
        ] {
            let begun = std::time::Instant::now();
            rendered(&text);
            assert!(begun.elapsed().as_secs() < 60);
        }
    }
}
