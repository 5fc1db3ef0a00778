SELECT max(place) FROM events
