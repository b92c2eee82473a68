"""One module is one Lambda function: an event in, a service called, an answer out."""
