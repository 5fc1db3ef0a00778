SELECT {latest_artifact} FROM latest_artifacts WHERE key = :key
