"""The local server: what API Gateway, presigned addresses and the CDN are elsewhere, on one port."""
