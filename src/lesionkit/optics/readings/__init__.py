"""What an instrument read, and the files that hold it."""
