SELECT {flow} FROM flows WHERE name = :name
