"""What runs in a Glue job: one batch, from the claim to the published manifest."""
