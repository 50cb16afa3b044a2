"""Features of one region: its levels, runs, zones and neighbourhoods."""
