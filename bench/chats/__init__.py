"""Workers who chat all at once, on a local stack, while the app and the functions misbehave."""
