"""One conversation: a customer asks, the bot answers. Knows the knowledge base, nothing of the web."""
