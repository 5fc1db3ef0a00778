-- What is to be done when something happens, or does not.
CREATE TABLE automations (
    id      BLOB    NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    enabled INTEGER NOT NULL,
    tags    TEXT    NOT NULL,
    plan    TEXT    NOT NULL -- all that a client says of it
) STRICT, WITHOUT ROWID;

CREATE INDEX automations_by_name ON automations (name);

-- The resources that automations go with, and those that they act on.
CREATE TABLE automation_resources (
    resource_id   TEXT    NOT NULL,
    automation_id BLOB    NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
    is_owner      INTEGER NOT NULL,
    PRIMARY KEY (resource_id, automation_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX automation_resources_by_automation ON automation_resources (automation_id);

-- What a trigger has counted, for each value of the labels that it goes by.
CREATE TABLE automation_windows (
    automation_id BLOB    NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
    trigger_id    BLOB    NOT NULL,
    labels        TEXT    NOT NULL, -- a list of values
    starts        INTEGER NOT NULL,
    ends          INTEGER NOT NULL,
    is_proactive  INTEGER NOT NULL, -- something is to be done at its end
    count         INTEGER NOT NULL,
    last_event    INTEGER,          -- its place; the event may have been removed meanwhile
    PRIMARY KEY (automation_id, trigger_id, labels)
) STRICT, WITHOUT ROWID;

CREATE INDEX automation_windows_by_end ON automation_windows (is_proactive, ends);

-- When events happened that were only expected, for windows that open later.
CREATE TABLE automation_held (
    automation_id BLOB    NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
    trigger_id    BLOB    NOT NULL,
    labels        TEXT    NOT NULL,
    occurred      INTEGER NOT NULL,
    place         INTEGER NOT NULL,
    held          INTEGER NOT NULL,
    PRIMARY KEY (automation_id, trigger_id, labels, occurred, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX automation_held_by_time ON automation_held (held);

-- The latest firing of each part of a trigger that is made of others.
CREATE TABLE automation_parts (
    automation_id BLOB    NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
    whole_id      BLOB    NOT NULL,
    part_id       BLOB    NOT NULL,
    triggered     INTEGER NOT NULL,
    firing        TEXT    NOT NULL,
    PRIMARY KEY (automation_id, whole_id, part_id)
) STRICT, WITHOUT ROWID;

-- Firings of which something is to be done still. The automation may be gone meanwhile.
CREATE TABLE automation_firings (
    id            BLOB    NOT NULL PRIMARY KEY,
    automation_id BLOB    NOT NULL,
    plan          TEXT    NOT NULL, -- as it was when it fired
    firing        TEXT    NOT NULL,
    told          BLOB    NOT NULL  -- the id of the event that tells of it
) STRICT, WITHOUT ROWID;

-- What is to be done, in order; each has an id, by which it is done once.
CREATE TABLE automation_work (
    place      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id         BLOB    NOT NULL,
    firing_id  BLOB    NOT NULL REFERENCES automation_firings (id) ON DELETE CASCADE,
    number     INTEGER,          -- which of the plan's actions; absent: that it has fired is told
    due        INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX automation_work_by_time   ON automation_work (due, place);
CREATE INDEX automation_work_by_firing ON automation_work (firing_id);
