//! Lists of nouns that have no page of their own kind: columns, rows, and what to do where there
//! is nothing.

use askama::Template;

use crate::pages::show::{Html, text};
use crate::pages::visitor::{Frame, Visitor};

/// How many rows a page has.
pub const ROWS: u64 = 100;

/// A column.
pub struct Column {
    /// What it is called.
    pub label: &'static str,
    /// How its cells look.
    pub class: &'static str,
}

/// A list.
#[derive(Template)]
#[template(path = "table.html")]
pub struct Table {
    /// What is around it.
    pub frame: Frame,
    /// What it is of.
    pub title: &'static str,
    /// A word on it.
    pub lead: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, a cell for each column.
    pub rows: Vec<Vec<Html>>,
    /// What to say where there is none, and what to do then.
    pub empty: (&'static str, &'static str),
    /// The line that says the same in a shell.
    pub shell: &'static str,
    /// Where it can be searched: the path, and what was searched for.
    pub search: Option<(&'static str, Html)>,
    /// The page before this.
    pub newer: Option<String>,
    /// The page after this.
    pub older: Option<String>,
}

impl Table {
    /// The cells of a row, with how each looks.
    fn cells<'a>(&'a self, row: &'a [Html]) -> Vec<(&'static str, &'a Html)> {
        let classes = self.columns.iter().map(|column| column.class);
        classes.zip(row).collect()
    }
}

/// Columns by their labels and classes.
pub fn columns(all: &[(&'static str, &'static str)]) -> Vec<Column> {
    let each = all.iter().map(|(label, class)| Column { label, class });
    each.collect()
}

/// What narrows a list, and the part of it that is shown.
pub struct Part {
    /// What was searched for.
    pub q: String,
    /// The number of the page.
    pub page: u64,
}

impl Part {
    /// What an address asks for.
    pub fn of(visitor: &Visitor) -> Self {
        let q = visitor.asked("q").unwrap_or_default();
        let page = visitor.asked("page").and_then(|page| page.parse().ok());
        Self {
            q: q.trim().chars().take(200).collect(),
            page: page.unwrap_or(0).min(1000),
        }
    }

    /// Which rows these are, and one more.
    pub fn range(&self) -> crate::domain::filter::Page {
        crate::domain::filter::Page {
            limit: ROWS + 1,
            offset: self.page * ROWS,
        }
    }

    /// Cuts the one more off; answers whether there was one.
    pub fn cut<T>(&self, found: &mut Vec<T>) -> bool {
        let is_more = found.len() as u64 > ROWS;
        found.truncate(ROWS as usize);
        is_more
    }

    /// The addresses of the pages around this.
    pub fn around(&self, path: &str, is_more: bool) -> (Option<String>, Option<String>) {
        let to = |page: u64| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("page", &page.to_string());
            if !self.q.is_empty() {
                query.append_pair("q", &self.q);
            }
            format!("{path}?{}", query.finish())
        };
        let newer = self.page.checked_sub(1).map(to);
        (newer, is_more.then(|| to(self.page + 1)))
    }

    /// What was searched for, as it stands in the form.
    pub fn shown(&self) -> Html {
        text(&self.q)
    }
}

/// A link.
pub fn link(href: &str, text: &Html) -> Html {
    Html::of(format!("<a href=\"{href}\"><bdi>{text}</bdi></a>"))
}

/// A button that turns something on and off.
pub fn switch(frame: &Frame, action: &str, is_on: bool, label: &str) -> Html {
    let label = text(label);
    if !frame.may_act {
        return Html::fixed(match is_on {
            true => "on",
            false => "off",
        });
    }
    let (token, on) = (&frame.token, !is_on);
    Html::of(format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"token\" \
         value=\"{token}\"><input type=\"hidden\" name=\"on\" value=\"{on}\"><button \
         class=\"switch\" role=\"switch\" aria-checked=\"{is_on}\" aria-label=\"{label}\"><i></i>\
         </button></form>"
    ))
}
