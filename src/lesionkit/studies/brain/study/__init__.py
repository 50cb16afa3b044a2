"""What `lesionkit brain-study` does: regions, tables with the leaks beside, a model, pictures."""
