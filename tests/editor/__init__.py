"""What an editor asks, and the server that answers."""
