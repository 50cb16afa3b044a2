"""The stroke study beside the same from peers."""
