"""What `lesionkit brain-study` does: regions, and tables with the leaks beside."""
