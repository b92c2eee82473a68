"""The partner API (`/v1/…`): one module a resource, over the services. Knows HTTP and no transport."""
