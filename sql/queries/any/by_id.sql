SELECT {columns} FROM {table} {join} WHERE {table}.id = :id
