"""Benchmarks of Daftar beside a bare handler: cold start, warm CPU, size of the zip. `make bench` prints it."""
