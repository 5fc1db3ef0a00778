//! Fields, and what can be asked of them.

use uuid::Uuid;

use super::TextQuery;

/// Something about a noun that can be asked.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// What dialects call it.
    pub name: &'static str,
    /// Where rows have it.
    pub column: &'static str,
    /// What it holds, and so how it is asked.
    pub holds: Holds,
    /// Whether it may be absent, and is asked for that.
    pub may_be_null: bool,
    /// Whether values can be excluded.
    pub may_exclude: bool,
    /// The column that is compared where that one is empty.
    pub or: Option<&'static str>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Holds {
    /// An id: one of these.
    Id,
    /// A text: one of these.
    Text,
    /// A list of tags: each of these, or none at all.
    Tags,
    /// The type of a state: one of these.
    StateType,
    /// An instant: then or earlier, then or later.
    Time,
    /// A number: that or more, that or less.
    Number,
    /// Yes or no.
    Flag,
    /// No column of its own: whether some flow run has this row as its parent.
    SubFlow,
    /// No column of its own: the flow run whose task run stands for this row.
    ParentRun,
    /// No column of its own: whether a flow has no deployments.
    Deployments,
    /// The name of a deployment or of its flow.
    NameOrFlow,
    /// The name of the queue that a column names.
    QueueName,
    /// A member of the object in a column.
    Member(&'static str),
    /// The message of a log line with the name of its logger.
    Message,
    /// Several fields under one name.
    Group(&'static [&'static Field]),
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    /// The field.
    pub field: &'static Field,
    /// What is asked.
    pub test: Test,
}

/// A question, with the values that it is asked with. Instants are microseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// One of these.
    In(Values),
    /// None of these.
    NotIn(Values),
    /// A text that holds this, whatever its case; `%` stands for any characters, `_` for one.
    Like(String),
    /// A text that begins with one of these, likewise.
    StartsWith(Vec<String>),
    /// Each of these tags.
    HasAll(Vec<String>),
    /// One of these tags at least.
    HasAny(Vec<String>),
    /// A text in which that is found.
    Finds(TextQuery),
    /// Absent, or without any tag (true); there (false).
    IsNull(bool),
    /// This or more.
    AtLeast(i64),
    /// This or less.
    AtMost(i64),
    /// So, or not.
    Is(bool),
}

/// Values to compare with.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Ids.
    Ids(Vec<Uuid>),
    /// Texts, and the words of state types.
    Words(Vec<String>),
}

impl Field {
    const fn new(name: &'static str, holds: Holds) -> Self {
        Self {
            name,
            column: name,
            holds,
            may_be_null: false,
            may_exclude: false,
            or: None,
        }
    }

    pub(super) const fn id(name: &'static str) -> Self {
        Self::new(name, Holds::Id)
    }

    pub(super) const fn text(name: &'static str) -> Self {
        Self::new(name, Holds::Text)
    }

    pub(super) const fn tags() -> Self {
        Self::new("tags", Holds::Tags)
    }

    pub(super) const fn state_type() -> Self {
        Self::new("type", Holds::StateType).of("state_type")
    }

    pub(super) const fn state_name() -> Self {
        Self::new("name", Holds::Text).of("state_name")
    }

    pub(super) const fn time(name: &'static str) -> Self {
        Self::new(name, Holds::Time)
    }

    pub(super) const fn number(name: &'static str) -> Self {
        Self::new(name, Holds::Number)
    }

    pub(super) const fn flag(name: &'static str) -> Self {
        Self::new(name, Holds::Flag)
    }

    pub(super) const fn holding(name: &'static str, holds: Holds) -> Self {
        Self::new(name, holds)
    }

    pub(super) const fn or_column(mut self, column: &'static str) -> Self {
        self.or = Some(column);
        self
    }

    pub(super) const fn sub_flow(name: &'static str) -> Self {
        Self::new(name, Holds::SubFlow)
    }

    pub(super) const fn group(name: &'static str, fields: &'static [&'static Field]) -> Self {
        Self::new(name, Holds::Group(fields))
    }

    pub(super) const fn queue_name() -> Self {
        Self::new("work_queue_name", Holds::QueueName).of("work_queue_id")
    }

    pub(super) const fn member(column: &'static str, path: &'static str) -> Self {
        Self::new(column, Holds::Member(path))
    }

    const fn of(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }

    pub(super) const fn or_null(mut self) -> Self {
        self.may_be_null = true;
        self
    }

    pub(super) const fn or_not(mut self) -> Self {
        self.may_exclude = true;
        self
    }

    /// Asks that.
    pub const fn asked(&'static self, test: Test) -> Criterion {
        Criterion { field: self, test }
    }

    /// Whether it is one of these words.
    pub fn is_one_of<S: Into<String>>(
        &'static self,
        words: impl IntoIterator<Item = S>,
    ) -> Criterion {
        let words = words.into_iter().map(Into::into).collect();
        self.asked(Test::In(Values::Words(words)))
    }

    /// Whether it is one of these ids.
    pub fn is_one_of_ids(&'static self, ids: impl IntoIterator<Item = Uuid>) -> Criterion {
        let ids = ids.into_iter().collect();
        self.asked(Test::In(Values::Ids(ids)))
    }
}
