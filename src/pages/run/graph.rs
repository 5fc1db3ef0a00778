//! What task runs take of each other, as a graph: those that take nothing are on the left, and
//! each other is right of all whose results it takes. Runs of one task that take of the same and
//! give to the same are one box.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::gantt::href;
use crate::domain::graph::Node;
use crate::domain::state::StateType;
use crate::pages::show::state::Look;
use crate::pages::show::{Html, text};

/// The most boxes.
const MOST: usize = 150;
const WIDTH: usize = 166;
const HEIGHT: usize = 40;
const GAP_X: usize = 36;
const GAP_Y: usize = 14;
/// The most characters of a name in a box.
const LABEL: usize = 19;

/// A box.
pub struct Shape {
    /// The page of what it stands for.
    pub href: String,
    /// What it says.
    pub label: Html,
    /// All of it.
    pub title: Html,
    /// Below that.
    pub sub: String,
    /// Its state's class.
    pub class: &'static str,
    /// Where it is.
    pub x: usize,
    /// Where it is.
    pub y: usize,
}

/// The graph, laid out.
pub struct Drawing {
    /// The boxes.
    pub shapes: Vec<Shape>,
    /// The lines between them.
    pub edges: Vec<String>,
    /// How wide it is.
    pub width: usize,
    /// How high it is.
    pub height: usize,
}

/// Runs that are drawn as one.
struct Group<'a> {
    name: String,
    nodes: Vec<&'a Node>,
    parents: Vec<usize>,
    depth: usize,
}

impl Drawing {
    /// Of these; `None` where nothing takes anything, or there is too much.
    pub fn new(nodes: &[Node]) -> Option<Self> {
        if nodes.iter().all(|node| node.parents.is_empty()) {
            return None;
        }
        let groups = grouped(nodes);
        if groups.len() > MOST {
            return None;
        }
        let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
        let places: Vec<_> = groups
            .iter()
            .map(|group| {
                let row = rows.entry(group.depth).or_default();
                let place = (
                    group.depth * (WIDTH + GAP_X) + 1,
                    *row * (HEIGHT + GAP_Y) + 1,
                );
                *row += 1;
                place
            })
            .collect();
        let edges = groups.iter().zip(&places).flat_map(|(group, to)| {
            let parents = group.parents.iter();
            parents.filter_map(|parent| places.get(*parent).map(|from| edge(*from, *to)))
        });
        let (columns, most) = (rows.len(), rows.values().max().copied().unwrap_or(1));
        Some(Self {
            edges: edges.collect(),
            shapes: groups
                .iter()
                .zip(&places)
                .map(|(group, at)| shape(group, *at))
                .collect(),
            width: columns * (WIDTH + GAP_X) + 2,
            height: most * (HEIGHT + GAP_Y) + 2,
        })
    }
}

fn edge((x, y): (usize, usize), (to_x, to_y): (usize, usize)) -> String {
    let (x, y, to_y) = (x + WIDTH, y + HEIGHT / 2, to_y + HEIGHT / 2);
    let middle = usize::midpoint(x, to_x);
    format!("M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}")
}

/// A task's name, without the number of its run.
fn base(label: &str) -> &str {
    let base = label.rsplit_once('-').filter(|(_, number)| {
        let is_hash = number.len() >= 3 && number.chars().all(|c| c.is_ascii_hexdigit());
        number.chars().all(|c| c.is_ascii_digit()) || is_hash
    });
    base.map_or(label, |(base, _)| base)
}

fn grouped(nodes: &[Node]) -> Vec<Group<'_>> {
    let mut keys: HashMap<(&str, Vec<Uuid>, bool), usize> = HashMap::new();
    let mut group_of: HashMap<Uuid, usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for node in nodes {
        let mut parents = node.parents.clone();
        parents.sort_unstable();
        let key = (base(&node.label), parents, node.is_flow_run);
        let place = *keys.entry(key).or_insert_with(|| {
            groups.push(Group {
                name: base(&node.label).to_owned(),
                nodes: Vec::new(),
                parents: Vec::new(),
                depth: 0,
            });
            groups.len() - 1
        });
        group_of.insert(node.id, place);
        if let Some(group) = groups.get_mut(place) {
            group.nodes.push(node);
        }
    }
    for place in 0..groups.len() {
        let parents = groups.get(place).map(|group| {
            let all = group.nodes.iter().flat_map(|node| &node.parents);
            let mut found: Vec<_> = all.filter_map(|id| group_of.get(id).copied()).collect();
            found.sort_unstable();
            found.dedup();
            found.retain(|parent| *parent != place);
            found
        });
        if let (Some(group), Some(parents)) = (groups.get_mut(place), parents) {
            group.parents = parents;
        }
    }
    deepen(&mut groups);
    groups
}

/// Puts each right of all that it takes of. What goes in circles stays where it is after as many
/// steps as there are groups.
fn deepen(groups: &mut [Group<'_>]) {
    let most = groups.len();
    for _ in 0..most {
        let depths: Vec<_> = groups.iter().map(|group| group.depth).collect();
        let mut has_changed = false;
        for group in groups.iter_mut() {
            let of = |parent: &usize| depths.get(*parent).map_or(0, |depth| depth + 1);
            let depth = group.parents.iter().map(of).max().unwrap_or(0).min(most);
            has_changed |= depth != group.depth;
            group.depth = depth;
        }
        if !has_changed {
            return;
        }
    }
}

fn shape(group: &Group<'_>, (x, y): (usize, usize)) -> Shape {
    let number = group.nodes.len();
    let first = group.nodes.first();
    let kind = state_of(&group.nodes);
    let look = Look::new(kind, None);
    let done = group
        .nodes
        .iter()
        .filter(|node| node.kind.is_some_and(StateType::is_terminal));
    let name = match number {
        1 => first.map_or(String::new(), |node| node.label.clone()),
        _ => format!("{} × {number}", group.name),
    };
    let short: String = name.chars().take(LABEL).collect();
    Shape {
        href: first.map(|node| href(node)).unwrap_or_default(),
        label: match short.len() < name.len() {
            true => text(&format!("{short}…")),
            false => text(&short),
        },
        title: Html::of(format!(
            "{}: {}",
            crate::pages::show::short(&name),
            look.word
        )),
        sub: match number {
            1 => look.word.to_string().to_lowercase(),
            _ => format!("{} of {number} done", done.count()),
        },
        class: look.class,
        x,
        y,
    }
}

/// The state that matters most of several.
fn state_of(nodes: &[&Node]) -> Option<StateType> {
    let order = [
        StateType::Failed,
        StateType::Crashed,
        StateType::Running,
        StateType::Cancelling,
        StateType::Pending,
        StateType::Paused,
        StateType::Scheduled,
        StateType::Cancelled,
        StateType::Completed,
    ];
    order
        .into_iter()
        .find(|kind| nodes.iter().any(|node| node.kind == Some(*kind)))
}
