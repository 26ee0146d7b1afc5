"""The API's description, written from its routes, models and problems."""
