"""Compare Daftar with a bare handler: cold start, warm CPU, size of the zip. `make bench` prints the figures."""
