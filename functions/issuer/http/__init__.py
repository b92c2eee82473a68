"""HTTP without a framework: problem documents, API keys, paging."""
