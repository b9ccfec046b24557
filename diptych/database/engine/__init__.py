"""The database engine that settings name: Django's for PostgreSQL."""
