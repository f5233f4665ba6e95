"""The REST API of the staff, one module a subject."""
