"""Puts the shards of a FOLDER into a BUCKET of the server at an ENDPOINT."""

import sys
from pathlib import Path

import boto3

endpoint, bucket, folder = sys.argv[1:]
client = boto3.client(
    "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
)
client.create_bucket(Bucket=bucket)
for path in sorted(Path(folder).glob("*.tar")):
    client.upload_file(str(path), bucket, path.name)
print("filled")
