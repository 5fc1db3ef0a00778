UPDATE block_types SET updated = :now, logo_url = :logo_url, documentation_url = :documentation_url,
    description = :description, code_example = :code_example
WHERE id = :id
