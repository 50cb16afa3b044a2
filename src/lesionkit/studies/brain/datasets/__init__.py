"""The public sets of the study: their readers, what is alike in them, noise and augmentation."""
