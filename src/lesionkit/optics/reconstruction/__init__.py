"""From readings back to tissue."""
