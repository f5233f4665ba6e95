"""Who works here: accounts, roles, sessions, keys and the record of what they did."""
