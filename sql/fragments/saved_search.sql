saved_searches.id, saved_searches.created, saved_searches.updated, saved_searches.name, saved_searches.filters
