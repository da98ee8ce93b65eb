"""What became of suggestions and actions, counted on this machine. No text of documents may enter; nothing is sent."""
