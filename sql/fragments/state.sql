s.id, s.type, s.name, s.timestamp, s.message, s.data, s.state_details
