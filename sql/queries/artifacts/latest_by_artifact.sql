SELECT {latest_artifact} FROM latest_artifacts WHERE latest_id = :id
