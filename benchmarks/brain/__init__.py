"""The brain study beside the same from peers."""
