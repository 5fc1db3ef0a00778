UPDATE leases SET expires = :now WHERE holder_id = :holder_id AND (expires IS NULL OR expires > :now)
