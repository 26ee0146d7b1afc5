"""The tools that operate Daftar: the local stack, packaging, deploying, the `daftar` command. Never in a Lambda."""
