"""Hostile arguments for every public function: see __main__.py for how it is run."""
