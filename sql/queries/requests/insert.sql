INSERT INTO requests (key, created, subject) VALUES (:key, :created, :subject)
