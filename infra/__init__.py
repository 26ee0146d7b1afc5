"""The AWS resources beside the functions and routes of `app.py`. README.md describes the packaging."""
