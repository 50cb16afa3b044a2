"""The thermogram study beside the same from peers."""
