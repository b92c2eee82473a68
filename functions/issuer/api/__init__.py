"""The partner API: routes by resource, thin over the services."""
