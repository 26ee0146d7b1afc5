"""What stands in AWS beside the functions and routes of `app.py`. README.md says how it is packaged."""
