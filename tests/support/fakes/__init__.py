"""Fakes of what services depend on, one module a package.

Those that store values are compared with the real stores in `contracts/test_fakes_match_stores.py`; the
others return what a test gave them.
"""
