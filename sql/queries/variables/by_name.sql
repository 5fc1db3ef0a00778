SELECT {variable} FROM variables WHERE name = :name
