//! What an artifact says, as markup: markdown, tables and progress as what they are, links and
//! images as links, anything else as JSON.

use serde_json::Value;

use super::{Html, count, json, short, text};
use crate::domain::artifact::Content;
use crate::pages::markdown::{self, leads_well};

/// The most rows of a table.
const MOST_ROWS: usize = 200;
/// The most columns.
const MOST_COLUMNS: usize = 30;

/// A text that holds JSON as what it holds.
pub fn opened(data: Value) -> Value {
    match &data {
        Value::String(written) if written.trim_start().starts_with(['[', '{']) => {
            serde_json::from_str(written).unwrap_or(data)
        }
        _ => data,
    }
}

/// What an artifact is, as markup.
pub fn rendered(content: &Content) -> Html {
    let Some(data) = &content.data else {
        return Html::fixed("<p class=\"muted\">Nothing.</p>");
    };
    let kind = content.kind.as_deref().unwrap_or_default();
    let shown = match (kind, data) {
        ("markdown", Value::String(written)) => Some(markdown::rendered(written)),
        ("table", data) => table(&opened(data.clone())),
        ("progress", data) => progress(data),
        ("image" | "link", Value::String(to)) => Some(place(to)),
        _ => None,
    };
    shown.unwrap_or_else(|| match data {
        Value::Array(_) | Value::Object(_) => json::shown(data),
        _ => Html::of(format!("<pre>{}</pre>", json::shown(data))),
    })
}

fn place(address: &str) -> Html {
    let shown = text(address);
    match leads_well(address) {
        true => Html::of(format!(
            "<p><a class=\"link\" href=\"{shown}\">{shown}</a></p>"
        )),
        false => Html::of(format!("<p>{shown}</p>")),
    }
}

fn progress(data: &Value) -> Option<Html> {
    let far = match data {
        Value::Number(number) => number.as_f64()?,
        Value::String(written) => written.trim().parse().ok()?,
        _ => return None,
    };
    let far = Some(far).filter(|far| far.is_finite())?.clamp(0.0, 100.0);
    Some(Html::of(format!(
        "<p class=\"row nowrap\"><progress class=\"s-running grow\" value=\"{far:.1}\" max=\"100\" \
         aria-label=\"{far:.0} per cent\"></progress><span class=\"num\">{far:.0} %</span></p>"
    )))
}

/// A list of objects or of lists, or lists by the names of their columns.
fn table(data: &Value) -> Option<Html> {
    let (head, rows) = match data {
        Value::Array(rows) if rows.iter().any(Value::is_object) => by_name(rows),
        Value::Array(rows) if rows.iter().any(Value::is_array) => (Vec::new(), lists(rows)),
        Value::Object(columns) if columns.values().all(Value::is_array) => {
            let columns: Vec<_> = columns.iter().take(MOST_COLUMNS).collect();
            let longest = columns
                .iter()
                .filter_map(|(_, cells)| Some(cells.as_array()?.len()));
            let longest = longest.max().unwrap_or(0).min(MOST_ROWS + 1);
            let row = |at: usize| columns.iter().map(|(_, cells)| cells.get(at)).collect();
            let head = columns.iter().map(|(name, _)| name.as_str()).collect();
            (head, (0..longest).map(row).collect())
        }
        _ => return None,
    };
    let more = rows.len().saturating_sub(MOST_ROWS);
    let mut out = String::from("<div class=\"wide\"><table class=\"tight\" data-sorts>");
    if !head.is_empty() {
        let cells = head
            .iter()
            .map(|name| format!("<th scope=\"col\">{}</th>", short(name)));
        out.push_str(&format!(
            "<thead><tr>{}</tr></thead>",
            cells.collect::<String>()
        ));
    }
    out.push_str("<tbody>");
    for row in rows.iter().take(MOST_ROWS) {
        let cells = row
            .iter()
            .map(|cell| format!("<td>{}</td>", cell.map(json::shown).unwrap_or_default()));
        out.push_str(&format!("<tr>{}</tr>", cells.collect::<String>()));
    }
    out.push_str("</tbody></table></div>");
    if more > 0 {
        out.push_str(&format!(
            "<p class=\"small muted\">{} and more are not shown.</p>",
            count(more as u64, "row")
        ));
    }
    Some(Html::of(out))
}

type Cells<'a> = Vec<Vec<Option<&'a Value>>>;

fn by_name(rows: &[Value]) -> (Vec<&str>, Cells<'_>) {
    let mut head: Vec<&str> = Vec::new();
    let shown = rows.iter().take(MOST_ROWS + 1);
    for name in shown
        .clone()
        .filter_map(Value::as_object)
        .flat_map(|row| row.keys())
    {
        if head.len() < MOST_COLUMNS && !head.contains(&name.as_str()) {
            head.push(name);
        }
    }
    let rows = shown.map(|row| head.iter().map(|name| row.get(*name)).collect());
    let rows = rows.collect();
    (head, rows)
}

fn lists(rows: &[Value]) -> Cells<'_> {
    let shown = rows.iter().take(MOST_ROWS + 1);
    shown.map(cells_of).collect()
}

fn cells_of(row: &Value) -> Vec<Option<&Value>> {
    let cells = row.as_array().map_or(&[][..], Vec::as_slice);
    cells.iter().take(MOST_COLUMNS).map(Some).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(kind: &str, data: Value) -> String {
        let content = Content {
            kind: Some(kind.to_owned()),
            data: Some(data),
            ..Content::default()
        };
        rendered(&content).to_string()
    }

    #[test]
    fn each_type_is_shown_as_what_it_is() {
        for (kind, data, has) in [
            ("markdown", json!("**x**"), "<strong>x</strong>"),
            (
                "table",
                json!("[{\"a\": 1, \"b\": \"<i>\"}, {\"c\": 2}]"),
                "<td>&lt;i&gt;</td><td></td>",
            ),
            ("table", json!([[1, 2], [3]]), "<td>3</td>"),
            (
                "table",
                json!({ "a": [1, 2], "b": [3] }),
                "<tr><td>2</td><td></td></tr>",
            ),
            ("table", json!("no table"), "<pre>no table</pre>"),
            ("progress", json!(42.4), "value=\"42.4\""),
            ("progress", json!(1e9), "value=\"100.0\""),
            ("progress", json!("NaN"), "<pre>NaN</pre>"),
            (
                "image",
                json!("https://h/x.png"),
                "href=\"https://h/x.png\"",
            ),
            ("image", json!("javascript:x"), "<p>javascript:x</p>"),
            ("strange", json!({ "a": "<b>" }), "&lt;b&gt;"),
        ] {
            let html = shown(kind, data);
            assert!(html.contains(has), "{kind}: {html}");
        }
        let many: Vec<_> = (0..5000).map(|n| json!({ "n": n })).collect();
        assert!(shown("table", json!(many)).len() < 20_000);
    }
}
