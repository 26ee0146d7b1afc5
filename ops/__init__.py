"""Operate Daftar: the local stack, packaging, deploying, the `daftar` command. Not part of a Lambda."""
