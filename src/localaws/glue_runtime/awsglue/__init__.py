"""A stand-in for the `awsglue` package that AWS Glue gives to its scripts: the part that scripts import."""
