"""Compare Daftar with a bare handler: cold start, warm CPU, size of the zip. Run by `make bench`."""
