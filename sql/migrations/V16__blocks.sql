-- Settings that flows load by type and name, with secrets in them.
CREATE TABLE block_types (
    id                BLOB    NOT NULL PRIMARY KEY,
    created           INTEGER NOT NULL,
    updated           INTEGER NOT NULL,
    name              TEXT    NOT NULL UNIQUE,
    slug              TEXT    NOT NULL UNIQUE,
    logo_url          TEXT,
    documentation_url TEXT,
    description       TEXT,
    code_example      TEXT,
    is_protected      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What a block of a type holds, as some version of a client has it.
CREATE TABLE block_schemas (
    id            BLOB    NOT NULL PRIMARY KEY,
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    checksum      TEXT    NOT NULL,
    fields        TEXT    NOT NULL,                        -- a JSON schema, with what it refers to
    block_type_id BLOB    NOT NULL REFERENCES block_types (id) ON DELETE CASCADE,
    capabilities  TEXT    NOT NULL DEFAULT '[]',
    version       TEXT    NOT NULL,
    UNIQUE (checksum, version)
) STRICT;

CREATE INDEX block_schemas_by_type ON block_schemas (block_type_id);

CREATE TABLE block_documents (
    id              BLOB    NOT NULL PRIMARY KEY,
    created         INTEGER NOT NULL,
    updated         INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    data            BLOB    NOT NULL,                      -- sealed, with a key that is not in here
    block_schema_id BLOB    NOT NULL REFERENCES block_schemas (id) ON DELETE CASCADE,
    block_type_id   BLOB    NOT NULL REFERENCES block_types (id) ON DELETE CASCADE,
    block_type_name TEXT    NOT NULL,
    is_anonymous    INTEGER NOT NULL DEFAULT 0,
    type_and_name   TEXT    NOT NULL GENERATED ALWAYS AS (block_type_name || char(1) || name) VIRTUAL,
    UNIQUE (block_type_id, name)
) STRICT;

CREATE INDEX block_documents_by_schema ON block_documents (block_schema_id);
CREATE INDEX block_documents_by_name   ON block_documents (name);

-- Documents within documents.
CREATE TABLE block_document_references (
    parent_id    BLOB NOT NULL REFERENCES block_documents (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,                            -- of the field
    reference_id BLOB NOT NULL REFERENCES block_documents (id) ON DELETE CASCADE,
    PRIMARY KEY (parent_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX block_document_references_back ON block_document_references (reference_id);
