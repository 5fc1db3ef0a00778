-- The block document by which results are stored where nothing else is said: at most one.
ALTER TABLE block_documents ADD COLUMN stores_results INTEGER NOT NULL DEFAULT 0;

CREATE UNIQUE INDEX block_documents_storing_results ON block_documents (stores_results)
    WHERE stores_results = 1;
