"""Published lesion studies, each a module that reads like its paper's method section."""
