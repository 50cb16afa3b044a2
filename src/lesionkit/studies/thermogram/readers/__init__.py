"""What a thermogram's file holds: temperatures as text, or colours of a palette."""
