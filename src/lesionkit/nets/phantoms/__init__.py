"""Phantoms as a net is given them: batches of a store or a stream, scaled, turned, with readings
missing."""
